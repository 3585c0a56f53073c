"""Watching a run: nothing of it changes, and what is shown is what was."""

import math
import sys

import pytest
import torch

from lmkit import watch
from lmkit.train import Step


def steps(n=30):
    return [Step(i, 0.1 * (i + 1), torch.tensor(2.0 + 1 / (i + 1)), torch.tensor(1.0)) for i in range(n)]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda run, tmp: watch.bar(run, 30, tokens=8),
        lambda run, tmp: watch.live(run),
        lambda run, tmp: watch.live(run, show=lambda picture: None),
        lambda run, tmp: watch.tensorboard(run, str(tmp)),
    ],
)
def test_steps_pass_as_they_are(wrap, tmp_path):
    run = steps()
    assert list(wrap(iter(run), tmp_path)) == run
    assert next(iter(wrap(iter(run), tmp_path))) is run[0]


def test_the_bar_says_loss_speed_and_share(capsys):
    list(watch.bar(steps(), 40, tokens=1000, flops=10**6, bits=0.5, peak=1e9, done=10, seconds=0.0))
    said = capsys.readouterr().err
    assert "100%" in said and "40/40" in said and "bits/byte" in said and "tokens/s" in said
    words = watch.said(1.5, 2000.0, 3_000_000, 0.25, 12e9)
    assert words == "loss 1.500 = 0.375 bits/byte, 2,000 tokens/s, 6.0 GFLOP/s, 50% of the peak"
    assert watch.said(1.5, 2000.0, None, None, None) == "loss 1.500, 2,000 tokens/s"


def test_a_bar_reads_the_loss_seldom():
    class Slow(Step):
        looked = 0

        @property
        def loss(self):
            Slow.looked += 1
            return 1.0

    run = [Slow(i, 0.1, None, None) for i in range(500)]
    list(watch.bar(run, 500, tokens=1, seconds=60.0))
    assert Slow.looked == 1, "at the end only"


def test_the_peak_is_what_a_product_takes():
    measured = watch.peak_flops("cpu")
    assert measured == watch.peak_flops("cpu") and 1e8 < measured < 1e14


def test_a_live_plot_grows_and_ends_with_all_steps():
    shown = []
    list(watch.live(steps(4), floor=2.0, seconds=0.0, show=shown.append))
    assert len(shown) == 5 and "after 1 steps" in repr(shown[0])
    assert repr(shown[-1]) == "the loss after 4 steps is 2.250 nats per token; the exact floor is 2.000"
    assert "<svg" in shown[-1].svg and "exact floor 2.000" in shown[-1].svg and "learning rate" in shown[-1].svg
    few = []
    list(watch.live(steps(4), seconds=60.0, show=few.append))
    assert len(few) == 2, "the first and the last"


def test_a_run_that_is_left_or_fails_is_drawn_to_its_end():
    def failing():
        yield from steps(3)
        raise ValueError("diverged")

    for end in ("break", "failure"):
        shown = []
        try:
            for step in watch.live(failing(), seconds=60.0, show=shown.append):
                if end == "break" and step.step == 2:
                    break
        except ValueError:
            assert end == "failure"
        assert len(shown) == 2 and "after 3 steps" in repr(shown[-1])


def test_outside_a_notebook_nothing_is_shown():
    assert watch.in_notebook() is None


def test_smoothing_is_a_weighted_mean():
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    weights = [0.95 ** (4 - i) for i in range(5)]
    wanted = sum(w * v for w, v in zip(weights, values)) / sum(weights)
    assert watch.smoothed(values)[-1] == pytest.approx(wanted) and watch.smoothed(values)[0] == 3.0
    assert math.isclose(watch.smoothed([2.0] * 9)[-1], 2.0)


def test_tensorboard_files_hold_what_was_logged(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    list(watch.tensorboard(steps(), str(tmp_path), every=10))
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(e.step, round(e.value, 4)) for e in events.Scalars("loss")] == [(10, 2.1), (20, 2.05), (30, 2.0333)]
    assert [round(e.value, 4) for e in events.Scalars("lr")] == [1.0, 2.0, 3.0]


def test_without_tensorboard_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match="TensorBoard is not installed: pip install tensorboard"):
        next(watch.tensorboard(steps(), "nowhere"))


def test_losses_are_written_as_they_are():
    picture = watch.plotted([6.1, 4.0, 1.1, 0.7], [0.1] * 4, 0.5, "exact floor")
    assert all(f">{tick}<" in picture.svg for tick in ("0.5", "1", "2", "4")) and "mathdefault" not in picture.svg
