"""StarCoder2: GPT-2's norms, feed-forward network and biases with rotary positions, grouped heads and a window."""

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from . import llama
from .arcee import PLAIN
from .format import Settings, word_for

SIZES = {
    "Lozhkov et al. 2024, arXiv:2402.19173": {
        "starcoder2-3b": Config(
            49152, 3072, 30, 24, 2, d_ff=12288, max_seq_len=16384, window=4096, ffn="gelu_tanh",
            positions={"name": "rope", "theta": 999999.4420358813},
        )
    }
}  # fmt: skip

MODEL_TYPE = "starcoder2"
HEADS = {"Starcoder2ForCausalLM": LM, "Starcoder2Model": Transformer}
RENAMED, COPIES, IGNORED = llama.RENAMED, llama.COPIES, llama.IGNORED
TENSORS = llama.TENSORS | {
    "blocks.{}.attn_residual.norm.bias": "model.layers.{}.input_layernorm.bias",
    "blocks.{}.ffn_residual.norm.bias": "model.layers.{}.post_attention_layernorm.bias",
    "blocks.{}.ffn.up_proj.weight": "model.layers.{}.mlp.c_fc.weight",
    "blocks.{}.ffn.up_proj.bias": "model.layers.{}.mlp.c_fc.bias",
    "blocks.{}.ffn.down_proj.weight": "model.layers.{}.mlp.c_proj.weight",
    "blocks.{}.ffn.down_proj.bias": "model.layers.{}.mlp.c_proj.bias",
    "final_norm.bias": "model.norm.bias",
}


def config_from(said: Settings) -> Config:
    said.fixed(norm_type="layer_norm", mlp_type="default", scale_attn_weights=True)
    for left_over in ("activation_function", "layer_norm_epsilon"):  # from StarCoder; nobody follows them
        said.get(left_over)
    return Config(
        **llama.sizes_from(said) | dict(n_kv_heads=said.size("num_key_value_heads")),
        ffn=said.choice("hidden_act", PLAIN, "gelu_pytorch_tanh"),
        eps=said.number("norm_epsilon", 1e-5),
        window=said.size("sliding_window", None),
        bias=said.flag("use_bias", True),
        tied=said.flag("tie_word_embeddings", True),
    )


def config_to(config: Config) -> dict:
    return llama.sizes_to(config) | {
        "hidden_act": word_for(config.ffn, FFNS, PLAIN),
        "norm_epsilon": float(config.eps),
        "sliding_window": config.windows[0],
        "use_bias": config.bias,
    }
