"""BERT: the encoder that most others are told from; post-norm, learned positions, two kinds of segments, a masked LM.

Its checkpoints may hold more than their architecture asks for: the published bert-base-uncased says BertForMaskedLM and
has the head for the next sentence too. What is not asked for is ignored by name. Positions count real tokens here, and
places in the row there, which differs where padding stands on the left: give transformers position_ids then.
"""

from functools import partial

from torch import nn

from ..config import Config
from ..ffn import FFNS
from ..heads import MaskedLM, NextSentence, Pretraining, SpanFinder
from ..model import Transformer
from .format import Settings, weight_and_bias, width_of, word_for

encoder = partial(
    Config, residual="post", final_norm=False, embed_norm=True, eps=1e-12, causal=False, max_seq_len=512, init="bert"
)

SIZES = {
    "Devlin et al. 2018, arXiv:1810.04805": {
        "bert-base": encoder(30522, 768, 12, 12, n_segments=2),
        "bert-large": encoder(30522, 1024, 24, 16, n_segments=2),
    }
}


def encoder_tensors(prefix: str) -> dict[str, str]:
    """The rows of an encoder of BERT's kind."""
    block = f"{prefix}.encoder.layer.{{}}"
    norms_and_maps = {
        "embed_norm": f"{prefix}.embeddings.LayerNorm",
        "blocks.{}.attn.q_proj": f"{block}.attention.self.query",
        "blocks.{}.attn.k_proj": f"{block}.attention.self.key",
        "blocks.{}.attn.v_proj": f"{block}.attention.self.value",
        "blocks.{}.attn.o_proj": f"{block}.attention.output.dense",
        "blocks.{}.attn_residual.norm": f"{block}.attention.output.LayerNorm",
        "blocks.{}.ffn.up_proj": f"{block}.intermediate.dense",
        "blocks.{}.ffn.down_proj": f"{block}.output.dense",
        "blocks.{}.ffn_residual.norm": f"{block}.output.LayerNorm",
    }
    return {
        "embed.weight": f"{prefix}.embeddings.word_embeddings.weight",
        "positions.table.weight": f"{prefix}.embeddings.position_embeddings.weight",
        "segments.weight": f"{prefix}.embeddings.token_type_embeddings.weight",
    } | weight_and_bias(norms_and_maps)


def head_tensors(model: nn.Module, predictions: str, transform: str, norm: str) -> dict[str, str]:
    """The rows of a masked LM: where its scores, its dense map and its norm stand; of a head for spans."""
    if isinstance(model, SpanFinder):
        return weight_and_bias({"head": "qa_outputs"})
    # Tied, the matrix is the embedding's and the bias stands alone; untied, that lone bias is there but not used.
    untied = {"head.weight": f"{predictions}.decoder.weight", "bias": f"{predictions}.decoder.bias"}
    rows = {"bias": f"{predictions}.bias"} if model.config.tied else untied
    return rows | weight_and_bias({"dense": transform, "norm": norm})


def tensors_of(model: nn.Module) -> dict[str, str]:
    rows = encoder_tensors("bert") | weight_and_bias({"pooler": "bert.pooler.dense"})
    if isinstance(model, NextSentence):
        return rows | weight_and_bias({"head": "cls.seq_relationship"})
    transform = "cls.predictions.transform"
    head = head_tensors(model, "cls.predictions", f"{transform}.dense", f"{transform}.LayerNorm")
    return rows | head | weight_and_bias({"next_sentence": "cls.seq_relationship"})


MODEL_TYPE = "bert"
HEADS = {
    "BertModel": Transformer,
    "BertForMaskedLM": MaskedLM,
    "BertForPreTraining": Pretraining,
    "BertForNextSentencePrediction": NextSentence,
    "BertForQuestionAnswering": SpanFinder,
}
TENSORS = tensors_of
OLD_NAMES = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}  # from TensorFlow
RENAMED = {r"^(embeddings|encoder|pooler)\.": r"bert.\1."} | OLD_NAMES  # the files of BertModel have no prefix
COPIES = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}
IGNORED = [
    r"bert\.embeddings\.position_ids",
    r"bert\.pooler\.dense\.(weight|bias)",
    r"cls\.predictions\.(bias|(decoder|transform\.dense|transform\.LayerNorm)\.(weight|bias))",
    r"cls\.seq_relationship\.(weight|bias)",
]

ACTIVATIONS = {"gelu": "gelu", "relu": "relu", "gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}


def encoder_from(said: Settings, skipped: int = 0) -> Config:
    """What BERT and the encoders after it say in the same words."""
    said.fixed(is_decoder=False, add_cross_attention=False, position_embedding_type="absolute")
    return encoder(
        vocab_size=said.size("vocab_size"),
        d_model=said.size("hidden_size"),
        n_layers=said.layers("num_hidden_layers"),
        n_heads=said.size("num_attention_heads"),
        d_ff=said.size("intermediate_size"),
        max_seq_len=said.size("max_position_embeddings", least=1 + skipped) - skipped,
        ffn=said.choice("hidden_act", ACTIVATIONS, "gelu"),
        n_segments=said.size("type_vocab_size"),
        eps=said.number("layer_norm_eps", 1e-12),
        tied=said.flag("tie_word_embeddings", True),
    )


def encoder_to(config: Config, skipped: int = 0) -> dict:
    """The inverse of `encoder_from`."""
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "intermediate_size": width_of(config),
        "max_position_embeddings": config.max_seq_len + skipped,
        "hidden_act": word_for(config.ffn, FFNS, ACTIVATIONS),
        "type_vocab_size": config.n_segments,
        "layer_norm_eps": float(config.eps),
        "tie_word_embeddings": config.tied,
    }


config_from, config_to = encoder_from, encoder_to
