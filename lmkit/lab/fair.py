"""Fairness: the same number of parameters, and the same training arithmetic, whatever is compared.

Kaplan et al. 2020, arXiv:2001.08361, found that width and depth matter little beside the number of parameters; so that
is what is held equal, and the width gives way. Narang et al. 2021, arXiv:2102.11972, compare at equal FLOPs as well.
"""

import json
from dataclasses import replace
from functools import lru_cache

import torch

from ..config import Config
from ..count import Count, count
from ..ffn import active_parameters, matched_d_ff
from ..heads import LM
from .settings import key


def parameters(config: Config) -> int:
    """The parameters that one token meets: all, but in a mixture of experts not those of the idle ones."""
    with torch.device("meta"):
        return active_parameters(LM(config))


def with_parameters(config: Config, target: int) -> Config:
    """The Config with d_ff rescaled so that it has `target` parameters, to the nearest whole width.

    Where d_ff would have to be less than half or more than twice of what is usual for d_model, d_model changes first,
    to a multiple of twice the heads. ValueError if the result is more than 1 % off.
    """
    if abs(parameters(config) - target) <= target / 500:
        return config
    usual = matched_d_ff(config.ffn, config.d_model, config.d_ff)
    scaled = with_d_ff(config, target)
    if scaled.d_ff is None or not usual / 2 <= scaled.d_ff <= 2 * usual:
        by, ratio = 2 * config.n_heads, usual / config.d_model
        widths = (replace(config, d_model=by * n, d_ff=max(1, round(by * n * ratio))) for n in range(1, 1024))
        best = None
        for one in widths:  # parameters grow with the width
            if best is not None and abs(parameters(one) - target) > abs(parameters(best) - target):
                break
            best = one
        scaled = with_d_ff(best, target)
    if scaled.d_ff is None or abs(parameters(scaled) - target) > 0.01 * target:
        raise ValueError(
            f"no width gives {target:,} parameters to within 1 %; take a larger base, a smaller vocabulary, or compare "
            "without equal parameters"
        )
    return scaled


def with_d_ff(config: Config, target: int) -> Config:
    """The d_ff that comes nearest, round if a round one comes as near as 0.5 %; None: a width of 1 is too much."""
    one, two = (parameters(replace(config, d_ff=width)) for width in (1, 2))
    exact, per_width = (target - one) / (two - one) + 1, two - one
    widths = [by * round(exact / by) for by in (8, 4, 2, 1)]
    width = next((w for w in widths if abs(w - exact) * per_width <= target / 200), widths[-1])
    return replace(config, d_ff=width if width >= 1 else None)


def step_flops(config: Config, batch_size: int, seq_len: int) -> int:
    """The FLOPs of one training step."""
    return batch_size * seq_len * counted(config, seq_len).training_flops


def counted(config: Config, T: int) -> Count:
    """lmkit.count, remembered: many runs differ in other things."""
    return _counted(key(config.to_dict()), T)


@lru_cache(maxsize=4096)
def _counted(config_json: str, T: int) -> Count:
    return count(Config.from_dict(json.loads(config_json)), T)
