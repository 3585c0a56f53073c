"""Chapter 9. Learning rate schedules: which share of the peak rate a step takes. All begin with a warm-up in a line.

The warm-up of `warmup` steps lets the optimizer's averages settle before they are trusted.
"""

import math


def cosine(step: int, steps: int, warmup: int, floor: float = 0.0) -> float:
    """Down along half a cosine to the share `floor` of the peak. Loshchilov & Hutter 2016, arXiv:1608.03983.

    GPT-3 stops at a tenth (Brown et al. 2020, arXiv:2005.14165).
    """
    if step < warmup:
        return (step + 1) / warmup
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done(step, steps, warmup)))


def linear(step: int, steps: int, warmup: int, floor: float = 0.0) -> float:
    """Down in a line to the share `floor` of the peak (BERT; to zero it beats a cosine to a tenth in Bergsma et al.
    2025, arXiv:2502.15938)."""
    if step < warmup:
        return (step + 1) / warmup
    return floor + (1 - floor) * (1 - done(step, steps, warmup))


def wsd(step: int, steps: int, warmup: int, decay: float = 0.2) -> float:
    """Warm up, stay, decay: at the peak until the last share `decay` of all steps, then down in a line to zero.

    Hu et al. 2024, "MiniCPM", arXiv:2404.06395. Until the decay begins, nothing depends on how long the run will be.
    """
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (1 - step / steps) / decay)


def constant(step: int, steps: int, warmup: int) -> float:
    """At the peak to the end."""
    return min(1.0, (step + 1) / warmup) if warmup else 1.0


def done(step: int, steps: int, warmup: int) -> float:
    """How much of the way from the end of the warm-up to the last step lies behind, from 0 to 1."""
    return (step - warmup) / max(1, steps - warmup)


#: A schedule is schedule(step, steps, warmup) -> share of the peak rate, for steps 0 .. steps - 1.
SCHEDULES = {"cosine": cosine, "linear": linear, "wsd": wsd, "constant": constant}
