"""Qwen3: Llama with each head's queries and keys normalized, before positions turn them; heads of 128 in all sizes."""

from functools import partial

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import llama
from .format import Settings, word_for

_qwen3 = partial(
    Config, 151936, d_head=128, n_kv_heads=8, max_seq_len=40960, norm="rmsnorm", qk_norm="rmsnorm", ffn="swiglu",
    positions={"name": "rope", "theta": 1e6}, bias=False, eps=1e-6,
)  # fmt: skip

SIZES = {
    "Yang et al. 2025, arXiv:2505.09388": {
        "qwen3-0.6b": _qwen3(d_model=1024, n_layers=28, n_heads=16, d_ff=3072),
        "qwen3-1.7b": _qwen3(d_model=2048, n_layers=28, n_heads=16, d_ff=6144),
        "qwen3-4b": _qwen3(d_model=2560, n_layers=36, n_heads=32, d_ff=9728),
        "qwen3-8b": _qwen3(d_model=4096, n_layers=36, n_heads=32, d_ff=12288, tied=False),
        "qwen3-14b": _qwen3(d_model=5120, n_layers=40, n_heads=40, d_ff=17408, tied=False),
        "qwen3-32b": _qwen3(d_model=5120, n_layers=64, n_heads=64, d_ff=25600, tied=False),
    }
}

MODEL_TYPE = "qwen3"
HEADS = {"Qwen3ForCausalLM": LM, "Qwen3Model": Transformer}
TENSORS = llama.TENSORS | {
    "blocks.{}.attn.q_norm.weight": "model.layers.{}.self_attn.q_norm.weight",
    "blocks.{}.attn.k_norm.weight": "model.layers.{}.self_attn.k_norm.weight",
}
RENAMED, COPIES, IGNORED = llama.RENAMED, llama.COPIES, llama.IGNORED
KINDS_OF_LAYERS = ["full_attention", "sliding_attention"]


def windows_from(said: Settings, window: int | None, default: list[str]) -> tuple[int | None, ...]:
    """The window of each layer; `default` are the kinds of layers where config.json names none."""
    kinds = said.get("layer_types", default)
    if not isinstance(kinds, list) or len(kinds) != len(default) or any(kind not in KINDS_OF_LAYERS for kind in kinds):
        expected = f"for each of {len(default)} layers one of {KINDS_OF_LAYERS}"
        raise ValueError(f"{said.where} says layer_types={kinds!r}; lmkit has {expected}")
    if window is None and "sliding_attention" in kinds:
        raise ValueError(f"{said.where} says layer_types with 'sliding_attention', but no sliding_window")
    return tuple(window if kind == "sliding_attention" else None for kind in kinds)


def windows_to(config: Config) -> dict:
    kinds = ["full_attention" if window is None else "sliding_attention" for window in config.windows]
    return {"sliding_window": next(filter(None, config.windows), None), "layer_types": kinds}


def config_from(said: Settings) -> Config:
    said.fixed(attention_bias=False)
    window = said.size("sliding_window", 4096)
    first = said.size("max_window_layers", 28, least=0)
    if not said.flag("use_sliding_window", False):
        window = None
    sizes = llama.sizes_from(said)
    kinds = [KINDS_OF_LAYERS[window is not None and layer >= first] for layer in range(sizes["n_layers"])]
    return Config(
        **sizes | dict(n_kv_heads=said.size("num_key_value_heads"), d_head=said.size("head_dim")),
        norm="rmsnorm",
        qk_norm="rmsnorm",
        ffn=said.choice("hidden_act", llama.GATED, "silu"),
        eps=said.number("rms_norm_eps", 1e-6),
        window=windows_from(said, window, kinds),
        bias=False,
        tied=said.flag("tie_word_embeddings", False),
    )


def config_to(config: Config) -> dict:
    windows = windows_to(config)
    others = {
        "hidden_act": word_for(config.ffn, FFNS, llama.GATED),
        "rms_norm_eps": float(config.eps),
        "attention_bias": False,
        "use_sliding_window": windows["sliding_window"] is not None,
    }
    return llama.sizes_to(config) | windows | others
