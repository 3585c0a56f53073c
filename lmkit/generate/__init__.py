"""Chapter 7. Generation: from a prompt to a text, token by token."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from .. import sampling


def generate(model: nn.Module, ids: Tensor, n: int, **how) -> Tensor:
    """Continue each row of `ids` (B, T) by n tokens -> (B, T + n), or by fewer if all rows have said a `stop` token.

    The keyword arguments are those of `stream`: temperature, top_k, top_p, min_p, repetition_penalty, seed, stop,
    real, source, source_real, use_cache.
    """
    tokens = list(stream(model, ids, n, **how))
    return torch.cat([ids, torch.stack(tokens, dim=1)], dim=1) if tokens else ids


def stream(
    model: nn.Module,
    ids: Tensor,
    n: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float | None = None,
    seed: int | torch.Generator = 0,
    stop: int | Iterable[int] | None = None,
    real: Tensor | None = None,
    source: Tensor | None = None,
    source_real: Tensor | None = None,
    use_cache: bool = True,
) -> Iterator[Tensor]:
    """Continue each row of `ids` (B, T) by n tokens, given out as they come, (B,) each.

    >>> for token in stream(model, ids, 100):
    ...     print(tokenizer.decode(token.tolist()), end="")

    How a token is drawn: see `sampling.sample`; before that, `repetition_penalty` is put on the tokens of the row, its
    prompt included. `seed` is a number, or a generator of the CPU to go on with. A row that has said one of the tokens
    `stop` repeats it, and the text ends when all rows have. Prompts of unequal length end together: `real` (B, T) is
    False for the padding on their left, and each is continued as if it were alone. `source` (B, S) is what an
    encoder-decoder reads, where `source_real` is True. With the cache, room for n tokens is taken at once, and a step
    computes one position; without it, all of them again. The tokens are the same. The model is in evaluation mode from
    the first token to the last, or until the iterator is closed. ValueError for prompts that cannot be continued.
    """
    start = _checked(model, ids, n, real, source, source_real)
    generator = seed if isinstance(seed, torch.Generator) else torch.Generator().manual_seed(seed)
    draw = partial(sampling.sample, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, generator=generator)
    return _stream(model, start, n, use_cache, repetition_penalty, draw, _stops(stop, model, ids))


@torch.no_grad()  # while a token is computed, not while the caller looks at it: torch knows what a generator is
def _stream(model, start, n, use_cache, penalty, draw, stops) -> Iterator[Tensor]:
    with evaluating(model):
        texts = Texts(model, n, use_cache, **start)
        stopped = torch.zeros_like(texts.ids[:, 0], dtype=torch.bool)
        for _ in range(n):
            logits = texts.logits()
            if penalty is not None:
                logits = sampling.repetition_penalty(logits, texts.said(logits.shape[-1]), penalty)
            new = draw(logits)
            if len(stops):
                new = torch.where(stopped, texts.ids[:, texts.length - 1], new)
                stopped = torch.isin(new, stops)
            texts.append(new)
            yield new
            if len(stops) and stopped.all():
                return


@torch.no_grad()
def beam_search(
    model: nn.Module,
    ids: Tensor,
    n: int,
    *,
    n_beams: int = 4,
    length_penalty: float = 1.0,
    stop: int | Iterable[int] | None = None,
    real: Tensor | None = None,
    source: Tensor | None = None,
    source_real: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Look for the likeliest continuation of up to n tokens: at every step keep the n_beams likeliest of those so far.

    The score of a continuation is Σ log P(token) / m^length_penalty, where m counts its tokens, the stop token
    included; it is complete when it has said a token of `stop` or has n tokens, and counts if it is then among the
    n_beams likeliest. The search of a row ends when n_beams are complete and no open one, at its present length,
    scores better than the last of these, as in transformers. Returns the best of each row, (B, T + m) with m that of
    the longest (the others repeat their stop token), and its score (B,), in nats. Other arguments: see `stream`.
    Lowerre 1976; the length penalty is that of Wu et al. 2016, arXiv:1609.08144, without their constants.
    """
    if n_beams < 1 or n < 1:
        raise ValueError(f"n_beams and n must be 1 or more, not {n_beams} and {n}")
    start, stops = _checked(model, ids, n, real, source, source_real), _stops(stop, model, ids)
    with evaluating(model):
        texts, best, B = Texts(model, n, True, **start), Best(ids, n, n_beams), len(ids)
        logits, copies = texts.logits(), torch.arange(B, device=ids.device).repeat_interleave(n_beams)
        texts.select(copies)
        logits, totals = logits[copies], torch.full((B, n_beams), -torch.inf, device=ids.device)
        totals[:, 0] = 0.0  # all beams begin alike, so that one of them speaks for all
        for m in range(1, n + 1):
            totals, rows, tokens = _candidates(logits, totals, (1 + len(stops)) * n_beams)
            complete = torch.isin(tokens, stops) | (m == n)
            scores = (totals / m**length_penalty).masked_fill(~complete, -torch.inf)
            best.offer(texts, rows[:, :n_beams], tokens[:, :n_beams], scores[:, :n_beams])
            totals, open_ones = totals.masked_fill(complete, -torch.inf).topk(n_beams)
            if best.settled(totals[:, 0] / m**length_penalty):
                break
            texts.select(rows.gather(1, open_ones).flatten())
            texts.append(tokens.gather(1, open_ones).flatten())
            logits = texts.logits()
    return best.ids[:, : best.lengths.max()], best.scores[:, 0]


def _candidates(logits: Tensor, totals: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """The k likeliest of all beams, each continued by every token, in order, (B, k) each: log-probability of the whole,
    row of the beam in the batch, token."""
    sampling.likeliest(logits)
    (B, n_beams), vocab_size = totals.shape, logits.shape[-1]
    every = totals[..., None] + logits.float().log_softmax(dim=-1).view(B, n_beams, vocab_size)
    totals, at = every.flatten(1).topk(min(k, n_beams * vocab_size))
    rows = at // vocab_size + n_beams * torch.arange(B, device=at.device)[:, None]
    return totals, rows, at % vocab_size


class Best:
    """The best complete text of each row so far, (B, T + n) with its last token repeated; the n_beams best scores."""

    def __init__(self, ids: Tensor, n: int, n_beams: int):
        B = len(ids)
        self.ids, self.lengths = torch.cat([ids, ids.new_zeros(B, n)], dim=1), ids.new_zeros(B)
        self.scores = torch.full((B, n_beams), -torch.inf, device=ids.device)
        self.closed = torch.zeros(B, 1, dtype=torch.bool, device=ids.device)

    def offer(self, texts: "Texts", rows: Tensor, tokens: Tensor, scores: Tensor) -> None:
        """Texts `rows` of the batch with one token more each, (B, n_beams)."""
        scores = scores.masked_fill(self.closed, -torch.inf)
        score, which = scores.max(dim=1, keepdim=True)
        text = texts.ids[rows.gather(1, which)[:, 0]]
        text[:, texts.length :] = tokens.gather(1, which)
        better = score > self.scores[:, :1]
        self.ids = torch.where(better, text, self.ids)
        self.lengths = torch.where(better[:, 0], texts.length + 1, self.lengths)
        self.scores = torch.cat([self.scores, scores], dim=1).topk(self.scores.shape[1]).values

    def settled(self, hopes: Tensor) -> bool:
        """Close the rows whose open texts have no better hope, (B,), than the last score; whether all are closed."""
        self.closed = self.closed | (hopes[:, None] <= self.scores[:, -1:])
        return bool(self.closed.all())


class Texts:
    """The texts of a batch as they grow, and what the model keeps of them from one token to the next."""

    def __init__(self, model, n, use_cache, *, ids, real, source, source_real):
        B, T = ids.shape
        self.model, self.length, self.read = model, T, 0
        self.ids = torch.cat([ids, ids.new_zeros(B, n)], dim=1)  # with room for what comes
        padded = real is not None and not real.all()
        self.real = torch.cat([real, real.new_ones(B, n)], dim=1) if padded else None
        self.caches = model.body.new_caches(T + n - 1) if use_cache else None
        memory = None if source is None else model.body.encode(source, real=source_real)
        self.seen = {} if memory is None else dict(memory=memory, source_real=source_real)

    def logits(self) -> Tensor:
        """The scores of the next token, (B, vocab_size); with caches only what is new is read."""
        ids = self.ids[:, self.read : self.length]
        real = None if self.real is None else self.real[:, : self.length]
        x = self.model.body(ids, real=real, caches=self.caches, **self.seen)
        self.read = self.length if self.caches else 0
        return self.model.logits(x[:, -1])

    def append(self, tokens: Tensor) -> None:
        self.ids[:, self.length] = tokens
        self.length += 1

    def select(self, rows: Tensor) -> None:
        """Keep these texts, in this order, repeated if repeated."""
        self.ids = self.ids[rows]
        self.real = None if self.real is None else self.real[rows]
        self.seen = {name: None if part is None else part[rows] for name, part in self.seen.items()}
        for cache in self.caches:
            cache.select(rows)

    def said(self, vocab_size: int) -> Tensor:
        """Which tokens each text holds, (B, vocab_size) of bool; what stands in place of padding does not count."""
        ids = self.ids[:, : self.length]
        there = torch.ones_like(ids) if self.real is None else self.real[:, : self.length].long()
        return ids.new_zeros(len(ids), vocab_size).scatter_add_(1, ids, there) > 0


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Inside the `with`, the model is in evaluation mode; afterwards in the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _checked(model, ids, n, real, source, source_real) -> dict:
    """What generation starts from, if the model can continue it."""
    if ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(f"a prompt has shape (B, T) with T of at least 1, not {tuple(ids.shape)}")
    T, config, limit = ids.shape[1], model.config, model.body.positions.limit
    if n < 0 or (limit is not None and T + n - 1 > limit):
        raise ValueError(f"n is {n}; expected 0 or more, and with the prompt's {T} at most {limit} positions")
    if not config.causal:
        raise ValueError("this model looks both ways (causal=False); only a causal one can continue a text")
    if real is not None and (real.shape != ids.shape or real.dtype != torch.bool):
        expected = f"that of ids, {tuple(ids.shape)}, and torch.bool"
        raise ValueError(f"real has the shape {tuple(real.shape)} and {real.dtype}; expected {expected}")
    if real is not None and not real[:, -1].all():
        raise ValueError(
            "there is padding at the end of a prompt, between it and its continuation; put it on the left, so that all "
            "prompts end together"
        )
    if (source is None) == bool(config.n_encoder_layers):
        verdict = "a source must be given" if source is None else "nothing reads a source"
        raise ValueError(f"n_encoder_layers is {config.n_encoder_layers}, so {verdict}")
    if source is not None and len(source) != len(ids):
        raise ValueError(f"there are {len(source)} sources for {len(ids)} prompts")
    return dict(ids=ids, real=real, source=source, source_real=source_real)


def _stops(stop: int | Iterable[int] | None, model: nn.Module, ids: Tensor) -> Tensor:
    """The stop tokens as a tensor, which may be empty."""
    stops = [] if stop is None else [stop] if isinstance(stop, int) else list(stop)
    vocab_size = model.config.vocab_size
    if not all(0 <= token < vocab_size for token in stops):
        raise ValueError(f"stop is {stop}; tokens go from 0 to {vocab_size - 1}")
    return torch.tensor(stops, dtype=torch.long, device=ids.device)
