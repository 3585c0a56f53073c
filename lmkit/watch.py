"""Chapter 9. Watching a run: wrappers around the Steps of `train`, which pass them on, so that they can be combined.

They stand around `train`, one in another:

    for step in bar(live(train(...), floor=0.47), total=1000, tokens=16 * 128):
        ...                                        # the loop is still the caller's own
"""

import math
import time
from collections.abc import Iterable, Iterator
from functools import cache

import torch

from .train import Step


@cache
def peak_flops(device: str, dtype: torch.dtype = torch.float32) -> float:
    """FLOP/s that a product of two large matrices reaches here, measured once: what a training step is held against."""
    n = 1024 if device == "cpu" else 8192
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    best = math.inf
    for _ in range(4):
        wait(device)
        began = time.perf_counter()
        a @ b
        wait(device)
        best = min(best, time.perf_counter() - began)
    return 2 * n**3 / best


def wait(device: str) -> None:
    """Wait until a GPU has done what it was asked for, so that a clock tells the truth; a CPU has."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def bar(
    steps: Iterable[Step],
    total: int,
    *,
    tokens: int,
    flops: int | None = None,
    bits: float | None = None,
    peak: float | None = None,
    done: int = 0,
    seconds: float = 0.5,
) -> Iterator[Step]:
    """A progress bar with the loss (nats per token, and bits per byte), tokens and FLOPs a second, share of the peak.

    `tokens` are those of a step, `flops` those of a token (lmkit.count(config).training_flops), `bits` is what a nat
    per token is in bits per byte, `peak` what `peak_flops` measured. `done` steps lie behind already. The loss is read
    from the device, which has to wait for it, every so many `seconds` only.
    """
    from tqdm.auto import tqdm

    last, last_step = time.perf_counter(), done
    with tqdm(total=total, initial=done, unit="step") as shown:
        for step in steps:
            now = time.perf_counter()
            if now - last >= seconds or step.step + 1 == total:
                speed = (step.step + 1 - last_step) * tokens / max(now - last, 1e-9)
                shown.set_postfix_str(said(step.loss, speed, flops, bits, peak), refresh=False)
                last, last_step = now, step.step + 1
            shown.update()
            yield step


def said(loss: float, speed: float, flops: int | None, bits: float | None, peak: float | None) -> str:
    """"loss 1.234 = 0.401 bits/byte, 12,345 tokens/s, 8.9 GFLOP/s, 42 % of the peak"."""
    words = [f"loss {loss:.3f}" + (f" = {loss * bits:.3f} bits/byte" if bits else ""), f"{speed:,.0f} tokens/s"]
    if flops:
        words.append(f"{speed * flops / 1e9:,.1f} GFLOP/s")
        words += [f"{speed * flops / peak:.0%} of the peak"] if peak else []
    return ", ".join(words)


def live(
    steps: Iterable[Step], *, floor: float | None = None, name: str = "exact floor", seconds: float = 1.0, show=None
) -> Iterator[Step]:
    """A plot of the loss that grows in the notebook while the run goes on, at most every so many `seconds`.

    Faint the loss of each step, strong its running mean, dashed the `floor` or another line called `name`; below, the
    learning rate. Elsewhere than in a notebook nothing is shown. Tag such a cell nbval-ignore-output.
    """
    show = in_notebook() if show is None else show
    losses, rates, drawn = [], [], -math.inf
    try:
        for step in steps:
            if show:
                losses.append(step.loss)
                rates.append(step.lr)
                if time.perf_counter() - drawn >= seconds:
                    show(plotted(losses, rates, floor, name))
                    drawn = time.perf_counter()
            yield step
    finally:  # however the run ends: all of it, its divergence or the caller's break included
        if show and losses:
            show(plotted(losses, rates, floor, name))


def in_notebook():
    """A function that shows a picture in place of the one before, or None where no notebook is."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return None
    if not hasattr(get_ipython(), "kernel"):
        return None
    handle = display(display_id=True)
    return handle.update


def plotted(losses: list[float], rates: list[float], floor: float | None, name: str):
    """The picture of `live`."""
    from . import plots

    fig, (above, below) = plots.axes(2, height=2.6)
    above.plot(losses, color=plots.COLORS["sky"], linewidth=0.8)
    above.plot(smoothed(losses), color=plots.COLORS["blue"])
    if floor is not None:
        above.axhline(floor, color=plots.COLORS["red"], linestyle="--", label=f"{name} {floor:.3f}")
        above.legend()
    above.set(title=f"loss {smoothed(losses)[-1]:.3f} nats per token", xlabel="step", yscale="log")
    least, most = above.get_ylim()
    ticks = [t for t in (0.125, 0.25, 0.5, 1, 2, 4, 8, 16) if least <= t <= most]
    if len(ticks) >= 2:  # written as they are; where there are fewer, matplotlib knows better
        above.set_yticks(ticks, labels=[f"{t:g}" for t in ticks])
        above.set_yticks([], minor=True)
    below.plot(rates, color=plots.COLORS["orange"])
    below.set(title="learning rate", xlabel="step", ylim=(0, None))
    words = f"the loss after {len(losses)} steps is {losses[-1]:.3f} nats per token"
    return plots.picture(fig, words + (f"; the {name} is {floor:.3f}" if floor is not None else ""))


def smoothed(losses: list[float], keep: float = 0.95) -> list[float]:
    """A running mean that forgets: each value weighs `keep` of the next one, and the first ones are not favoured."""
    found, total, weight = [], 0.0, 0.0
    for loss in losses:
        total, weight = keep * total + (1 - keep) * loss, keep * weight + (1 - keep)
        found.append(total / weight)
    return found


def board(folder: str, done: int = 0):
    """TensorBoard's writer into a folder (`tensorboard --logdir FOLDER`); what stands there of later steps goes."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ImportError("TensorBoard is not installed: pip install tensorboard") from None
    return SummaryWriter(folder, purge_step=done + 1)


def tensorboard(steps: Iterable[Step], folder: str, every: int = 10, done: int = 0) -> Iterator[Step]:
    """Write loss, rate and norm of the gradient into TensorBoard files, of a run with `done` steps behind it."""
    with board(folder, done) as writer:
        for step in steps:
            if (step.step + 1) % every == 0:
                for name in ("loss", "lr", "grad_norm"):
                    writer.add_scalar(name, getattr(step, name), step.step + 1)
            yield step
