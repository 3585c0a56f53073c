"""Chapter 2. Positions: without them, attention cannot tell "dog bites man" from "man bites dog".

A position scheme can act in three places. It overrides the one it uses; the model calls all three and has no `if`.
Everywhere `pos` is either (T), shared by all rows of the batch, or (B, T), one line of positions per row.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from .masks import offsets


class NoPositions(nn.Module):
    """Let order enter by the causal mask alone (Haviv et al. 2022, arXiv:2203.16634)."""

    limit: int | None = None  # the longest sequence that the scheme can place; None: any

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__()

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        """Change the embeddings before the first block."""
        return x  # (B, T, d_model)

    def rotate(self, q_or_k: Tensor, pos: Tensor) -> Tensor:
        """Change queries and keys in every layer, before they meet."""
        return q_or_k  # (B, H, T, d_head), where H is n_heads for queries and n_kv_heads for keys

    def rotation(self, pos: Tensor) -> Callable[[Tensor], Tensor]:
        """`rotate` at these positions, for all layers of a forward."""
        return partial(self.rotate, pos=pos)

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor | None:
        """Give what is to be added to the scores in every layer, (n_heads, T, S) or (B, n_heads, T, S)."""
        return None


class Sinusoidal(NoPositions):
    """Add sin(t w_i) to feature 2i and cos(t w_i) to feature 2i + 1, with w_i = 10000^(-2i / d_model).

    Vaswani et al. 2017, arXiv:1706.03762, whose formula this is; their code put all sines before all cosines, which
    is the same up to a fixed permutation of the features. An odd d_model ends in a sine without its cosine. The paper
    multiplies token embeddings by √d_model first: Config(embed_scale=d_model**0.5).
    """

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        d_model = x.shape[-1]
        angle = pos[..., None] / 10_000.0 ** (torch.arange(0, d_model, 2, device=pos.device) / d_model)
        waves = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2)[..., :d_model]
        return x + waves.type_as(x)  # (B, T, d_model)


class Learned(NoPositions):
    """Add a trained vector per position to the token embedding (GPT-2, BERT). Gehring et al. 2017, arXiv:1705.03122."""

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        self.limit = max_seq_len
        self.table = nn.Embedding(max_seq_len, d_model)

    def embed(self, x: Tensor, pos: Tensor) -> Tensor:
        return x + self.table(pos)  # (B, T, d_model)


class Rope(NoPositions):
    """Turn each pair of query and key features by an angle that grows with position: t theta^(-2i / d_head).

    Su et al. 2021, arXiv:2104.09864. Feature i is paired with feature i + d_head/2, the layout of
    Hugging Face checkpoints; the paper pairs neighbours. `halves_to_pairs` and `pairs_to_halves` go between the two.
    """

    amplitude: float = 1.0  # the length that turning gives to a pair of length 1

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_head: int,
        max_seq_len: int,
        causal: bool = True,
        theta: float = 10_000.0,
    ):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        if d_head % 2:
            raise ValueError(f"rope turns features in pairs, so d_head must be even, not {d_head}")
        self.theta, self.max_seq_len = theta, max_seq_len

    def frequencies(self, d_head: int, device: torch.device | None = None) -> Tensor:
        """The angle per position of each pair, in radians, (d_head / 2) float32."""
        return 1.0 / self.theta ** (torch.arange(0, d_head, 2, device=device) / d_head)

    def cos_sin(self, pos: Tensor, d_head: int) -> tuple[Tensor, Tensor]:
        """One line for all heads: (1, T, d_head / 2) or (B, 1, T, d_head / 2), times the amplitude."""
        # Computed here, in float32: as a buffer they would be rounded by model.bfloat16(), and angles would be wrong.
        angle = pos[..., None, :, None] * self.frequencies(d_head, pos.device)
        return angle.cos() * self.amplitude, angle.sin() * self.amplitude

    def rotate(self, q_or_k: Tensor, pos: Tensor) -> Tensor:
        cos, sin = self.cos_sin(pos, q_or_k.shape[-1])
        return self.turn(q_or_k, cos, sin)

    def rotation(self, pos: Tensor) -> Callable[[Tensor], Tensor]:
        if type(self).rotate is not Rope.rotate:  # a class of the reader's own
            return super().rotation(pos)
        known = {}  # by width, for latent attention turns a part of each head: the layers share what does not change

        def rotate(q_or_k: Tensor) -> Tensor:
            d_head = q_or_k.shape[-1]
            if d_head not in known:
                known[d_head] = self.cos_sin(pos, d_head)
            return self.turn(q_or_k, *known[d_head])

        return rotate

    @staticmethod
    def turn(q_or_k: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        a, b = q_or_k.float().chunk(2, dim=-1)
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).type_as(q_or_k)


class RopeLinear(Rope):
    """Rope with positions squeezed by `factor`: a model trained on T positions reads factor * T after a short tuning.

    Chen et al. 2023, "position interpolation", arXiv:2306.15595.
    """

    def __init__(self, *sizes, factor: float = 2.0, **how):
        super().__init__(*sizes, **how)
        if not factor >= 1:
            raise ValueError(f"factor says how many times longer the inputs become: at least 1, not {factor}")
        self.factor = factor

    def frequencies(self, d_head: int, device: torch.device | None = None) -> Tensor:
        return super().frequencies(d_head, device) / self.factor


class RopeNTK(RopeLinear):
    """Rope with theta raised so that the slowest pair turns `factor` times slower and the fastest as before.

    theta' = theta * factor^(d_head / (d_head - 2)); bloc97 2023, named "NTK-aware" in YaRN, arXiv:2309.00071. It
    reads longer inputs without any tuning, at some loss.
    """

    def frequencies(self, d_head: int, device: torch.device | None = None) -> Tensor:
        theta = self.theta * self.factor ** (d_head / max(d_head - 2, 1))
        return 1.0 / theta ** (torch.arange(0, d_head, 2, device=device) / d_head)


class RopeYarn(RopeLinear):
    """Rope with slow pairs squeezed, fast pairs left alone, a ramp between, and scores sharpened.

    Peng et al. 2023, arXiv:2309.00071. Pairs that turn more than `fast` times within the `trained_len` positions
    (default: max_seq_len) keep their frequency, those that turn less than `slow` times are slowed by `factor`. The
    ramp is linear in the pair's index, as in the published code and checkpoints; the paper's is in the turns.
    """

    def __init__(self, *sizes, trained_len: int | None = None, fast: float = 32.0, slow: float = 1.0, **how):
        super().__init__(*sizes, **how)
        self.trained_len, self.fast, self.slow = trained_len or self.max_seq_len, fast, slow
        self.amplitude = 0.1 * math.log(self.factor) + 1.0

    def pair_turning(self, times: float, d_head: int) -> float:
        """The (fractional) index of the pair that turns so many times within the trained positions."""
        return d_head * math.log(self.trained_len / (times * 2 * math.pi)) / (2 * math.log(self.theta))

    def frequencies(self, d_head: int, device: torch.device | None = None) -> Tensor:
        first = max(math.floor(self.pair_turning(self.fast, d_head)), 0)
        last = min(math.ceil(self.pair_turning(self.slow, d_head)), d_head - 1)
        index = torch.arange(d_head // 2, device=device)
        slowed = ((index - first) / max(last - first, 1e-3)).clamp(0, 1)
        plain = Rope.frequencies(self, d_head, device)
        return plain * (1 - slowed) + plain / self.factor * slowed


class RopeLlama3(RopeLinear):
    """Rope with slow pairs squeezed, fast pairs left alone and a ramp in the number of turns between them.

    Grattafiori et al. 2024, "The Llama 3 herd of models", arXiv:2407.21783; fast and slow are those of Llama 3.1.
    """

    def __init__(self, *sizes, trained_len: int | None = None, fast: float = 4.0, slow: float = 1.0, **how):
        super().__init__(*sizes, **how)
        if fast <= slow:
            raise ValueError(f"fast ({fast}) must exceed slow ({slow}): they are turns within the trained positions")
        self.trained_len, self.fast, self.slow = trained_len or self.max_seq_len, fast, slow

    def frequencies(self, d_head: int, device: torch.device | None = None) -> Tensor:
        plain = Rope.frequencies(self, d_head, device)
        turns = self.trained_len * plain / (2 * math.pi)
        kept = ((turns - self.slow) / (self.fast - self.slow)).clamp(0, 1)
        return plain * kept + plain / self.factor * (1 - kept)


def halves_to_pairs(weight: Tensor, d_head: int) -> Tensor:
    """Reorder the rows of a q_proj or k_proj from Hugging Face's layout of rope to the paper's.

    weight (n * d_head, ...) -> the same shape: in each head, features i and i + d_head/2 become neighbours.
    """
    return weight.unflatten(0, (-1, 2, d_head // 2)).transpose(1, 2).flatten(0, 2)


def pairs_to_halves(weight: Tensor, d_head: int) -> Tensor:
    """The inverse of `halves_to_pairs`: from the paper's layout of rope (and Meta's own checkpoints) to this one."""
    return weight.unflatten(0, (-1, d_head // 2, 2)).transpose(1, 2).flatten(0, 2)


class Alibi(NoPositions):
    """Lower each score by slope * distance, in some heads more steeply than in others.

    Press et al. 2021, arXiv:2108.12409. For n_heads = 2^k the slopes are 2^(-8/n_heads), 2^(-16/n_heads), ... to 2^-8;
    for other counts, as in the paper's code, those of the power of two below, then every other one of the next power.
    """

    def __init__(self, d_model: int, n_heads: int, d_head: int, max_seq_len: int, causal: bool = True):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        self.n_heads = n_heads

    def slopes(self, device: torch.device | None = None) -> Tensor:
        """The slope of each head, (n_heads)."""
        power = 2 ** int(math.log2(self.n_heads))
        steps, between = (torch.arange(1, 2 * power + 1, by, device=device) for by in (1, 2))
        return torch.cat([2.0 ** (-8 / power * steps[:power]), 2.0 ** (-4 / power * between)])[: self.n_heads]

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor:
        return -self.slopes(pos_q.device)[:, None, None] * offsets(pos_q, pos_k).abs()


class RelativeBias(NoPositions):
    """Add to each score a trained number per head and distance, with far distances sharing buckets (T5).

    Raffel et al. 2019, arXiv:1910.10683. Half of the buckets hold one distance each, the others grow as powers up to
    `max_distance`, and the last holds all beyond. A model that looks both ways splits them between past and future.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_head: int,
        max_seq_len: int,
        causal: bool = True,
        n_buckets: int = 32,
        max_distance: int = 128,
    ):
        super().__init__(d_model, n_heads, d_head, max_seq_len)
        one_way = n_buckets if causal else n_buckets // 2
        if one_way < 2 or max_distance <= one_way // 2 or n_buckets % 2:
            raise ValueError(
                f"n_buckets ({n_buckets}) must be even and at least {2 if causal else 4}, and max_distance "
                f"({max_distance}) beyond the {one_way // 2} distances that have a bucket of their own"
            )
        self.causal, self.max_distance = causal, max_distance
        self.table = nn.Embedding(n_buckets, n_heads)

    def bucket(self, apart: Tensor) -> Tensor:
        """The bucket of each distance pos_q - pos_k, int64 of the same shape."""
        n = self.table.num_embeddings
        future = torch.zeros_like(apart)
        if self.causal:
            apart = apart.clamp(min=0)
        else:
            n //= 2
            future, apart = (apart < 0) * n, apart.abs()
        exact = n // 2  # so many distances have a bucket of their own
        grown = (apart.clamp(min=1) / exact).log() / math.log(self.max_distance / exact) * (n - exact)
        return future + torch.where(apart < exact, apart, (exact + grown.long()).clamp(max=n - 1))

    def score_bias(self, pos_q: Tensor, pos_k: Tensor) -> Tensor:
        heads = torch.arange(self.table.embedding_dim, device=pos_q.device)[:, None, None]
        return self.table.weight.T[heads, self.bucket(offsets(pos_q, pos_k))]


# A position scheme is built by scheme(d_model, n_heads, d_head, max_seq_len, causal).
POSITIONS = {
    "none": NoPositions,
    "sinusoidal": Sinusoidal,
    "learned": Learned,
    "rope": Rope,
    "rope_linear": RopeLinear,
    "rope_ntk": RopeNTK,
    "rope_yarn": RopeYarn,
    "rope_llama3": RopeLlama3,
    "alibi": Alibi,
    "relative": RelativeBias,
}
