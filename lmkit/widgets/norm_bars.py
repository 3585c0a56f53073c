"""A few features and what each norm makes of them, with sliders to move, in HTML that asks no other host for anything.

As with the other figures: a custom element that holds the data and a plain table of the numbers, and a script that
brings it to life where scripts run. The page needs one copy of the script.
"""

import html
import math
from collections.abc import Mapping, Sequence

from . import page

MOST = 8  # features
REACH = 5.0  # of a slider, either way
NORMS = ("LayerNorm", "RMSNorm", "tanh")


def norm_bars(values, *, eps: float = 1e-5, alpha: float = 0.5, title: str | None = None) -> "NormBars":
    """Show 2 to 8 features raw, after LayerNorm, after RMSNorm, and after tanh(alpha x), which is DyT without weights.

    values: {feature: number}, or numbers alone, each between -5 and 5, where the sliders end. Raises ValueError.
    """
    if isinstance(values, Mapping):
        named = {str(name): value for name, value in values.items()}
    elif isinstance(values, Sequence) and not isinstance(values, str | bytes):
        named = {f"x{i}": value for i, value in enumerate(values, start=1)}
    else:
        raise ValueError(f"values is a {type(values).__name__}; give a dict of numbers by name, or a list of numbers")
    if not 2 <= len(named) <= MOST:
        raise ValueError(f"{len(named)} features; a norm needs 2 at least, and there is room for {MOST}")
    for name, value in named.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not -REACH <= value <= REACH:  # a nan is not between
            raise ValueError(f"the feature {name!r:.40} is {value!r:.40}; expected a number from -5 to 5")
    for what, value in {"eps": eps, "alpha": alpha}.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{what} is {value!r}; expected a number above 0")
    return NormBars({name: float(value) for name, value in named.items()}, eps, alpha, title)


class NormBars:
    """Features and their norms, that a notebook shows. Made by `norm_bars`."""

    def __init__(self, values: dict[str, float], eps: float, alpha: float, title: str | None):
        self.values, self.eps, self.alpha, self.title = values, eps, alpha, title

    @property
    def normed(self) -> dict[str, list[float]]:
        """What each norm makes of the features, with weights of 1 and biases of 0."""
        x = list(self.values.values())
        mean, square = sum(x) / len(x), sum(v * v for v in x) / len(x)
        variance = sum((v - mean) ** 2 for v in x) / len(x)
        return {
            "LayerNorm": [(v - mean) / math.sqrt(variance + self.eps) for v in x],
            "RMSNorm": [v / math.sqrt(square + self.eps) for v in x],
            "tanh": [math.tanh(self.alpha * v) for v in x],
        }

    def __repr__(self) -> str:
        """In words: the features and what each norm makes of them."""
        rows = {"x": list(self.values.values()), **self.normed}
        lines = [f"norm bars: {len(self.values)} features, {', '.join(self.values)}"]
        return "\n".join([*lines, *(f"  {name}: {' '.join(map(shown, row))}" for name, row in rows.items())])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "norm_bars")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        held = {
            "heading": self.title, "names": list(self.values), "values": list(self.values.values()),
            "eps": self.eps, "alpha": self.alpha,
        }  # fmt: skip
        return page.element("norm_bars", held, self.table())

    def table(self) -> str:
        """What is seen where no script runs."""
        caption = html.escape(self.title or "Features and what each norm makes of them")
        head = "".join(f'<th scope="col">{name}</th>' for name in ("feature", "x", *NORMS))
        rows = ""
        for name, *numbers in zip(self.values, self.values.values(), *self.normed.values(), strict=True):
            cells = "".join(f"<td>{shown(number)}</td>" for number in numbers)
            rows += f'\n<tr><th scope="row"><bdi>{html.escape(name)}</bdi></th>{cells}</tr>'
        return f"<table><caption>{caption}</caption>\n<tr>{head}</tr>{rows}\n</table>"


def shown(number: float) -> str:
    """Two decimals, a true minus, and no minus before nothing."""
    return f"{number:.2f}".replace("-0.00", "0.00").replace("-", "−")
