"""How good is a model on a text? `python -m lmkit.evaluate tales story.txt`: bits per byte, and whether it knows
what it does not know.

Loss per token cannot be compared between tokenizers, for their tokens differ in size; bits per byte can.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from . import corpora
from .exchange import load
from .tokens import ids_of, text_of


@dataclass(frozen=True)
class Score:
    """What a model makes of a text: tokens that it was asked for, and its loss over them."""

    tokens: int
    nats: float  #: per token
    bytes: int  #: of the tokens asked for, in UTF-8

    @property
    def bits_per_byte(self) -> float:
        return self.nats * self.tokens / math.log(2) / self.bytes

    @property
    def perplexity(self) -> float:
        """exp(nats per token): comparable for one tokenizer only."""
        return math.exp(self.nats)


@dataclass(frozen=True)
class Calibration:
    """In each bin of the probability that the model gave its first guess: how many, how sure, how often right."""

    counts: Tensor  #: (bins)
    confidence: Tensor  #: (bins), the mean probability of the guesses; NaN where there are none
    accuracy: Tensor  #: (bins), the share of them that were right

    @property
    def error(self) -> float:
        """The expected calibration error: |accuracy - confidence|, each bin by its count. Guo et al. 2017,
        arXiv:1706.04599."""
        gaps = (self.accuracy - self.confidence).abs().nan_to_num()
        return float((gaps * self.counts).sum() / self.counts.sum())

    def __repr__(self) -> str:
        lines = [f"{'probability':<16}{'guesses':>9}{'said':>8}{'right':>8}"]
        for i, (n, said, right) in enumerate(zip(self.counts.tolist(), self.confidence, self.accuracy)):
            if n:
                place = f"{i / len(self.counts):.2f} to {(i + 1) / len(self.counts):.2f}"
                lines.append(f"{place:<16}{int(n):>9,}{float(said):>8.3f}{float(right):>8.3f}")
        return "\n".join([*lines, f"expected calibration error {self.error:.4f}"])


AT_ONCE = 2**26  # logits that are held at once, if a single window has no more
LONGEST = 2048  # tokens of a window that nobody asked for, where a model could look back further


@torch.no_grad()
def predictions(model: nn.Module, ids: Tensor, window: int, stride: int, batch_size: int = 16) -> Iterator[tuple]:
    """Logits (n, vocab_size) and targets (n) of every token of ids (N) but the first, in order, window by window.

    A window of `window` tokens moves on by `stride`; only what is new in it is asked for, so that each token but those
    of the first window has at least window - stride tokens before it.
    """
    if not 1 <= stride <= window:
        raise ValueError(f"the stride must lie between 1 and the window, {window}, not at {stride}")
    if len(ids) < 2:
        raise ValueError(f"a text of {len(ids)} token(s) leaves nothing to predict; give a longer one")
    window = min(window, len(ids) - 1)
    starts = [*range(0, len(ids) - 1 - window, stride), len(ids) - 1 - window]
    seen, was_training = 0, model.training
    batch_size = max(1, min(batch_size, AT_ONCE // (window * model.config.vocab_size)))
    model.eval()
    try:
        for i in range(0, len(starts), batch_size):
            some = starts[i : i + batch_size]
            logits = model(torch.stack([ids[at : at + window] for at in some]))  # (B, window, vocab_size)
            for at, of_window in zip(some, logits):
                new = at + window - seen
                yield of_window[window - new :].float(), ids[seen + 1 : at + window + 1]
                seen = at + window
    finally:
        model.train(was_training)


def measure(
    model: nn.Module, tokenizer, text: str, window: int | None = None, stride: int | None = None, bins: int = 10
) -> tuple[Score, Calibration]:
    """The model's loss on a text, without its first token, which nothing comes before, and how well it knows itself.

    `window` (default: the model's max_seq_len, at most 2048) is how far it looks back, `stride` (default: half of that)
    how far the window moves on. The calibration says how often the first guess is right, in `bins` of the probability
    that the model gave it. ValueError for a model that looks both ways, and for a text of fewer than two tokens.
    """
    ids = encoded(model, tokenizer, text)
    total, sure, right = 0.0, [], []
    for logits, targets in predictions(model, ids, *windows(model, window, stride)):
        log_p = logits.log_softmax(dim=-1)
        total -= log_p.gather(1, targets[:, None]).double().sum().item()
        best, guess = log_p.max(dim=-1)
        sure.append(best.exp())
        right.append(guess == targets)
    first, tokens = len(text_of(tokenizer, ids[:1].tolist()).encode("utf-8")), len(ids) - 1
    found = Score(tokens, total / tokens, len(text.encode("utf-8")) - first)
    return found, calibrated(torch.cat(sure), torch.cat(right), bins)


def calibrated(sure: Tensor, right: Tensor, bins: int = 10) -> Calibration:
    """The Calibration of guesses with probabilities `sure` (N), of which those in `right` (N) were."""
    place = (sure.double() * bins).long().clamp(max=bins - 1)
    none = torch.zeros(bins, dtype=torch.float64)
    sums = [none.index_add(0, place.cpu(), of.double().cpu()) for of in (sure, right)]
    counts = torch.bincount(place.cpu(), minlength=bins)
    return Calibration(counts, sums[0] / counts, sums[1] / counts)


def encoded(model: nn.Module, tokenizer, text: str) -> Tensor:
    """The ids of `text` (n) where the model is; ValueError for a model that is no causal language model."""
    if not model.config.causal or model.config.n_encoder_layers:
        raise ValueError("the bits of a text are asked of a causal language model; this one looks both ways")
    return torch.tensor(ids_of(tokenizer, text), device=next(model.parameters()).device)


def windows(model: nn.Module, window: int | None, stride: int | None) -> tuple[int, int]:
    """Window and stride in tokens, with what stands in for None: `max_seq_len`, at most LONGEST, and half a window."""
    window = min(LONGEST, model.config.max_seq_len) if window is None else window
    return window, max(1, window // 2) if stride is None else stride


def main(argv=None) -> None:
    """Run the command, `python -m lmkit.evaluate`."""
    parser = argparse.ArgumentParser(prog="python -m lmkit.evaluate", description=__doc__)
    add = parser.add_argument
    add("model", help="what lmkit.load takes: one of the book's models, a folder, or a model of the hub")
    add("text", help="a text file, the name of a known text (tinyshakespeare, excerpt, tales), or - for what comes in")
    add("--window", type=int, help="tokens that the model looks back (default: its max_seq_len, at most 2048)")
    add("--stride", type=int, help="tokens that the window moves on; fewer: slower, kinder (default: half of it)")
    add("--limit", type=int, metavar="CHARACTERS", help="read only so many")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="(default here: %(default)s)")
    o = parser.parse_args(argv)
    try:
        text = (sys.stdin.read() if o.text == "-" else corpora.text(o.text))[: o.limit]
        model, tokenizer = load(o.model, device=o.device)
        if tokenizer is None:
            raise ValueError(f"{o.model} has no tokenizer beside it, so a text cannot be read")
        found, known = measure(model, tokenizer, text, o.window, o.stride)
        print(f"{found.bits_per_byte:.4f} bits per byte over {found.bytes:,} bytes")
        print(f"{found.nats:.4f} nats per token over {found.tokens:,} tokens: perplexity {found.perplexity:.2f}\n")
        print(known)
    except (ValueError, OSError, ImportError, TypeError) as problem:
        sys.exit(f"lmkit.evaluate: {problem}")


if __name__ == "__main__":
    main()
