"""Rows of the ledger as a picture: every seed a point, the mean a bar, the reference a line."""

from itertools import product
from pathlib import Path

from .. import plots
from . import ledger
from .table import Table, table


def plot(study: str | Table, folder: str | Path = ledger.FOLDER) -> plots.Picture:
    """Draw a study of the ledger, or a comparison: a column per corpus, a row per size; over lengths if several."""
    found = study if isinstance(study, Table) else table(study, folder)
    corpora, sizes = (list(dict.fromkeys(names)) for names in zip(*found.groups))
    tall = 1.2 + 0.34 * max(len(variants) for variants in found.groups.values())
    draw, height = (over_lengths, 3.6) if len(found.lengths) > 1 else (over_variants, tall)
    width = 3.6 * len(corpora) + 1.2
    fig, panels = plots.axes(len(corpora), width, height * len(sizes), rows=len(sizes), squeeze=False)
    words = []
    for ax, (size, corpus) in zip(panels.flat, product(sizes, corpora)):
        if (corpus, size) in found.groups:
            words.append(draw(ax, found, (corpus, size)))
        else:
            ax.remove()
    return plots.picture(fig, f"{found.name}: " + " ".join(words))


def loss_label(found: Table, group: tuple[str, str]) -> tuple[float, str]:
    row = next(iter(next(iter(found.groups[group].values())).values()))
    return (row["floor"], "bits per byte above the floor") if row["floor"] else (0.0, "bits per byte")


def over_variants(ax, found: Table, group: tuple[str, str]) -> str:
    floor, label = loss_label(found, group)
    names = list(found.groups[group])
    means = {}
    for y, name in enumerate(names):
        losses = [loss - floor for loss in found.losses(group, name).values()]
        color = plots.COLORS["orange" if name == found.reference else "blue"]
        if losses:
            means[name] = sum(losses) / len(losses)
            ax.plot(losses, [y] * len(losses), "o", color=color, markersize=5, alpha=0.6)
            ax.plot([means[name]] * 2, [y - 0.32, y + 0.32], color=color)
        else:
            ax.annotate("diverged", (0.5, y), xycoords=("axes fraction", "data"), va="center", ha="center")
    if found.reference in means:
        ax.axvline(means[found.reference], color=plots.COLORS["orange"], linestyle=":", linewidth=1)
    if means and max(means.values()) > 4 * min(means.values()) > 0:  # one that fails would squeeze the others
        ax.set_xscale("log")
        plain_ticks(ax.xaxis, ax.get_xlim())
    ax.set_yticks(range(len(names)), labels=names)
    ax.set(xlabel=label, ylim=(len(names) - 0.5, -0.5))
    ax.set_title(", ".join(group), loc="left", fontsize=11)
    ranks = sorted(means, key=means.get)
    if not ranks:
        return f"On {', '.join(group)} every run diverged."
    said = f"On {', '.join(group)} from best to worst: {', '.join(f'{name} {means[name]:.4f}' for name in ranks)}"
    return f"{said} ({label})."


def over_lengths(ax, found: Table, group: tuple[str, str]) -> str:
    floor, label = loss_label(found, group)
    said = []
    for i, name in enumerate(found.groups[group]):
        line = {}
        for length in found.lengths:
            if losses := list(found.losses(group, name, length).values()):
                line[float(length)] = sum(losses) / len(losses) - floor
        color, style = list(plots.COLORS.values())[i % 6], "-" if i < 6 else "--"
        ax.plot(list(line), list(line.values()), marker="os^vDP"[i % 6], color=color, linestyle=style, label=name)
        said.append(f"{name} {', '.join(f'{loss:.3f}' for loss in line.values())}")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xticks([float(length) for length in found.lengths], labels=[f"{length} ×" for length in found.lengths])
    plain_ticks(ax.yaxis, ax.get_ylim())
    ax.set(xlabel="length of evaluation, in lengths of training", ylabel=label)
    ax.set_title(", ".join(group), loc="left", fontsize=11)
    ax.legend(fontsize=8)
    at = ", ".join(f"{length} ×" for length in found.lengths)
    return f"On {', '.join(group)}, {label} at {at} the length: {'; '.join(said)}."


def plain_ticks(axis, ends: tuple[float, float]) -> None:
    """1, 2, 5, 10, ... along a logarithmic axis, written as they are; more between them where few would be seen."""
    for steps in ((1, 2, 5), (1, 2, 3, 4, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9)):
        ticks = [by * 10.0**e for e in range(-4, 3) for by in steps if ends[0] <= by * 10.0**e <= ends[1]]
        if len(ticks) >= 3:
            break
    axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
