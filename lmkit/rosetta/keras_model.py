"""A Transformer in Keras's own layers, as tutorials write it, with their slips repaired; and lmkit's weights in it.

Every comment that begins with "was:" names a slip, and stands where it stood. Keras 3 runs on torch here, so that the
weights of both are torch's tensors. Its conventions: a kernel is (in, out), transposed; attention's kernels are split
by head; a mask is True where one may attend, as here; LayerNormalization adds 1e-3, not 1e-5, unless told.
"""

import os
import sys

import torch

from ..heads import LM
from ..model import Config
from . import translatable


def keras_on_torch():
    """Import keras with torch below it, or say why that cannot be had: it chooses once, when first imported."""
    if "keras" in sys.modules:
        backend = sys.modules["keras"].config.backend()
    else:
        backend = os.environ.setdefault("KERAS_BACKEND", "torch")
    if backend != "torch":
        raise ImportError(
            f"keras runs on {backend} here, not on torch: start Python anew (in a notebook, restart the kernel) and "
            f"set the environment variable KERAS_BACKEND=torch before anything imports keras"
        )
    import keras

    return keras


keras = keras_on_torch()
layers, ops = keras.layers, keras.ops

KNOWN = {
    "residual": ("post", "pre"),
    "ffn": ("relu", "gelu"),
    "positions": ("sinusoidal", "learned"),
    "tied": (False,),  # the head is a Dense layer of its own
}
# was: without from_logits=True, which takes the logits for probabilities. With model.fit(ids[:, :-1], ids[:, 1:]).
next_token_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class PositionalEncoding(layers.Layer):
    """sin and cos of pos / 10000^(2i / d_model) by turns. Vaswani et al. 2017, arXiv:1706.03762."""

    # was: used, but defined nowhere.
    def __init__(self, d_model: int):
        super().__init__()
        self.d_model = d_model

    def call(self, pos):
        """pos (B, T) -> (B, T, d_model)"""
        freq = 10_000 ** (-ops.arange(0, self.d_model, 2, dtype="float32") / self.d_model)  # (d_model / 2)
        angle = ops.cast(pos, "float32")[..., None] * freq
        pairs = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
        return ops.reshape(pairs, (*pos.shape, -1))[..., : self.d_model]  # an odd width ends in a sine


class TransformerBlock(layers.Layer):
    """Attention, then a feed-forward network, each joined to the stream it read from."""

    def __init__(self, config: Config, dropout: float = 0.1):
        super().__init__()
        c = self.config = config
        # was: MultiHeadAttention(d_model=...), which it does not take: key_dim is the width of one head.
        self.attn = layers.MultiHeadAttention(c.n_heads, key_dim=c.d_head or c.d_model // c.n_heads)
        self.up_proj = layers.Dense(c.d_ff or 4 * c.d_model, activation=c.ffn)
        self.down_proj = layers.Dense(c.d_model)
        self.attn_norm = layers.LayerNormalization(epsilon=c.eps)
        self.ffn_norm = layers.LayerNormalization(epsilon=c.eps)
        self.dropout = layers.Dropout(dropout)

    def call(self, x, real):
        # was: no mask at all, so that a model meant to generate saw the tokens it was to guess, and the padding.
        may = dict(attention_mask=real[:, None, :], use_causal_mask=self.config.causal)
        x = self.join(x, lambda y: self.attn(y, y, **may), self.attn_norm)  # (B, T, d_model)
        return self.join(x, lambda y: self.down_proj(self.up_proj(y)), self.ffn_norm)  # (B, T, d_model)

    def join(self, x, sublayer, norm):
        # was: "before the FFN" in the text, after the sum in the code. Both are good models, and not the same one.
        if self.config.residual == "pre":
            return x + self.dropout(sublayer(norm(x)))  # (B, T, d_model)
        return norm(x + self.dropout(sublayer(x)))  # (B, T, d_model)


class Transformer(keras.Model):
    """Token ids (B, T) -> logits (B, T, vocab_size): embedding, positions, blocks, a Dense head.

    The usual tutorial's is Config(positions="sinusoidal", ffn="relu", residual="post", final_norm=False, tied=False,
    embed_scale=sqrt(d_model), ...). Raises a ValueError for what KNOWN does not list.
    """

    def __init__(self, config: Config, dropout: float = 0.1):
        super().__init__()
        c = self.config = translatable(config, "the Keras Transformer", KNOWN, {"embed_scale", "d_head"})
        learned = c.positions == "learned"
        self.embed = layers.Embedding(c.vocab_size, c.d_model)
        self.positions = layers.Embedding(c.max_seq_len, c.d_model) if learned else PositionalEncoding(c.d_model)
        self.dropout = layers.Dropout(dropout)
        self.blocks = [TransformerBlock(c, dropout) for _ in range(c.n_layers)]
        self.final_norm = layers.LayerNormalization(epsilon=c.eps) if c.final_norm else layers.Identity()
        self.head = layers.Dense(c.vocab_size, use_bias=False)
        self(ops.zeros((1, 1), dtype="int32"))  # Keras makes the weights at the first call

    def call(self, ids, real=None):
        """`real` (B, T) is True for a token, False for padding on either side, which counts as no position."""
        real = ops.ones_like(ids, dtype="bool") if real is None else real
        tokens = ops.cast(real, "int32")  # (B, T)
        pos = ops.cumsum(tokens, axis=1) - tokens  # (B, T)
        x = self.embed(ids) * self.config.embed_scale  # was: x *= sqrt(dtype). sqrt(d_model) was meant.
        x = self.dropout(x + self.positions(pos))  # (B, T, d_model)
        for block in self.blocks:  # was: Encoder(input) + Encoder(output), a sum. Each block reads what the last wrote.
            x = block(x, real)  # (B, T, d_model)
        return self.head(self.final_norm(x))  # (B, T, vocab_size)


# Keras's names of weights: ours.
KINDS = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias", "embeddings": "weight"}


def table(model: Transformer) -> dict[str, keras.Variable]:
    """lmkit's name of every weight, with the Keras variable that holds it."""
    rows = {"body.embed": model.embed, "body.positions.table": model.positions, "body.final_norm": model.final_norm}
    for n, block in enumerate(model.blocks):
        rows |= {
            f"body.blocks.{n}.attn.q_proj": block.attn.query_dense,
            f"body.blocks.{n}.attn.k_proj": block.attn.key_dense,
            f"body.blocks.{n}.attn.v_proj": block.attn.value_dense,
            f"body.blocks.{n}.attn.o_proj": block.attn.output_dense,
            f"body.blocks.{n}.attn_residual.norm": block.attn_norm,
            f"body.blocks.{n}.ffn.up_proj": block.up_proj,
            f"body.blocks.{n}.ffn.down_proj": block.down_proj,
            f"body.blocks.{n}.ffn_residual.norm": block.ffn_norm,
        }
    rows["head"] = model.head
    return {f"{name}.{KINDS[kind.name]}": kind for name, layer in rows.items() for kind in layer.weights}


def to_keras(model: LM) -> Transformer:
    """The Keras Transformer that gives the same logits. Raises a ValueError for what it cannot express."""
    theirs, weights = Transformer(model.config, dropout=0.0), model.state_dict()
    dtypes = {weight.dtype for weight in weights.values()}
    if dtypes != {torch.float32}:
        raise ValueError(f"the Keras Transformer holds float32, not {dtypes}: convert a copy, model.float()")
    for name, variable in table(theirs).items():
        weight = weights[name].T if variable.name == "kernel" else weights[name]
        variable.assign(weight.reshape(variable.shape))
    return theirs


def from_keras(theirs: Transformer) -> LM:
    """The lmkit model that gives the same logits (dropout aside: lmkit has none), the way back of `to_keras`."""
    model = LM(theirs.config)
    weights = model.state_dict()
    for name, variable in table(theirs).items():
        shape, kernel = weights[name].shape, variable.name == "kernel"
        value = variable.value.detach().reshape(shape[::-1] if kernel else shape)
        weights[name] = value.T if kernel else value
    model.load_state_dict(weights)
    return model
