"""Mistral 7B: Llama with grouped heads and, in its first version, a window of 4,096 positions in every layer."""

from functools import partial

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import llama
from .format import Settings, word_for

_mistral = partial(
    Config, d_model=4096, n_layers=32, n_heads=32, n_kv_heads=8, d_ff=14336, max_seq_len=32768, norm="rmsnorm",
    ffn="swiglu", bias=False, tied=False,
)  # fmt: skip

SIZES = {
    "Jiang et al. 2023, arXiv:2310.06825": {
        "mistral-7b-v0.1": _mistral(32000, positions="rope", window=4096),
        "mistral-7b-v0.3": _mistral(32768, positions={"name": "rope", "theta": 1e6}),
    }
}

MODEL_TYPE = "mistral"
HEADS = {"MistralForCausalLM": LM, "MistralModel": Transformer}
TENSORS, RENAMED, COPIES, IGNORED = llama.TENSORS, llama.RENAMED, llama.COPIES, llama.IGNORED


def config_from(said: Settings) -> Config:
    return Config(
        **llama.sizes_from(said) | dict(n_kv_heads=said.size("num_key_value_heads")),
        norm="rmsnorm",
        ffn=said.choice("hidden_act", llama.GATED, "silu"),
        eps=said.number("rms_norm_eps", 1e-6),
        window=said.size("sliding_window", None) if "sliding_window" in said.said else 4096,  # null: none
        bias=False,
        tied=said.flag("tie_word_embeddings", False),
    )


def config_to(config: Config) -> dict:
    return llama.sizes_to(config) | {
        "hidden_act": word_for(config.ffn, FFNS, llama.GATED),
        "rms_norm_eps": float(config.eps),
        "sliding_window": config.windows[0],
    }
