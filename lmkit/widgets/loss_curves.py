"""The clinic: sick loss curves beside a healthy one, and four diagnoses to choose from.

The curves are those of real runs with one bug planted on purpose; benchmarks/clinic.py records them into
loss_curves.json. As with the other figures: a custom element that holds the data and a plain table, and a script that
brings it to life where scripts run. The page needs one copy of the script.
"""

import html
import json
from collections.abc import Sequence
from functools import cache
from importlib import resources

from . import page

HEALTHY = "healthy"
# A diagnosis: how such a curve looks, what repairs it, and with what it is easily taken for.
DIAGNOSES = {
    "the rate is too high": (
        "a stumble at the beginning, and far above a healthy run from there on, held-out too; late, the descent helps",
        "lr=1e-2 instead of 1e-1 (a tenth; then look for the edge by factors of two)",
        ["the rate is too low", "the targets are shuffled", "the text is too small"],
    ),
    "the targets are not shifted": (
        "the loss drops to 0 within a few steps, far below the floor: the model repeats the word that it reads",
        "loss(logits of ids[:, :-1], targets ids[:, 1:])",
        ["the causal mask is missing", "the text is too small", "the losses of the parts are summed"],
    ),
    "the schedule is over too soon": (
        "healthy at first, then level from one step to the next: the rate is 0, and nothing moves any more",
        "schedule(step, steps=updates), where an update is not a micro-batch",
        ["the rate is too low", "the targets are shuffled", "the rate is too high"],
    ),
    "the text is too small": (
        "the training loss goes below the floor while the held-out loss turns and rises: the text is learned by heart",
        "more text, fewer passes over it, or stop where the held-out loss is lowest",
        ["the causal mask is missing", "the targets are not shifted", "the rate is too high"],
    ),
    "the losses of the parts are summed": (
        "the form of a healthy curve, eight times too high: it begins at 8 ln V, and knowing nothing costs ln V",
        "loss = loss / accumulate (or each part's share of the rows)",
        ["the rate is too high", "the gradients are not cleared", "the targets are shuffled"],
    ),
    "the targets are shuffled": (
        "the loss falls from ln V to the entropy of single words and stays there: the input says nothing of the target",
        "print one row of inputs and targets, side by side, before training",
        ["the rate is too low", "the schedule is over too soon", "the gradients are not cleared"],
    ),
    "the causal mask is missing": (
        "healthy for a while, then below the floor, held-out too; alone it says nonsense, since there is no answer to "
        "look up",
        "Config(causal=True), and a test that a change of token t moves no output before t",
        ["the text is too small", "the targets are not shifted", "the losses of the parts are summed"],
    ),
    "the gradients are not cleared": (
        "the loss falls, comes back up, and swings: old gradients push on long after they were right",
        "optimizer.zero_grad() after every optimizer.step()",
        ["the rate is too low", "the targets are shuffled", "the losses of the parts are summed"],
    ),
    "the rate is too low": (
        "smooth, and far too slow: still on its way when the steps are over",
        "lr=1e-2 instead of 1e-4",
        ["the schedule is over too soon", "the targets are shuffled", "the gradients are not cleared"],
    ),
}


@cache
def recorded() -> dict:
    """What benchmarks/clinic.py has stored: each, look, lines, and by diagnosis the curves train and held, and says."""
    return json.loads(resources.files(__package__).joinpath("loss_curves.json").read_text(encoding="utf-8"))


def loss_curves(patients: Sequence[str] | None = None, *, title: str | None = None) -> "LossCurves":
    """Show patients, by the names of their diagnoses (default: all of them); ValueError for one that is not known."""
    if isinstance(patients, str):
        raise ValueError(f"patients is the text {patients!r:.60}; give a list of diagnoses")
    names = list(DIAGNOSES) if patients is None else list(patients)
    if not names:
        raise ValueError(f"no patients; expected some of {list(DIAGNOSES)}")
    for name in names:
        if name not in DIAGNOSES:
            raise ValueError(f"there is no patient {name!r:.60}; expected some of {list(DIAGNOSES)}")
    return LossCurves(names, title)


class LossCurves:
    """Loss curves to diagnose, that a notebook shows. Made by `loss_curves`."""

    def __init__(self, names: list[str], title: str | None):
        self.names, self.title = names, title

    def __repr__(self) -> str:
        """In words: what each curve does. The diagnoses are not told."""
        lines = [f"loss curves: {len(self.names)} patients beside a healthy run, {self.said(HEALTHY)}"]
        return "\n".join([*lines, *(f"  patient {i}: {self.said(n)}" for i, n in enumerate(self.names, start=1))])

    @staticmethod
    def said(name: str) -> str:
        curve = recorded()["curves"][name]
        return f"{curve['train'][0]:.2f} to {curve['train'][-1]:.2f}, held-out {curve['held'][-1]:.2f}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return page.bundle(self, "loss_curves")

    def html(self) -> str:
        """The element without the script; equal input gives equal bytes."""
        found = recorded()
        patients = [found["curves"][n] | {"is": n, "options": options(n)} for n in self.names]
        held = {
            "heading": self.title, "each": found["each"], "look": found["look"], "lines": found["lines"],
            "healthy": found["curves"][HEALTHY], "patients": patients,
            "notes": {n: [looks, repair] for n, (looks, repair, _) in DIAGNOSES.items()},
        }  # fmt: skip
        return page.element("loss_curves", held, self.table())

    def table(self) -> str:
        """What is seen where no script runs."""
        caption = html.escape(self.title or "Sick loss curves, and what they suffer from")
        cells = ("patient", "first loss", "last", "held-out", "diagnosis", "how it looks", "repair")
        head = "".join(f'<th scope="col">{cell}</th>' for cell in cells)
        rows = ""
        for i, name in enumerate(self.names, start=1):
            curve, (looks, repair, _) = recorded()["curves"][name], DIAGNOSES[name]
            numbers = (curve["train"][0], curve["train"][-1], curve["held"][-1])
            texts = [*(f"{x:.2f}" for x in numbers), *map(html.escape, (name, looks, repair))]
            rows += f'\n<tr><th scope="row">{i}</th>{"".join(f"<td>{text}</td>" for text in texts)}</tr>'
        return f"<table><caption>{caption}</caption>\n<tr>{head}</tr>{rows}\n</table>"


def options(name: str) -> list[str]:
    """The diagnosis and what it is taken for, in the order of the alphabet, which gives nothing away."""
    return sorted([name, *DIAGNOSES[name][2]])
