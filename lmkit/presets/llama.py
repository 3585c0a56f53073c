"""Llama 2 and 3: pre-norm with RMSNorm, rotary positions, SwiGLU, no biases; grouped heads in the larger ones."""

from functools import partial

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from .format import Settings, width_of, word_for
from .rope import rope_from, rope_to

_llama = partial(Config, norm="rmsnorm", ffn="swiglu", bias=False)
_2 = partial(_llama, 32000, max_seq_len=4096, positions="rope", tied=False)
_3 = partial(_llama, 128256, n_kv_heads=8, max_seq_len=8192, positions={"name": "rope", "theta": 5e5}, tied=False)


def _longer(factor: float) -> dict:
    """8,192 trained positions, stretched to 131,072."""
    stretched = {"name": "rope_llama3", "theta": 5e5, "factor": factor, "fast": 4.0, "slow": 1.0, "trained_len": 8192}
    return dict(max_seq_len=131072, positions=stretched)


SIZES = {
    "Touvron et al. 2023, arXiv:2307.09288": {
        "llama-2-7b": _2(4096, 32, 32, d_ff=11008),
        "llama-2-13b": _2(5120, 40, 40, d_ff=13824),
        "llama-2-70b": _2(8192, 80, 64, 8, d_ff=28672),
    },
    "Grattafiori et al. 2024, arXiv:2407.21783": {
        "llama-3-8b": _3(4096, 32, 32, d_ff=14336),
        "llama-3-70b": _3(8192, 80, 64, d_ff=28672),
        "llama-3.1-8b": _3(4096, 32, 32, d_ff=14336, **_longer(8.0)),
        "llama-3.1-70b": _3(8192, 80, 64, d_ff=28672, **_longer(8.0)),
        "llama-3.1-405b": _3(16384, 126, 128, d_ff=53248, **_longer(8.0)),
    },
    "Meta 2024, Llama 3.2 model card": {
        "llama-3.2-1b": _3(2048, 16, 32, d_ff=8192, **_longer(32.0) | dict(tied=True)),
        "llama-3.2-3b": _3(3072, 28, 24, d_ff=8192, **_longer(32.0) | dict(tied=True)),
    },
}

MODEL_TYPE = "llama"
HEADS = {"LlamaForCausalLM": LM, "LlamaModel": Transformer}
TENSORS = {
    "embed.weight": "model.embed_tokens.weight",
    "blocks.{}.attn_residual.norm.weight": "model.layers.{}.input_layernorm.weight",
    "blocks.{}.ffn_residual.norm.weight": "model.layers.{}.post_attention_layernorm.weight",
    "final_norm.weight": "model.norm.weight",
    "head.weight": "lm_head.weight",
}
for _leaf in ("weight", "bias"):
    for _proj in ("q_proj", "k_proj", "v_proj", "o_proj"):
        TENSORS[f"blocks.{{}}.attn.{_proj}.{_leaf}"] = f"model.layers.{{}}.self_attn.{_proj}.{_leaf}"
    for _proj in ("gate_proj", "up_proj", "down_proj"):
        TENSORS[f"blocks.{{}}.ffn.{_proj}.{_leaf}"] = f"model.layers.{{}}.mlp.{_proj}.{_leaf}"
RENAMED = {r"^(embed_tokens|layers|norm)\.": r"model.\1."}
COPIES = {"lm_head.weight": "model.embed_tokens.weight"}
IGNORED = [r"model\.(layers\.\d+\.self_attn\.)?rotary_emb\.inv_freq"]  # frequencies, which are computed here

GATED = {"silu": "swiglu", "gelu": "geglu", "gelu_pytorch_tanh": "geglu_tanh"}


def sizes_from(said: Settings) -> dict:
    """What Llama and the families after it say in the same words."""
    return dict(
        vocab_size=said.size("vocab_size"),
        d_model=said.size("hidden_size"),
        n_layers=said.layers("num_hidden_layers"),
        n_heads=said.size("num_attention_heads"),
        n_kv_heads=said.size("num_key_value_heads", None),
        d_head=said.size("head_dim", None),
        d_ff=said.size("intermediate_size"),
        max_seq_len=said.size("max_position_embeddings"),
        positions=rope_from(said),
    )


def sizes_to(config: Config) -> dict:
    """The inverse of `sizes_from`."""
    return {
        "vocab_size": config.vocab_size,
        "hidden_size": config.d_model,
        "num_hidden_layers": config.n_layers,
        "num_attention_heads": config.n_heads,
        "num_key_value_heads": config.n_kv_heads or config.n_heads,
        "head_dim": config.d_head or config.d_model // config.n_heads,
        "intermediate_size": width_of(config),
        "max_position_embeddings": config.max_seq_len,
        "tie_word_embeddings": config.tied,
    } | rope_to(config)


def bias_from(said: Settings) -> bool:
    attention, ffn = said.flag("attention_bias", False), said.flag("mlp_bias", False)
    if attention != ffn:
        raise ValueError(f"{said.where} says attention_bias={attention}, mlp_bias={ffn}; lmkit has both or neither")
    return attention


def config_from(said: Settings) -> Config:
    return Config(
        **sizes_from(said),
        norm="rmsnorm",
        ffn=said.choice("hidden_act", GATED, "silu"),
        eps=said.number("rms_norm_eps", 1e-6),
        bias=bias_from(said),
        tied=said.flag("tie_word_embeddings", False),
    )


def config_to(config: Config) -> dict:
    return sizes_to(config) | {
        "hidden_act": word_for(config.ffn, FFNS, GATED),
        "rms_norm_eps": float(config.eps),
        "attention_bias": config.bias,
        "mlp_bias": config.bias,
    }
