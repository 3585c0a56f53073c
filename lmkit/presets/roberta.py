"""RoBERTa: BERT's encoder with one kind of segment, trained longer, without the next sentence.

Its first token has position 2: the table of positions begins with a row that nothing uses and one for padding (whose
id is 1). Here positions begin at 0 and padding is masked, so the two rows are left out; an exported file has zeros
there, which changes no output at a real token.
"""

from torch import nn

from ..config import Config
from ..heads import MaskedLM, SpanFinder
from ..model import Transformer
from .bert import OLD_NAMES, encoder, encoder_from, encoder_tensors, encoder_to, head_tensors
from .format import Part, Settings

SIZES = {
    "Liu et al. 2019, arXiv:1907.11692": {
        "roberta-base": encoder(50265, 768, 12, 12, n_segments=1, eps=1e-5),
        "roberta-large": encoder(50265, 1024, 24, 16, n_segments=1, eps=1e-5),
    }
}

SKIPPED = 2  # rows before the first position

MODEL_TYPE = "roberta"
HEADS = {"RobertaModel": Transformer, "RobertaForMaskedLM": MaskedLM, "RobertaForQuestionAnswering": SpanFinder}


def tensors_of(model: nn.Module) -> dict[str, str | Part]:
    table = Part("roberta.embeddings.position_embeddings.weight", skipped=SKIPPED)
    head = head_tensors(model, "lm_head", "lm_head.dense", "lm_head.layer_norm")
    return encoder_tensors("roberta") | {"positions.table.weight": table} | head


TENSORS = tensors_of
RENAMED = {r"^(embeddings|encoder|pooler)\.": r"roberta.\1."} | OLD_NAMES  # the files of RobertaModel have no prefix
COPIES = {"lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight", "lm_head.decoder.bias": "lm_head.bias"}
IGNORED = [
    r"roberta\.embeddings\.position_ids",
    r"roberta\.pooler\.dense\.(weight|bias)",
    r"lm_head\.(bias|(decoder|dense|layer_norm)\.(weight|bias))",
]


def config_from(said: Settings) -> Config:
    said.fixed(pad_token_id=SKIPPED - 1, hidden_act="gelu")  # its head bends by gelu, whatever the blocks do
    return encoder_from(said, SKIPPED)


def config_to(config: Config) -> dict:
    return encoder_to(config, SKIPPED) | {"pad_token_id": SKIPPED - 1}
