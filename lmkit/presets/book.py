"""The book's own: what its chapters train on a laptop, in the manner of today's large ones."""

from functools import partial

from ..config import Config

_book = partial(Config, max_seq_len=256, norm="rmsnorm", positions="rope", init="fan_in", bias=False)

SIZES = {
    "this book 2026, lmkit.pretrain": {
        "tiny": _book(464, 96, 2, 3),  # the tales: one token per word
        "small": _book(65, 128, 4, 4),  # Shakespeare: one token per character
    }
}
