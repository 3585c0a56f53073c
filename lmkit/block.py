"""Chapter 8. Blocks: how the sublayers of one layer stand together."""

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor, nn

from .attention import ATTENTIONS
from .choose import choose
from .ffn import FFNS
from .norms import NORMS
from .residual import RESIDUALS

if TYPE_CHECKING:  # a Config names a block, so it knows this module
    from .config import Config


class Block(nn.Module):
    """Attention moves information between positions; the feed-forward network works on each.

    In the decoder of an encoder-decoder, cross-attention to the memory stands between the two.
    """

    def __init__(self, config: "Config"):
        super().__init__()
        c = config
        norm = partial(choose(c.norm, NORMS), eps=c.eps)
        qk_norm = c.qk_norm and partial(choose(c.qk_norm, NORMS), eps=c.eps)
        rule = partial(choose(c.residual, RESIDUALS), c.d_model, norm, c.n_layers)
        attention = partial(
            choose(c.attention, ATTENTIONS), c.d_model, c.n_heads, c.n_kv_heads, c.d_head, c.bias, qk_norm
        )
        self.attn_residual, self.attn = rule(), attention()
        self.cross_residual, self.cross = (rule(), attention()) if c.n_encoder_layers else (None, None)
        self.ffn_residual, self.ffn = rule(), choose(c.ffn, FFNS)(c.d_model, c.d_ff, bias=c.bias)

    def forward(self, x: Tensor, *, memory: Tensor | None = None, memory_mask=None, cache=None, **look) -> Tensor:
        """`look` is how attention sees: rotate, mask, score_bias, causal."""
        x = self.attn_residual(x, partial(self.attn, cache=cache, **look))  # (B, T, d_model)
        if self.cross is not None:
            cross = partial(self.cross, memory=memory, mask=memory_mask, cache=cache)
            x = self.cross_residual(x, cross)  # (B, T, d_model)
        return self.ffn_residual(x, self.ffn)  # (B, T, d_model)


class ParallelBlock(Block):
    """All sublayers read the stream at once, and their sum is added (GPT-J). Wang & Komatsuzaki 2021.

    One norm instead of two, and the matrix products of the sublayers can run together.
    """

    def __init__(self, config: "Config"):
        super().__init__(config)
        self.residual = self.attn_residual
        del self.attn_residual, self.ffn_residual, self.cross_residual

    def forward(self, x: Tensor, *, memory: Tensor | None = None, memory_mask=None, cache=None, **look) -> Tensor:
        def sublayers(x: Tensor) -> Tensor:
            out = self.attn(x, cache=cache, **look) + self.ffn(x)  # (B, T, d_model)
            if self.cross is not None:
                out = out + self.cross(x, memory=memory, mask=memory_mask, cache=cache)  # (B, T, d_model)
            return out  # (B, T, d_model)

        return self.residual(x, sublayers)  # (B, T, d_model)


#: A block is built by block(config) and called as Block is.
BLOCKS = {"sequential": Block, "parallel": ParallelBlock}
