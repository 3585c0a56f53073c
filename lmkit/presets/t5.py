"""T5: an encoder-decoder with relative positions, RMSNorm, no biases, and scores that are not divided by √d_head.

Version 1.0 has ReLU, and one matrix for both embeddings and the head, before which the stream is divided by √d_model.
Version 1.1 has a gated GELU, a head of its own, and divides nothing. A text to decode begins with the id of padding, 0,
and ends with 1: the caller puts the one in front and stops at the other.
"""

from functools import partial

from torch import nn

from ..config import Config
from ..ffn import FFNS
from ..heads import LM
from ..model import EncoderDecoder
from ..positions import POSITIONS
from .format import Settings, component_of, width_of, word_for

RELATIVE = {"name": "relative", "n_buckets": 32, "max_distance": 128}
UNSCALED = {"name": "dot_product", "scale": 1.0}

_t5 = partial(Config, max_seq_len=512, norm="rmsnorm", positions=RELATIVE, attention=UNSCALED, bias=False, eps=1e-6)


def _1_0(d_model: int, n_layers: int, n_heads: int, d_ff: int, d_head: int = 64) -> Config:
    how = dict(n_encoder_layers=n_layers, d_head=d_head, d_ff=d_ff, ffn="relu", logit_scale=d_model**-0.5)
    return _t5(32128, d_model, n_layers, n_heads, **how)


def _1_1(d_model: int, n_layers: int, n_heads: int, d_ff: int) -> Config:
    how = dict(n_encoder_layers=n_layers, d_head=64, d_ff=d_ff, ffn="geglu_tanh", tied=False)
    return _t5(32128, d_model, n_layers, n_heads, **how)


SIZES = {
    "Raffel et al. 2019, arXiv:1910.10683": {
        "t5-small": _1_0(512, 6, 8, 2048),
        "t5-base": _1_0(768, 12, 12, 3072),
        "t5-large": _1_0(1024, 24, 16, 4096),
        "t5-3b": _1_0(1024, 24, 32, 16384, d_head=128),
        "t5-11b": _1_0(1024, 24, 128, 65536, d_head=128),
    },
    "Google 2020, T5 1.1, github.com/google-research/text-to-text-transfer-transformer": {
        "t5-v1.1-small": _1_1(512, 8, 6, 1024),
        "t5-v1.1-base": _1_1(768, 12, 12, 2048),
        "t5-v1.1-large": _1_1(1024, 24, 16, 2816),
        "t5-v1.1-xl": _1_1(2048, 24, 32, 5120),
        "t5-v1.1-xxl": _1_1(4096, 24, 64, 10240),
    },
}

MODEL_TYPE = "t5"
HEADS = {"T5ForConditionalGeneration": LM, "T5WithLMHeadModel": LM, "T5Model": EncoderDecoder}
RENAMED = {}
COPIES = dict.fromkeys(
    ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"], "shared.weight"
)
IGNORED = [r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight"]  # unused there too

PLAIN = {"relu": "relu", "gelu": "gelu", "gelu_new": "gelu_tanh"}
GATED = {"gated-gelu": "geglu_tanh", "gated-silu": "swiglu"}  # gated-gelu is the tanh approximation there


def tensors_of(model: nn.Module) -> dict[str, str]:
    """The rows of both stacks; a gated network has other names than a plain one."""
    gated = word_for(model.config.ffn, FFNS, PLAIN | GATED) in GATED
    maps = {"gate_proj": "wi_0", "up_proj": "wi_1" if gated else "wi", "down_proj": "wo"}
    rows = {"encoder.embed.weight": "shared.weight", "head.weight": "lm_head.weight"}
    for side, last in (("encoder", 1), ("decoder", 2)):
        ours, theirs = f"{side}.blocks.{{}}", f"{side}.block.{{}}.layer"
        rows |= {
            f"{side}.positions.table.weight": f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            f"{side}.final_norm.weight": f"{side}.final_layer_norm.weight",
            f"{ours}.attn_residual.norm.weight": f"{theirs}.0.layer_norm.weight",
            f"{ours}.cross_residual.norm.weight": f"{theirs}.1.layer_norm.weight",
            f"{ours}.ffn_residual.norm.weight": f"{theirs}.{last}.layer_norm.weight",
        }
        for part in "qkvo":
            rows[f"{ours}.attn.{part}_proj.weight"] = f"{theirs}.0.SelfAttention.{part}.weight"
            rows[f"{ours}.cross.{part}_proj.weight"] = f"{theirs}.1.EncDecAttention.{part}.weight"
        for part, name in maps.items():
            rows[f"{ours}.ffn.{part}.weight"] = f"{theirs}.{last}.DenseReluDense.{name}.weight"
    return rows


TENSORS = tensors_of


def config_from(said: Settings) -> Config:
    d_model, n_layers = said.size("d_model"), said.layers("num_layers")
    tied = said.flag("tie_word_embeddings", True)
    scaled = said.flag("scale_decoder_outputs", tied)
    # transformers since 5.0 writes tie_word_embeddings=true into every file, untied as it may be
    tied = tied and (scaled or "lm_head.weight" not in said.tensors)
    ffn, word = said.choice("feed_forward_proj", PLAIN | GATED, "relu"), said.get("feed_forward_proj", "relu")
    act = {"gated-gelu": "gelu_new"}.get(word, word.removeprefix("gated-"))
    said.fixed(is_decoder=False, is_gated_act=word in GATED, dense_act_fn=act)
    return _t5(
        vocab_size=said.size("vocab_size"),
        d_model=d_model,
        n_layers=said.layers("num_decoder_layers", n_layers),
        n_encoder_layers=n_layers,
        n_heads=said.size("num_heads"),
        d_head=said.size("d_kv"),
        d_ff=said.size("d_ff"),
        max_seq_len=said.size("n_positions", 512),
        positions={
            "name": "relative",
            "n_buckets": said.size("relative_attention_num_buckets", 32),
            "max_distance": said.size("relative_attention_max_distance", 128),
        },
        ffn=ffn,
        eps=said.number("layer_norm_epsilon", 1e-6),
        tied=tied,
        logit_scale=d_model**-0.5 if scaled else 1.0,
    )


def config_to(config: Config) -> dict:
    _, how = component_of(config.positions, POSITIONS)
    return {
        "is_encoder_decoder": True,
        "vocab_size": config.vocab_size,
        "d_model": config.d_model,
        "num_layers": config.n_encoder_layers,
        "num_decoder_layers": config.n_layers,
        "num_heads": config.n_heads,
        "d_kv": config.d_head or config.d_model // config.n_heads,
        "d_ff": width_of(config),
        "n_positions": config.max_seq_len,
        "relative_attention_num_buckets": how.get("n_buckets"),
        "relative_attention_max_distance": how.get("max_distance"),
        "feed_forward_proj": word_for(config.ffn, FFNS, PLAIN | GATED),
        "layer_norm_epsilon": float(config.eps),
        "tie_word_embeddings": config.tied,
        "scale_decoder_outputs": config.logit_scale != 1,
        "pad_token_id": 0,
        "decoder_start_token_id": 0,
    }
