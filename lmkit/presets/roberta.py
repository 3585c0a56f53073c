"""RoBERTa: BERT's encoder with one kind of segment, trained longer, without the next sentence.

Its first token has position 2: the table of positions begins with a row that nothing uses and one for padding (whose
id is 1). Here positions begin at 0 and padding is masked, so the two rows are left out; an exported file has zeros
there, which changes no output at a real token.
"""

from ..config import Config
from ..model import Transformer
from .bert import _encoder, encoder_from, encoder_tensors, encoder_to
from .format import Part, Settings

SIZES = {
    "Liu et al. 2019, arXiv:1907.11692": {
        "roberta-base": _encoder(50265, 768, 12, 12, n_segments=1, eps=1e-5),
        "roberta-large": _encoder(50265, 1024, 24, 16, n_segments=1, eps=1e-5),
    }
}

SKIPPED = 2  # rows before the first position

MODEL_TYPE = "roberta"
HEADS = {"RobertaModel": Transformer}
TENSORS = encoder_tensors("roberta") | {
    "positions.table.weight": Part("roberta.embeddings.position_embeddings.weight", skipped=SKIPPED)
}
RENAMED = {
    r"^(embeddings|encoder|pooler)\.": r"roberta.\1.",  # the files of RobertaModel have no prefix
    r"LayerNorm\.gamma$": "LayerNorm.weight",
    r"LayerNorm\.beta$": "LayerNorm.bias",
}
COPIES = {
    "lm_head.decoder.weight": "roberta.embeddings.word_embeddings.weight",
    "lm_head.decoder.bias": "lm_head.bias",
}
IGNORED = [r"roberta\.embeddings\.position_ids", r"roberta\.pooler\.dense\.(weight|bias)", r"lm_head\..*"]


def config_from(said: Settings) -> Config:
    said.fixed(pad_token_id=SKIPPED - 1)
    return encoder_from(said, SKIPPED)


def config_to(config: Config) -> dict:
    return encoder_to(config, SKIPPED) | {"pad_token_id": SKIPPED - 1}
