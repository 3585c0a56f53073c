"""The same tokenizers, run by Hugging Face's `tokenizers` in Rust: for corpora, where Python takes too long."""

import json
from pathlib import Path

from .base import Tokenizer


class Fast(Tokenizer):
    """A `tokenizers.Tokenizer` with the five methods of ours; see `fast`.

    What is special in it cannot be written in a text: "<|endoftext|>" in a text is so many characters. `rust` is the
    tokenizer itself, for whatever else it can do.
    """

    kind = "fast"

    def __init__(self, rust, ours=None):
        self.rust, self.ours = rust, ours
        self.rust.encode_special_tokens = True
        self.vocab = rust.get_vocab(with_added_tokens=True)
        added = rust.get_added_tokens_decoder()
        self.special = {token.content: i for i, token in sorted(added.items()) if token.special}

    def encode(self, text):
        return self.rust.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts):
        """One list of ids per text, on all cores."""
        return [each.ids for each in self.rust.encode_batch(texts, add_special_tokens=False)]

    def offsets(self, text):
        return self.rust.encode(text, add_special_tokens=False).offsets

    def decode(self, ids, special=False):
        return self.rust.decode(ids, skip_special_tokens=not special)

    def decode_batch(self, batch, special=False):
        """One text per list of ids."""
        return self.rust.decode_batch(batch, skip_special_tokens=not special)

    def label(self, i):
        return self.ours.label(i) if self.ours is not None else super().label(i)

    def show_work(self, text):
        """As the tokenizer of ours that this one was made from; ValueError if there was none."""
        if self.ours is None:
            raise ValueError("this tokenizer comes from a file that only the Rust library reads; it shows no work")
        return self.ours.show_work(text)

    def to_json(self):
        return json.loads(self.rust.to_str())


def fast(tokenizer) -> Fast:
    """A tokenizer of ours, a file, a folder or a name that `load` knows, or a `tokenizers.Tokenizer` -> run by Rust."""
    try:
        from tokenizers import Tokenizer as Rust
    except ImportError:
        raise ImportError("fast tokenizers need Hugging Face's package: pip install tokenizers") from None
    from .files import load, to_json

    if isinstance(tokenizer, Fast):
        return tokenizer
    if isinstance(tokenizer, Rust):
        return Fast(Rust.from_str(tokenizer.to_str()))
    ours = tokenizer if isinstance(tokenizer, Tokenizer) else load(Path(tokenizer) if tokenizer != "gpt2" else "gpt2")
    return Fast(Rust.from_str(json.dumps(to_json(ours), ensure_ascii=False)), ours)
