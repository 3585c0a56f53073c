"""GPT-2: the decoder that most later ones are told from; pre-norm, learned positions, tied head."""

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import Transformer
from .format import Part, Settings, width_of, word_for

SIZES = {
    "Radford et al. 2019, Language models are unsupervised multitask learners": {
        "gpt2": Config(50257, 768, 12, 12, ffn="gelu_tanh"),
        "gpt2-medium": Config(50257, 1024, 24, 16, ffn="gelu_tanh"),
        "gpt2-large": Config(50257, 1280, 36, 20, ffn="gelu_tanh"),
        "gpt2-xl": Config(50257, 1600, 48, 25, ffn="gelu_tanh"),
    }
}

MODEL_TYPE = "gpt2"
HEADS = {"GPT2LMHeadModel": LM, "GPT2Model": Transformer}
TENSORS = {
    "embed.weight": "transformer.wte.weight",
    "positions.table.weight": "transformer.wpe.weight",
    "blocks.{}.attn_residual.norm.weight": "transformer.h.{}.ln_1.weight",
    "blocks.{}.attn_residual.norm.bias": "transformer.h.{}.ln_1.bias",
    # q, k and v stand side by side, and all matrices are stored as (inputs, outputs).
    "blocks.{}.attn.q_proj.weight": Part("transformer.h.{}.attn.c_attn.weight", transposed=True, part=0, parts=3),
    "blocks.{}.attn.k_proj.weight": Part("transformer.h.{}.attn.c_attn.weight", transposed=True, part=1, parts=3),
    "blocks.{}.attn.v_proj.weight": Part("transformer.h.{}.attn.c_attn.weight", transposed=True, part=2, parts=3),
    "blocks.{}.attn.q_proj.bias": Part("transformer.h.{}.attn.c_attn.bias", part=0, parts=3),
    "blocks.{}.attn.k_proj.bias": Part("transformer.h.{}.attn.c_attn.bias", part=1, parts=3),
    "blocks.{}.attn.v_proj.bias": Part("transformer.h.{}.attn.c_attn.bias", part=2, parts=3),
    "blocks.{}.attn.o_proj.weight": Part("transformer.h.{}.attn.c_proj.weight", transposed=True),
    "blocks.{}.attn.o_proj.bias": "transformer.h.{}.attn.c_proj.bias",
    "blocks.{}.ffn_residual.norm.weight": "transformer.h.{}.ln_2.weight",
    "blocks.{}.ffn_residual.norm.bias": "transformer.h.{}.ln_2.bias",
    "blocks.{}.ffn.up_proj.weight": Part("transformer.h.{}.mlp.c_fc.weight", transposed=True),
    "blocks.{}.ffn.up_proj.bias": "transformer.h.{}.mlp.c_fc.bias",
    "blocks.{}.ffn.down_proj.weight": Part("transformer.h.{}.mlp.c_proj.weight", transposed=True),
    "blocks.{}.ffn.down_proj.bias": "transformer.h.{}.mlp.c_proj.bias",
    "final_norm.weight": "transformer.ln_f.weight",
    "final_norm.bias": "transformer.ln_f.bias",
    "head.weight": "lm_head.weight",
}
RENAMED = {r"^(wte|wpe|h|ln_f)\.": r"transformer.\1."}  # the first files, and those of GPT2Model, have no prefix
COPIES = {"lm_head.weight": "transformer.wte.weight"}
IGNORED = [r"transformer\.h\.\d+\.attn\.(bias|masked_bias)"]  # the causal mask, which is computed here

ACTIVATIONS = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu": "gelu", "relu": "relu"}


def config_from(said: Settings) -> Config:
    said.fixed(
        scale_attn_weights=True,
        scale_attn_by_inverse_layer_idx=False,
        add_cross_attention=False,
        reorder_and_upcast_attn=False,
        n_ctx=said.size("n_positions"),
    )
    return Config(
        vocab_size=said.size("vocab_size"),
        d_model=said.size("n_embd"),
        n_layers=said.layers("n_layer"),
        n_heads=said.size("n_head"),
        d_ff=said.size("n_inner", None),
        max_seq_len=said.size("n_positions"),
        ffn=said.choice("activation_function", ACTIVATIONS, "gelu_new"),
        eps=said.number("layer_norm_epsilon", 1e-5),
        tied=said.flag("tie_word_embeddings", True),
    )


def config_to(config: Config) -> dict:
    return {
        "vocab_size": config.vocab_size,
        "n_embd": config.d_model,
        "n_layer": config.n_layers,
        "n_head": config.n_heads,
        "n_inner": width_of(config),
        "n_positions": config.max_seq_len,
        "activation_function": word_for(config.ffn, FFNS, ACTIVATIONS),
        "layer_norm_epsilon": float(config.eps),
        "tie_word_embeddings": config.tied,
    }
