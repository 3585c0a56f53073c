"""Gemma 1: Llama with norms that multiply by 1 + weight, embeddings scaled by √d_model, and GEGLU."""

from functools import partial

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import llama
from .format import Settings, word_for

_gemma = partial(
    Config, 256000, d_head=256, max_seq_len=8192, norm="rmsnorm_plus_one", positions="rope", ffn="geglu_tanh",
    bias=False, eps=1e-6,
)  # fmt: skip

SIZES = {
    "Gemma Team 2024, arXiv:2403.08295": {
        "gemma-2b": _gemma(d_model=2048, n_layers=18, n_heads=8, n_kv_heads=1, d_ff=16384, embed_scale=2048**0.5),
        "gemma-7b": _gemma(d_model=3072, n_layers=28, n_heads=16, d_ff=24576, embed_scale=3072**0.5),
    }
}

MODEL_TYPE = "gemma"
HEADS = {"GemmaForCausalLM": LM, "GemmaModel": Transformer}
TENSORS, RENAMED, COPIES, IGNORED = llama.TENSORS, llama.RENAMED, llama.COPIES, llama.IGNORED
GATED = {"gelu_pytorch_tanh": "geglu_tanh", "gelu_new": "geglu_tanh", "gelu": "geglu", "silu": "swiglu"}


def shared_from(said: Settings) -> dict:
    """What Gemma 1 and 2 have in common."""
    said.fixed(attention_bias=False, use_bidirectional_attention=False)
    sizes = llama.sizes_from(said) | dict(n_kv_heads=said.size("num_key_value_heads"), d_head=said.size("head_dim"))
    older = said.get("hidden_act", "gelu_pytorch_tanh")
    return sizes | dict(
        norm="rmsnorm_plus_one",
        ffn=said.choice("hidden_activation", GATED, older),
        eps=said.number("rms_norm_eps", 1e-6),
        embed_scale=sizes["d_model"] ** 0.5,
        bias=False,
        tied=said.flag("tie_word_embeddings", True),
    )


def config_from(said: Settings) -> Config:
    return Config(**shared_from(said))


def config_to(config: Config) -> dict:
    return llama.sizes_to(config) | {
        "hidden_act": word_for(config.ffn, FFNS, GATED),
        "rms_norm_eps": float(config.eps),
        "attention_bias": False,
    }
