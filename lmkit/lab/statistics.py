"""Chapter 10. Paired differences: seeds that share initial weights and batches are compared one by one."""

import math
from dataclasses import dataclass


def t_probability(t: float, df: int) -> float:
    """P(|T| <= t) of Student's distribution with df degrees of freedom; Abramowitz & Stegun 1964, 26.7.3 and 26.7.4."""
    angle = math.atan(t / math.sqrt(df))
    cos, sin = math.cos(angle), math.sin(angle)
    odd = df % 2
    total, term = 0.0, cos if odd else 1.0
    for i in range(2 if odd else 1, df, 2):  # the next term has cos² and the next pair of numbers
        total += term
        term *= cos**2 * i / (i + 1)
    return 2 / math.pi * (angle + sin * total) if odd else sin * total


def t_quantile(df: int, confidence: float = 0.95) -> float:
    """The t for which P(|T| <= t) = confidence."""
    if df < 1 or not 0 < confidence < 1:
        raise ValueError(f"an interval needs at least 2 runs and a confidence in (0, 1), not {df + 1} and {confidence}")
    low, high = 0.0, 1.0
    while t_probability(high, df) < confidence:
        low, high = high, 2 * high
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if t_probability(middle, df) < confidence else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Difference:
    """The mean of paired differences, and how far from it the true mean may lie; infinitely far from one pair alone."""

    mean: float
    half_width: float
    n: int

    @property
    def low(self) -> float:
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        return self.mean + self.half_width

    @property
    def verdict(self) -> str:
        """Of a loss: better, worse, or neither is shown."""
        return "better" if self.high < 0 else "worse" if self.low > 0 else "not told apart"

    def __repr__(self) -> str:
        return f"{self.mean:+.4f} ± {self.half_width:.4f}" if self.n > 1 else f"{self.mean:+.4f} (one seed)"


def paired(ours: dict[int, float], theirs: dict[int, float], confidence: float = 0.95) -> Difference:
    """ours - theirs over the seeds that both have, with Student's interval: mean ± t s / √n (Student 1908)."""
    differences = [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]
    n = len(differences)
    if not n:
        raise ValueError(f"no seed is shared by {sorted(ours)} and {sorted(theirs)}")
    mean = sum(differences) / n
    if n == 1:
        return Difference(mean, math.inf, 1)
    deviation = math.sqrt(sum((d - mean) ** 2 for d in differences) / (n - 1))
    return Difference(mean, t_quantile(n - 1, confidence) * deviation / math.sqrt(n), n)
