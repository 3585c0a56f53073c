"""Gemma 2: Gemma with a norm before and after each sublayer, soft caps on scores and logits, and a window in every
other layer."""

from functools import partial

from ..attention import ATTENTIONS
from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import gemma, llama, qwen3
from .format import Settings, component_of, word_for


def _gemma2(d_model: int, scale: float | None = None, **sizes) -> Config:
    attention = {"name": "dot_product", "soft_cap": 50.0} | ({} if scale is None else {"scale": scale})
    return _shared(d_model=d_model, embed_scale=d_model**0.5, attention=attention, **sizes)


_shared = partial(
    Config, 256000, max_seq_len=8192, norm="rmsnorm_plus_one", positions="rope", ffn="geglu_tanh", residual="sandwich",
    window=(4096, None), bias=False, eps=1e-6, logit_soft_cap=30.0,
)  # fmt: skip

SIZES = {
    "Gemma Team 2024, arXiv:2408.00118": {
        "gemma-2-2b": _gemma2(2304, n_layers=26, n_heads=8, n_kv_heads=4, d_head=256, d_ff=9216),
        "gemma-2-9b": _gemma2(3584, n_layers=42, n_heads=16, n_kv_heads=8, d_head=256, d_ff=14336),
        # its scores are divided by √(d_model / n_heads), not by √d_head
        "gemma-2-27b": _gemma2(4608, 144**-0.5, n_layers=46, n_heads=32, n_kv_heads=16, d_head=128, d_ff=36864),
    }
}

MODEL_TYPE = "gemma2"
HEADS = {"Gemma2ForCausalLM": LM, "Gemma2Model": Transformer}
RENAMED, COPIES, IGNORED = llama.RENAMED, llama.COPIES, llama.IGNORED
TENSORS = llama.TENSORS | {
    "blocks.{}.attn_residual.out_norm.weight": "model.layers.{}.post_attention_layernorm.weight",
    "blocks.{}.ffn_residual.norm.weight": "model.layers.{}.pre_feedforward_layernorm.weight",
    "blocks.{}.ffn_residual.out_norm.weight": "model.layers.{}.post_feedforward_layernorm.weight",
}


def config_from(said: Settings) -> Config:
    shared = gemma.shared_from(said)
    attention = {"name": "dot_product"}
    if (divisor := said.number("query_pre_attn_scalar", 256)) != shared["d_head"]:
        attention["scale"] = divisor**-0.5
    if (cap := cap_from(said, "attn_logit_softcapping", 50.0)) is not None:
        attention["soft_cap"] = cap
    kinds = [qwen3.KINDS_OF_LAYERS[layer % 2 == 0] for layer in range(shared["n_layers"])]
    return Config(
        **shared,
        residual="sandwich",
        attention=attention if len(attention) > 1 else "dot_product",
        window=qwen3.windows_from(said, said.size("sliding_window", 4096), kinds),
        logit_soft_cap=cap_from(said, "final_logit_softcapping", 30.0),
    )


def cap_from(said: Settings, name: str, usual: float) -> float | None:
    """null is no cap; what config.json does not mention is as usual."""
    return said.number(name, None if name in said.said else usual)


def config_to(config: Config) -> dict:
    _, how = component_of(config.attention, ATTENTIONS)
    scale, cap, final_cap = how.get("scale"), how.get("soft_cap"), config.logit_soft_cap
    said = llama.sizes_to(config) | qwen3.windows_to(config)
    return said | {
        "hidden_activation": word_for(config.ffn, FFNS, gemma.GATED),
        "rms_norm_eps": float(config.eps),
        "attention_bias": False,
        "query_pre_attn_scalar": said["head_dim"] if scale is None else round(scale**-2),
        "attn_logit_softcapping": None if cap is None else float(cap),
        "final_logit_softcapping": None if final_cap is None else float(final_cap),
    }
