"""Rows of the ledger as a table: the loss above the floor, differences from the first variant, and what each costs."""

from collections.abc import Iterable
from pathlib import Path

from . import ledger
from .code import code_hash
from .running import DECIDE
from .statistics import Difference, paired

HEAD = ["variant", "bits per byte", "difference, 95 %", "", "rate", "parameters", "steps", "MB", "seconds"]


def is_stale(row: dict) -> bool | None:
    """Whether the code has changed since the run; None for rows that do not say of which code they are."""
    try:
        return None if row["code"] is None else code_hash(row["settings"], *DECIDE) != row["code"]
    except (ValueError, TypeError, KeyError):  # a component or a setting that there is no more
        return True


class Table:
    """The rows of one study. Printed, it is a table per corpus and size; `differences` are what it is drawn from."""

    def __init__(self, rows: Iterable[dict], name: str, reference: str | None = None):
        self.rows, self.name = list(rows), name
        finals = [row for row in self.rows if not row["swept"]]
        if not finals:
            raise ValueError(f"the study {name!r} has no finished run, only {len(self.rows)} of its sweep")
        self.groups = {}  # (corpus, size): variant: seed: row
        for row in finals:
            self.groups.setdefault((row["corpus"], row["size"]), {}).setdefault(row["variant"], {})[row["seed"]] = row
        self.reference = reference or finals[0]["variant"]

    @property
    def lengths(self) -> list[str]:
        """Those of the evaluation, in lengths of training."""
        return sorted({length for row in self.rows for length in row["result"]}, key=float)

    def losses(self, group: tuple[str, str], variant: str, length: str = "1") -> dict[int, float]:
        """Bits per byte by seed, at so many lengths of training; without the runs that diverged."""
        found = {seed: row["result"].get(length) for seed, row in self.groups[group].get(variant, {}).items()}
        return {seed: loss for seed, loss in found.items() if loss is not None}

    def differences(self, group: tuple[str, str], length: str = "1") -> dict[str, Difference]:
        """Each variant less the reference, bits per byte, over the seeds that both have."""
        base = self.losses(group, self.reference, length)
        others = {name: self.losses(group, name, length) for name in self.groups[group] if name != self.reference}
        return {name: paired(losses, base) for name, losses in others.items() if losses.keys() & base.keys()}

    def lines(self, group: tuple[str, str]) -> list[list[str]]:
        differences, found = self.differences(group), []
        for name, by_seed in self.groups[group].items():
            rows, losses = list(by_seed.values()), list(self.losses(group, name).values())
            first, floor = rows[0], rows[0]["floor"] or 0.0
            loss = f"{sum(losses) / len(losses) - floor:.4f}" if losses else "diverged"
            if losses and len(losses) < len(rows):
                loss += f" ({len(rows) - len(losses)} of {len(rows)} diverged)"
            d = differences.get(name)
            memory = first.get("memory_bytes")
            steps = first["settings"]["steps"] if "settings" in first else first["steps"]
            mark = {True: " (stale)", False: "", None: ""}[is_stale(first)]
            found.append([
                name + mark, loss, repr(d) if d else "", d.verdict if d and d.n > 1 else "", f"{first['lr']:g}",
                f"{first['parameters']:,}", f"{steps:,}", f"{memory / 1e6:.0f}" if memory else "",
                f"{sum(row['seconds'] for row in rows) / len(rows):.1f}",
            ])  # fmt: skip
        lengths = [length for length in self.lengths if length != "1"]
        for length in lengths:
            for line in found:
                losses = list(self.losses(group, line[0].removesuffix(" (stale)"), length).values())
                line.append(f"{sum(losses) / len(losses) - floor:.4f}" if losses else "cannot")
        return [[*HEAD, *(f"at {length} × the length" for length in lengths)], *found]

    def title(self, group: tuple[str, str]) -> str:
        corpus, size = group
        row = next(iter(self.groups[group][next(iter(self.groups[group]))].values()))
        if row["floor"]:
            against = f"above the exact floor of {row['floor']:.4f}"
        else:
            against = f"a counting 5-gram has {row['counter']:.4f}" if row["counter"] else "no floor is known"
        machines = sorted({row["hardware"] for by in self.groups[group].values() for row in by.values()})
        seeds = max(len(by_seed) for by_seed in self.groups[group].values())
        return f"{self.name}, {corpus}, {size}: bits per byte, {against}; {seeds} seeds; {', '.join(machines)}"

    def __repr__(self) -> str:
        blocks = []
        for group in self.groups:
            lines = self.lines(group)
            widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
            texts = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in lines]
            blocks.append("\n".join([self.title(group), *texts]))
        return "\n\n".join(blocks)

    def _repr_markdown_(self) -> str:
        blocks = []
        for group in self.groups:
            head, *lines = self.lines(group)
            rows = ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *lines)]
            blocks.append("\n".join([f"**{self.title(group)}**", "", *rows]))
        return "\n\n".join(blocks)


def table(study: str, folder: str | Path = ledger.FOLDER) -> Table:
    """The table of a study of the ledger; rows whose code has changed since are marked as stale."""
    from .studies import STUDIES  # which knows this module

    rows = ledger.read(study, folder)
    if study not in STUDIES:
        return Table(rows, study)
    s = STUDIES[study]
    named = {"size": [*s.sizes], "corpus": [*s.corpora], "variant": [*s.variants]}

    def place(row: dict) -> list[int]:  # as the study has them, whichever run ended first
        return [names.index(row[of]) if row[of] in names else len(names) for of, names in named.items()]

    rows, first = sorted(rows, key=place), named["variant"][0]
    return Table(rows, study, first if any(row["variant"] == first for row in rows) else None)
