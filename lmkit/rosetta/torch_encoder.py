"""lmkit's blocks as torch.nn.TransformerEncoder, and back.

What PyTorch calls an encoder is the stack of blocks alone, for any mask: it starts after the embedding. Three of its
conventions differ: a mask says who may NOT attend, q, k and v share one matrix, and dropout is 0.1 unless told.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..masks import causal_mask, padding_mask
from ..model import Config, Transformer
from . import translatable

LANGUAGE = "torch.nn.TransformerEncoder"


def gelu_tanh(x: Tensor) -> Tensor:
    """GPT-2's GELU, which torch has no name for where a layer asks for its activation."""
    return F.gelu(x, approximate="tanh")


ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "gelu_tanh": gelu_tanh}
KNOWN = {
    "residual": ("pre", "post"),
    "ffn": tuple(ACTIVATIONS),
    "positions": ("none", "learned", "sinusoidal"),  # those that act before the first block
}
OUTSIDE = {"n_segments", "embed_norm", "embed_scale", "tied", "logit_scale", "logit_soft_cap"}
# Theirs, for weight and bias: ours, of which several are laid one below the other.
LAYER = {
    "self_attn.in_proj_{}": ["attn.q_proj.{}", "attn.k_proj.{}", "attn.v_proj.{}"],
    "self_attn.out_proj.{}": ["attn.o_proj.{}"],
    "norm1.{}": ["attn_residual.norm.{}"],
    "linear1.{}": ["ffn.up_proj.{}"],
    "linear2.{}": ["ffn.down_proj.{}"],
    "norm2.{}": ["ffn_residual.norm.{}"],
}


def names(config: Config) -> dict[str, list[str]]:
    """The table for a whole model: each name of theirs with ours."""
    table = {
        f"layers.{n}.{theirs}": [f"blocks.{n}.{name}" for name in ours]
        for n in range(config.n_layers)
        for theirs, ours in LAYER.items()
    }
    if config.final_norm:
        table["norm.{}"] = ["final_norm.{}"]
    pairs = [(theirs, ours, kind) for theirs, ours in table.items() for kind in ("weight", "bias")]
    return {theirs.format(kind): [name.format(kind) for name in ours] for theirs, ours, kind in pairs}


def to_torch(model: Transformer) -> nn.TransformerEncoder:
    """The encoder that makes of the first block's input, (B, T, d_model), what `model` makes of it; see `torch_mask`.

    Raises a ValueError for what its layers cannot express: rotary positions, grouped heads, gated networks, ...
    """
    if not isinstance(model, Transformer):
        raise TypeError(f"to_torch takes a Transformer (a language model's is its body), not {type(model).__name__}")
    c, weights = translatable(model.config, LANGUAGE, KNOWN, OUTSIDE), model.state_dict()
    d_ff = len(weights["blocks.0.ffn.up_proj.weight"])
    layer = nn.TransformerEncoderLayer(
        c.d_model, c.n_heads, d_ff, dropout=0.0, activation=ACTIVATIONS[c.ffn], layer_norm_eps=c.eps,
        batch_first=True, norm_first=c.residual == "pre",
    )  # fmt: skip
    norm = nn.LayerNorm(c.d_model, eps=c.eps) if c.final_norm else None
    # A nested tensor would cut off columns that are padding in every row, and so return another T than it was given.
    encoder = nn.TransformerEncoder(layer, c.n_layers, norm, enable_nested_tensor=False).to(model.embed.weight)
    encoder.load_state_dict({theirs: torch.cat([weights[name] for name in ours]) for theirs, ours in names(c).items()})
    return encoder.train(model.training)


def torch_mask(config: Config, real: Tensor) -> Tensor:
    """Who may see whom, in torch's meaning, True = may NOT attend: to_torch(model)(x, mask=torch_mask(config, real)).

    `real` (B, T) is True for a token, as everywhere in lmkit -> (B * n_heads, T, T). What padding sees has no meaning,
    so each position may see itself: a query that sees nothing becomes NaN in torch's inference path, and NaN spreads.
    """
    pos = torch.arange(real.shape[1], device=real.device)
    allowed = padding_mask(real)  # (B, 1, 1, T)
    if config.causal:
        allowed = allowed & causal_mask(pos, pos)  # (B, 1, T, T)
    allowed = allowed | (pos[:, None] == pos)  # (B, 1, T, T)
    return ~allowed.expand(-1, config.n_heads, -1, -1).flatten(0, 1)


def choices_of(layer: nn.TransformerEncoderLayer) -> dict:
    """What a layer says about itself, in the words of Config."""
    if not isinstance(layer, nn.TransformerEncoderLayer):
        raise TypeError(f"from_torch reads layers of the class TransformerEncoderLayer, not {type(layer).__name__}")
    ffn = next((name for name, activation in ACTIVATIONS.items() if activation is layer.activation), None)
    if ffn is None:
        raise ValueError(f"the activation is {layer.activation}; expected one of {list(ACTIVATIONS)} as a function")
    return dict(
        d_model=layer.self_attn.embed_dim, n_heads=layer.self_attn.num_heads, d_ff=layer.linear1.out_features,
        ffn=ffn, residual="pre" if layer.norm_first else "post", eps=layer.norm1.eps,
    )  # fmt: skip


def from_torch(encoder: nn.TransformerEncoder | nn.TransformerEncoderLayer, vocab_size: int, **choices) -> Transformer:
    """A Transformer whose blocks are the layers of `encoder`, or that one layer: the way back of `to_torch`.

    `choices` are those of Config that an encoder does not know: positions, causal, max_seq_len, ... The embedding is
    drawn anew. lmkit has no dropout, so outputs are equal in eval mode. Raises a ValueError for layers that differ,
    have no biases or other activations, and for a last norm that is no LayerNorm like theirs.
    """
    if isinstance(encoder, nn.TransformerEncoderLayer):
        encoder = nn.TransformerEncoder(encoder, 1, enable_nested_tensor=False)
    said = [choices_of(layer) for layer in encoder.layers]
    eps = {norm.eps for norm in encoder.modules() if isinstance(norm, nn.LayerNorm)}
    if any(other != said[0] for other in said) or len(eps) > 1:
        raise ValueError(f"lmkit's layers are alike, and so is eps in all their norms; these say {said}, eps {eps}")
    config = Config(vocab_size, **said[0], n_layers=len(said), final_norm=encoder.norm is not None, **choices)
    table, theirs = names(translatable(config, LANGUAGE, KNOWN, OUTSIDE)), encoder.state_dict()
    if table.keys() != theirs.keys():
        raise ValueError(f"only one side has these weights: {sorted(table.keys() ^ theirs.keys())}")
    model = Transformer(config).to(next(encoder.parameters()))
    weights = model.state_dict()
    for name, ours in table.items():
        weights |= zip(ours, theirs[name].chunk(len(ours)))
    model.load_state_dict(weights)
    return model.train(encoder.training)
