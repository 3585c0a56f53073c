"""Arcee's foundation models: Llama with a plain feed-forward network, so the home of what has RMSNorm, rotary positions
and no gate. Arcee AI 2025, AFM-4.5B; its own activation is relu²."""

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import llama
from .format import Settings, word_for

SIZES = {}

MODEL_TYPE = "arcee"
HEADS = {"ArceeForCausalLM": LM, "ArceeModel": Transformer}
TENSORS, RENAMED, COPIES, IGNORED = llama.TENSORS, llama.RENAMED, llama.COPIES, llama.IGNORED
PLAIN = {"relu2": "relu2", "gelu": "gelu", "gelu_pytorch_tanh": "gelu_tanh", "gelu_new": "gelu_tanh", "relu": "relu"}


def config_from(said: Settings) -> Config:
    return Config(
        **llama.sizes_from(said),
        norm="rmsnorm",
        ffn=said.choice("hidden_act", PLAIN, "relu2"),
        eps=said.number("rms_norm_eps", 1e-5),
        bias=llama.bias_from(said),
        tied=said.flag("tie_word_embeddings", False),
    )


def config_to(config: Config) -> dict:
    return llama.sizes_to(config) | {
        "hidden_act": word_for(config.ffn, FFNS, PLAIN),
        "rms_norm_eps": float(config.eps),
        "attention_bias": config.bias,
        "mlp_bias": config.bias,
    }
