"""Pictures: one palette, safe for colour blindness; crisp; readable in light and dark; each with words beside it."""

import hashlib
import io
import re

INK, PAPER = "#1b1f24", "#ffffff"  # stand-ins: inline pictures take the page's own colour of text
#: Okabe & Ito 2008, reordered so that the first ones differ most in lightness too. One colour per thing, book-wide.
COLORS = {
    "blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "red": "#D55E00", "purple": "#CC79A7", "sky": "#56B4E9",
}  # fmt: skip
STYLE = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "axes.titlesize": 11,
    "font.size": 10, "legend.frameon": False, "lines.linewidth": 2, "svg.fonttype": "none", "svg.hashsalt": "lmkit",
    "font.family": "sans-serif", "figure.dpi": 100,
}  # fmt: skip


class Picture:
    """A drawn figure: inline SVG that takes the page's text colour, a PNG where that cannot be shown, and words."""

    def __init__(self, svg: str, png: bytes, alt: str):
        self.svg, self.png, self.alt = svg, png, alt

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        import base64

        return {"text/plain": self.alt, "text/html": self.svg, "image/png": base64.b64encode(self.png).decode()}


def axes(columns: int = 1, width: float = 6.4, height: float = 3.2, rows: int = 1, **how):
    """A figure and its axes in the book's style: fig, ax for one column, fig, (ax, ...) for several, rows of them."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        fig = Figure(figsize=(width, height), layout="constrained")
        return fig, fig.subplots(rows, columns, **how)


def picture(fig, alt: str) -> Picture:
    """Turn a figure into a Picture; `alt` says in words what is to be seen."""
    import html

    import matplotlib.legend

    if not alt.strip():
        raise ValueError("a picture needs words beside it: alt must say what is to be seen")
    for legend in fig.findobj(matplotlib.legend.Legend):  # made after axes(), so outside the style
        legend.set_frame_on(False)
        for text in legend.get_texts():
            text.set_color(INK)
    with matplotlib.rc_context(STYLE):
        svg, png = io.StringIO(), io.BytesIO()
        fig.savefig(svg, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
        fig.savefig(png, format="png", dpi=144, facecolor=PAPER, metadata={"Software": None})
    body = svg.getvalue()
    body = body[body.index("<svg") :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*", "font-family: inherit", body).replace(INK, "currentColor")
    # Pictures share a page: an id that nothing refers to goes, and the others bear their picture's mark.
    body = re.sub(r' id="([^"]*)"', lambda m: m[0] if f"#{m[1]}" in body else "", body)
    mark = "p" + hashlib.sha256(alt.encode()).hexdigest()[:6]
    body = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{mark}-", body)
    width = re.search(r'width="([\d.]+)pt"', body)[1]
    label = html.escape(alt, quote=True)
    style = f"width:100%;max-width:{float(width) * 4 / 3:.0f}px;height:auto"
    opening = f'<svg role="img" aria-label="{label}" style="{style}" '
    body = re.sub(
        r'<svg (.*?)width="[\d.]+pt" height="[\d.]+pt"', lambda m: opening + m[1], body, count=1, flags=re.DOTALL
    )
    return Picture(f'<div class="lmkit-picture">{body}</div>', png.getvalue(), alt)


def loss_curve(losses, floor: float, alt: str, other: dict[str, float] | None = None) -> Picture:
    """A training loss (nats per token) on its way down to the exact floor, with other lines by name."""
    fig, ax = axes()
    ax.plot(losses, color=COLORS["blue"], label="model", linewidth=1.2)
    for (name, value), color in zip((other or {}).items(), ("orange", "purple", "green"), strict=False):
        ax.axhline(value, color=COLORS[color], linestyle=":", label=f"{name} {value:.2f}")
    ax.axhline(floor, color=COLORS["red"], linestyle="--", label=f"exact floor {floor:.2f}")
    ax.set(xlabel="training step", ylabel="loss, nats per token", yscale="log", ylim=(0.9 * floor, 8))
    ticks = [t for t in (0.25, 0.5, 1, 2, 4, 8) if t > 0.9 * floor]  # ours, so that they do not depend on the run
    ax.set_yticks(ticks, labels=[f"{t:g}" for t in ticks])
    ax.set_yticks([], minor=True)
    ax.legend()
    return picture(fig, alt)
