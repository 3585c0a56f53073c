"""What the ledger says about a choice, for a model of a given size."""

from pathlib import Path
from statistics import mean, median

from . import ledger, settings
from .statistics import Difference, paired
from .studies import STUDIES
from .table import Table

MEASURED = 10  # so many times as many parameters as in the ledger, its ranks are taken for what they are


class Findings:
    """The ledger beside a model of so many parameters, which it may decide about (`decides`) or not."""

    def __init__(self, folder: str | Path, n_parameters: float):
        every = ledger.read(folder=folder) if Path(folder).is_dir() else []
        self.tuned = [row for row in every if row["study"] == "objectives" and not row["swept"]]
        rows = [row for row in every if row["key"] and row["study"] in STUDIES]
        by_study = {}
        for row in rows:
            if not row["swept"]:
                by_study.setdefault(row["study"], []).append(row)
        self.tables = {name: Table(finals, name) for name, finals in by_study.items()}
        largest = max((row["active_parameters"] for row in rows), default=0)
        self.decides = n_parameters <= MEASURED * largest

    def pick(self, study: str, name: str, usual: str):
        """The value of the variant that beats the usual one on every corpus and size, by the most; else the usual."""
        better, reference = {}, value_name(study, name, usual)
        for variant, change in STUDIES[study].variants.items() if self.decides and study in self.tables else ():
            found = self.against(study, variant, reference)
            everywhere = set(found) == set(self.tables[study].groups)
            if name in change and everywhere and all(d.high < 0 for d in found.values()):
                better[variant] = sum(d.mean for d in found.values())
        return STUDIES[study].variants[min(better, key=better.get)][name] if better else usual

    def against(self, study: str, variant: str, other: str) -> dict[tuple[str, str], Difference]:
        """The difference of two variants, on each corpus and size that has both."""
        table, found = self.tables[study], {}
        for group in table.groups:
            ours, theirs = table.losses(group, variant), table.losses(group, other)
            if variant != other and ours.keys() & theirs.keys():
                found[group] = paired(ours, theirs)
        return found

    def lines(self, study: str, variant: str) -> tuple[str, ...]:
        """What there is on a variant beside each other one, a line per corpus and size."""
        if study not in self.tables:
            return (f"no runs of the study {study} yet",)
        lines = []
        for group, variants in self.tables[study].groups.items():
            found = {other: self.against(study, variant, other).get(group) for other in variants}
            parts = [f"less {other} {d!r}" for other, d in found.items() if d is not None]
            if parts:
                lines.append(f"{', '.join(group)}: {variant} {', '.join(parts)} bits per byte")
        return tuple(lines)

    def objectives(self) -> tuple[str, ...]:
        """How well bodies of each objective learn labelled tasks: benchmarks/objectives.py."""
        by_variant = {}
        for row in self.tuned:
            by_variant.setdefault(row["variant"], []).append(mean(row["result"].values()))
        ranked = sorted(((mean(found), name) for name, found in by_variant.items()), reverse=True)
        said = ", ".join(f"{name} {accuracy:.3f}" for accuracy, name in ranked)
        return (f"mean accuracy after tuning on few labels: {said}",) if said else ()

    def rate(self, optimizer: str) -> float | None:
        """The rate that the sweeps found for it, if they may decide."""
        variant = value_name("optimizers", "optimizer", optimizer)
        groups = self.tables["optimizers"].groups.values() if self.decides and "optimizers" in self.tables else ()
        rates = [row["lr"] for group in groups for row in group.get(variant, {}).values()]
        return median(rates) if rates else None


def value_name(study: str, name: str, value) -> str:
    """What the study calls the variant that has this value; the value itself if it has none."""
    usual = settings.BASE["model"].get(name, settings.BASE.get(name, "gelu" if name == "ffn" else None))
    for variant, change in STUDIES[study].variants.items():
        if set(change) <= {name, "lr"} and change.get(name, usual) == value:
            return variant
    return str(value)
