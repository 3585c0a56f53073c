"""Rotary positions: queries and keys are turned, so that their product tells how far they stand apart."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from .plain import NoPositions


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
