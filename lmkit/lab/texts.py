"""What runs read: a corpus as a tokenizer's ids, what is held out of it, and the least loss that can be had there."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .. import corpora, ngrams
from ..choose import choose
from ..corpora import tales
from ..tokenizers import TOKENIZERS, Characters, Words

END = "<|endoftext|>"
N_WORDS = {"train": 1_000_000, "held out": 20_000}  # of the tales


@dataclass(frozen=True, eq=False)
class Text:
    """`ids` to train on and `held`; if there are stories, with an end token before the first and behind each.

    `starts` and `ends` are where the end tokens stand in `ids` and `held`; None in a text without stories. `n_bytes`
    and `floor_bits` are those of all that is held out; the floor is None where nobody knows it.
    """

    vocab_size: int
    ids: np.ndarray
    held: np.ndarray
    starts: np.ndarray | None
    ends: np.ndarray | None
    bytes_per_token: float  #: of what is trained on
    n_bytes: int
    floor_bits: float | None
    counter: float | None  #: bits per byte of a 5-gram counter of characters, where there is no floor

    @property
    def digest(self) -> str:
        """A mark of the data itself: sha256 of the ids."""
        whole = hashlib.sha256(np.ascontiguousarray(self.ids))
        whole.update(np.ascontiguousarray(self.held))
        return whole.hexdigest()[:16]


def text_for(settings: dict) -> Text:
    """The text of a run's settings: corpus, level, tokenizer."""
    tokenizer = settings["tokenizer"]
    how = tuple(sorted(tokenizer.items())) if isinstance(tokenizer, dict) else (("name", tokenizer),)
    return _stories(settings["level"], how) if settings["corpus"] == "tales" else _plain(settings["corpus"], how)


@lru_cache
def told(level: int) -> tuple:
    return tuple(tales.generate(n, seed, level=level) for seed, n in enumerate(N_WORDS.values()))


@lru_cache
def _stories(level: int, how: tuple) -> Text:
    train, held_out = told(level)
    if dict(how) == {"name": "words"}:
        tokenizer = Words(tales.vocabulary(level))
        end = tokenizer.vocab[tales.END]
        (ids, starts), (held, ends) = (
            (np.array([end, *tokenizer.ids(part.words)], dtype=np.uint16), np.array([*part.starts, len(part.words)]))
            for part in (train, held_out)
        )
    else:
        tokenizer = trained(dict(how), train.text[:1_000_000])
        split = (part.text.rstrip().split(tales.END) for part in (train, held_out))
        (ids, starts), (held, ends) = (joined(tokenizer, stories) for stories in split)
    size = len(train.text.encode())
    n_bytes, floor = len(held_out.text.encode()), tales.floor(held_out).bits_per_byte
    return Text(len(tokenizer), ids, held, starts, ends, size / len(ids), n_bytes, floor * n_bytes, None)


@lru_cache
def _plain(corpus: str, how: tuple) -> Text:
    text = corpora.text(corpus)
    to_read, rest = corpora.parts(text)
    tokenizer = trained(dict(how), to_read[:1_000_000], whole=text)
    ids, held = (np.array(tokenizer.encode(part), dtype=np.uint16) for part in (to_read, rest))
    size, n_bytes = len(to_read.encode()), len(rest.encode())
    return Text(len(tokenizer), ids, held, None, None, size / len(ids), n_bytes, None, counted(corpus))


@lru_cache
def counted(corpus: str) -> float:
    """Bits per byte of the counting 5-gram on the last tenth: what a model has to beat to be worth its while."""
    text = corpora.text(corpus)
    (to_read, rest), characters = corpora.parts(text), Characters(text)
    counts = ngrams.fit(characters.encode(to_read), order=5, vocab_size=len(characters))
    return float(counts.losses(characters.encode(rest)).sum() / np.log(2) / len(rest.encode()))


def trained(how: dict, text: str, whole: str | None = None):
    """A tokenizer by name and options, trained on `text`; characters know those of the whole text."""
    special = {"unigram": ("<unk>", END), "wordpiece": ("[UNK]", END)}.get(how["name"], (END,))
    options = {name: value for name, value in how.items() if name != "name"}
    if how["name"] == "bytes":
        return TOKENIZERS["bytes"](special=special)
    if how["name"] == "characters":
        return Characters.train([whole or text], special=special)
    return choose(how["name"], TOKENIZERS).train([text], special=special, **options)


def joined(tokenizer, stories: list[str]) -> tuple[np.ndarray, np.ndarray]:
    end = tokenizer.special[END]
    parts = [[*part, end] for part in tokenizer.encode_batch(stories)]
    lengths = np.cumsum([0, *map(len, parts)])
    return np.array([end, *(i for part in parts for i in part)], dtype=np.uint16), lengths


def seq_len_for(settings: dict, text: Text) -> int:
    """Tokens per window: seq_len, or as many as make window_bytes, but no fewer than the longest story."""
    if settings["window_bytes"] is None:
        return settings["seq_len"]
    wanted = round(settings["window_bytes"] / text.bytes_per_token)
    return wanted if text.ends is None else max(wanted, int(np.diff(text.ends).max()))


def held_out(text: Text, T: int) -> tuple[np.ndarray, np.ndarray, float, float | None]:
    """Rows (n, T + 1) of all that is held out, which of their targets count (n, T), its bytes, its floor in bits.

    Of stories a row holds as many as fit as a whole, so that each is scored once, from its beginning, and the floor is
    exact. Without stories windows follow one another, and what is left over at the end is not scored.
    """
    if text.ends is None:
        n = (len(text.held) - 1) // T
        if not n:
            raise ValueError(f"a window of {T + 1} tokens does not fit into the {len(text.held)} that are held out")
        rows = text.held[np.arange(n)[:, None] * T + np.arange(T + 1)]
        return rows, np.ones((n, T), dtype=bool), text.n_bytes * n * T / len(text.held), None
    first, firsts, lasts = 0, [], []
    while first < len(text.ends) - 1:
        last = int(np.searchsorted(text.ends, text.ends[first] + T, side="right")) - 1
        if last == first:
            longest = int(np.diff(text.ends).max())
            raise ValueError(f"windows of {T} tokens cannot hold stories of up to {longest}; try seq_len={longest}")
        firsts.append(text.ends[first])
        lasts.append(text.ends[last])
        first = last
    firsts, lasts = np.array(firsts), np.array(lasts)
    padded = np.append(text.held, np.full(T, text.held[0]))
    real = np.arange(1, T + 1) <= (lasts - firsts)[:, None]
    return padded[firsts[:, None] + np.arange(T + 1)], real, text.n_bytes, text.floor_bits
