"""Chapter 8. The Transformer: one choice from each menu, assembled."""

from dataclasses import fields, replace
from functools import partial

import torch
from torch import Tensor, nn

from .attention import head_width
from .block import BLOCKS, Block
from .cache import KVCache, PreallocatedCache, RollingCache
from .choose import choose
from .config import MENUS, Config
from .init import INITS
from .masks import causal_mask, document_mask, padding_mask, positions_of, positions_within, prefix_mask, window_mask
from .norms import NORMS
from .positions import POSITIONS

__all__ = ["MENUS", "Block", "Config", "EncoderDecoder", "Transformer"]


class Transformer(nn.Module):
    """Token ids in, one vector per position out. Heads (heads.py) turn the vectors into answers."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = c = config
        norm = partial(choose(c.norm, NORMS), eps=c.eps)
        d_head = head_width(c.d_model, c.n_heads, c.d_head)
        self.embed = nn.Embedding(c.vocab_size, c.d_model)
        self.segments = nn.Embedding(c.n_segments, c.d_model) if c.n_segments else None
        self.embed_norm = norm(c.d_model) if c.embed_norm else nn.Identity()
        self.positions = choose(c.positions, POSITIONS)(c.d_model, c.n_heads, d_head, c.max_seq_len, c.causal)
        self.blocks = nn.ModuleList(choose(c.block, BLOCKS)(c) for _ in range(c.n_layers))
        self.final_norm = norm(c.d_model) if c.final_norm else nn.Identity()
        choose(c.init, INITS)(self, c.n_layers)

    def forward(
        self,
        ids: Tensor,
        *,
        real: Tensor | None = None,
        documents: Tensor | None = None,
        prefix: Tensor | None = None,
        segments: Tensor | None = None,
        memory: Tensor | None = None,
        memory_real: Tensor | None = None,
        caches: list[KVCache] | None = None,
    ) -> Tensor:
        """ids (B, T) -> (B, T, d_model).

        `real` (B, S) is True for tokens and False for padding, on either side, S counting what the caches hold; a
        token's position is the number of real ones before it. `documents` (B, T) numbers the documents that are packed
        into a row: each is read as if it stood alone. `prefix` (B) is how many first tokens see each other both ways in
        a causal model. `segments` (B, T) are the kinds of the tokens, 0 if not
        given. `memory` (B, S', d_model) is what cross-attention reads where `memory_real` (B, S') is True. `caches`,
        one per block (see `new_caches`), grow by T positions.
        """
        past = len(caches[0]) if caches else 0
        total = past + ids.shape[-1]
        self._check(ids, real, memory, caches, total)
        if prefix is not None and (caches or not self.config.causal or prefix.shape != ids.shape[:1]):
            raise ValueError(f"a prefix has the shape (B) = ({len(ids)}), for a causal model and without caches")
        if documents is not None and (real is not None or caches or documents.shape != ids.shape):
            shape = tuple(ids.shape)
            raise ValueError(f"documents have the shape of ids, {shape}, and stand beside no real and no caches")
        pos_k = torch.arange(total, device=ids.device) if real is None else positions_of(real)
        pos_k = pos_k if documents is None else positions_within(documents)
        pos = pos_k[..., past:]
        x = self._embed(ids, segments, pos)  # (B, T, d_model)
        shared = dict(rotate=self.positions.rotation(pos), memory=memory)
        shared["memory_mask"] = None if memory_real is None else padding_mask(memory_real)
        looks = {}  # layers with the same window and the same number of keys share mask and bias
        for block, window, cache in zip(self.blocks, self.config.windows, caches or [None] * len(self.blocks)):
            S = total if cache is None else cache.held + ids.shape[1]
            if (window, S) not in looks:
                looks[window, S] = self._look(pos, pos_k[..., total - S :], window, real, S, documents, prefix)
            x = block(x, cache=cache, **shared, **looks[window, S])  # (B, T, d_model)
        return self.final_norm(x)  # (B, T, d_model)

    def new_caches(self, max_len: int | None = None) -> list[KVCache]:
        """One empty cache per block: growing, or with room for `max_len`; rolling where a window bounds the view."""
        plain = KVCache if max_len is None else partial(PreallocatedCache, max_len)
        return [plain() if window is None else RollingCache(window) for window in self.config.windows]

    def _embed(self, ids: Tensor, segments: Tensor | None, pos: Tensor) -> Tensor:
        x = self.positions.embed(self.embed(ids) * self.config.embed_scale, pos)  # (B, T, d_model)
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(ids) if segments is None else segments)  # (B, T, d_model)
        return self.embed_norm(x)  # (B, T, d_model)

    def _look(
        self,
        pos: Tensor,
        pos_k: Tensor,
        window: int | None,
        real: Tensor | None,
        S: int,
        documents: Tensor | None,
        prefix: Tensor | None,
    ) -> dict:
        """What attention is told: mask, score_bias, causal. Plain causal attention needs no tensor, only the flag."""
        T, causal = pos.shape[-1], self.config.causal
        near = window is None or window >= S
        look = dict(mask=None, score_bias=self.positions.score_bias(pos, pos_k), causal=False)
        if real is None and documents is None and prefix is None and near and (T == S or T == 1 or not causal):
            return look | dict(causal=causal and T > 1)
        allowed = torch.ones(1, 1, dtype=torch.bool, device=pos.device)
        if causal:
            allowed = allowed & causal_mask(pos, pos_k)
        if prefix is not None:
            allowed = allowed | prefix_mask(pos_k, prefix)
        if not near:
            allowed = allowed & window_mask(pos, pos_k, window)
        if real is not None:
            allowed = allowed & padding_mask(real[:, real.shape[1] - S :])
        if documents is not None:
            allowed = allowed & document_mask(documents)
        return look | dict(mask=allowed)

    def _check(self, ids: Tensor, real: Tensor | None, memory: Tensor | None, caches: list | None, total: int) -> None:
        c, limit = self.config, self.positions.limit
        if ids.ndim != 2 or 0 in ids.shape:
            raise ValueError(f"ids have the shape (B, T) with at least one row and one token, not {tuple(ids.shape)}")
        on_cpu = ids.device.type == "cpu" and not torch.compiler.is_compiling()  # elsewhere a look at them would wait
        if on_cpu and not 0 <= int(ids.min()) <= int(ids.max()) < c.vocab_size:
            raise ValueError(f"ids go from 0 to {c.vocab_size - 1}; these go from {int(ids.min())} to {int(ids.max())}")
        if caches is not None and len(caches) != len(self.blocks):
            raise ValueError(f"{len(caches)} caches for {len(self.blocks)} blocks; give one KVCache per block")
        if caches is not None and not c.causal:
            raise ValueError("caches are for causal models: what looks both ways must see the whole text at once")
        if real is not None and (real.shape != (len(ids), total) or real.dtype != torch.bool):
            expected = f"(B, S) = {(len(ids), total)} and torch.bool"
            raise ValueError(f"real has the shape {tuple(real.shape)} and {real.dtype}; expected {expected}")
        if limit is not None and total > limit:
            raise ValueError(f"{total} positions, but max_seq_len={limit} of them were trained")
        if (memory is None) == bool(c.n_encoder_layers):
            verdict = "a memory must be given" if memory is None else "no block reads a memory"
            raise ValueError(f"n_encoder_layers is {c.n_encoder_layers}, so {verdict}")

    def __repr__(self) -> str:
        """One line per part: parameters and what it is made of. Blocks are alike, so one of them speaks for all."""
        chosen = [f"{f.name}={v!r}" for f in fields(Config) if (v := getattr(self.config, f.name)) != f.default]
        lines = [f"Transformer with {_size(self):,} parameters: Config({', '.join(chosen)})"]
        for name, part in self.named_children():
            kind = type(part).__name__
            if part is self.blocks:
                inside = ", ".join(type(sublayer).__name__ for sublayer in part[0].children())
                name, kind = f"{len(part)} blocks", f"{type(part[0]).__name__}({inside})"
            if not isinstance(part, nn.Identity):
                lines.append(f"  {name:<12} {_size(part):>15,}  {kind}")
        return "\n".join(lines)


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


class EncoderDecoder(nn.Module):
    """An encoder reads the source, a decoder continues `ids` while looking at it. Vaswani et al. 2017.

    Both are Transformers of one Config, and they share the embedding.
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.encoder = Transformer(replace(config, n_layers=config.n_encoder_layers, n_encoder_layers=0, causal=False))
        self.decoder = Transformer(config)
        self.decoder.embed = self.encoder.embed

    @property
    def embed(self) -> nn.Embedding:
        return self.encoder.embed

    @property
    def blocks(self) -> nn.ModuleList:
        return self.decoder.blocks

    @property
    def positions(self) -> nn.Module:
        return self.decoder.positions

    def new_caches(self, max_len: int | None = None) -> list[KVCache]:
        return self.decoder.new_caches(max_len)

    def encode(self, source: Tensor, *, real: Tensor | None = None) -> Tensor:
        """source (B, S) -> memory (B, S, d_model)."""
        return self.encoder(source, real=real)

    def forward(
        self,
        ids: Tensor,
        *,
        source: Tensor | None = None,
        source_real: Tensor | None = None,
        memory: Tensor | None = None,
        real: Tensor | None = None,
        caches: list[KVCache] | None = None,
    ) -> Tensor:
        """ids (B, T) and a source (B, S), or the memory made of it before -> (B, T, d_model)."""
        if (source is None) == (memory is None):
            raise ValueError("give either the source or the memory that encode() made of it")
        if memory is None:
            memory = self.encode(source, real=source_real)
        return self.decoder(ids, real=real, memory=memory, memory_real=source_real, caches=caches)  # (B, T, d_model)
