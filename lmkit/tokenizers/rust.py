"""The same tokenizers, run by Hugging Face's `tokenizers` in Rust: for corpora, where Python takes too long."""

import json
import re

from .base import Tokenizer, check_id
from .byte_bpe import BYTE, ByteBPE
from .checks import each_text, first_tokens, utf8
from .patterns import GPT2
from .unigram import Unigram


class Fast(Tokenizer):
    """A `tokenizers.Tokenizer` with the methods of ours; made by `fast`, or by `Fast.train`.

    content: a tokenizer.json. rust: the Rust tokenizer made of it, for whatever else it can do. ours: the same one in
    Python, None if lmkit has none. What is special cannot be written in a text: "<|endoftext|>" in a text is so many
    characters. Where Rust's model knows no such rule, as a Unigram with "<s>" among its pieces, texts in which that
    would matter are left to `ours`; so are those that spell out a Unigram's "<unk>" or one of its bytes, "<0x41>".
    """

    kind = "fast"

    def __init__(self, content: str, ours=None):
        from tokenizers import Tokenizer as Rust

        self.rust, self.ours, self._content = Rust.from_str(content), ours, content
        rust = self.rust
        rust.no_padding()
        rust.no_truncation()
        rust.post_processor = None  # it would put special tokens in, and trim spans
        rust.encode_special_tokens = True
        self.vocab = rust.get_vocab(with_added_tokens=True)
        added = sorted(rust.get_added_tokens_decoder().items())
        self.special = {token.content: i for i, token in added if token.special}
        unk = getattr(rust.model, "unk_token", None) or getattr(ours, "unk", None)  # the one that text may bring about
        self._forged = set()
        for token in self.special:
            for text in (token, f"a {token} a", f"a{token}a"):
                self._forged |= self._brought_about_by(text) & set(self.special.values()) - {self.special.get(unk)}
        spelled = [re.escape(ours.unk)] if isinstance(ours, Unigram) and ours.unk else []
        spelled += ["<0x[0-9A-F]{2}>"] if getattr(ours, "byte_fallback", False) else []
        self._spelled = re.compile("|".join(spelled)) if spelled else None
        if self._forged and ours is None:
            forged = rust.id_to_token(min(self._forged))
            raise ValueError(f"text could forge the special token {forged!r}, because this model has it as a piece")

    @classmethod
    def train(cls, texts, vocab_size, *, special=(), pattern=GPT2):
        """What `ByteBPE.train` learns, learned by Rust: the same merges and the same ids."""
        from tokenizers import Tokenizer as Rust
        from tokenizers import trainers

        special = list(first_tokens(special, sorted(BYTE), vocab_size))[:-256]
        empty = {token: i for i, token in enumerate(sorted(BYTE))}
        rust = Rust.from_str(json.dumps(ByteBPE(empty, [], pattern=pattern).to_json()))
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size, special_tokens=special, initial_alphabet=sorted(BYTE), show_progress=False
        )
        rust.train_from_iterator(each_text(texts), trainer)
        return fast(rust)

    @classmethod
    def load(cls, path):
        """What `fast` makes of a file, a folder, or "gpt2"."""
        return fast(path)

    def __len__(self):
        return max(self.vocab.values()) + 1

    def encode(self, text):
        try:
            ids = self.rust.encode(text).ids
        except Exception:  # the package raises Exception itself
            self._say_why(text)
            raise
        return self.ours.encode(text) if self._for_ours(text, ids) else ids

    def encode_batch(self, texts):
        """One list of ids per text, on all cores."""
        texts = list(texts)
        try:
            batch = [each.ids for each in self.rust.encode_batch_fast(texts)]
        except Exception:
            for text in texts:
                self._say_why(text)
            raise
        if not self._forged and not self._spelled:
            return batch
        return [self.ours.encode(text) if self._for_ours(text, ids) else ids for ids, text in zip(batch, texts)]

    def offsets(self, text):
        ids = self.encode(text)
        found = self.rust.encode(text)
        return found.offsets if found.ids == ids else self.ours.offsets(text)

    def decode(self, ids, special=False):
        ids = [check_id(i, len(self)) for i in ids]
        return self.rust.decode(ids, skip_special_tokens=not special)

    def label(self, i):
        return super().label(i) if self.ours is None else self.ours.label(i)

    def show_work(self, text):
        """The work as ours does it; ValueError if lmkit has none that gives the same ids."""
        if self.ours is None:
            raise ValueError("this tokenizer has parts that only the Rust library has, so it can show no work")
        return self.ours.show_work(text)

    def to_json(self):
        """The content of a tokenizer.json, the part that puts special tokens around a text included."""
        return json.loads(self._content)

    def to_dict(self):
        """That of the tokenizer in Python, which checkpoints keep."""
        if self.ours is None:
            raise ValueError("this tokenizer has parts that only the Rust library has; save it as a tokenizer.json")
        return self.ours.to_dict()

    def _for_ours(self, text, ids):
        """Whether a text gets ids from Rust that it would not get from ours."""
        return bool(self._forged and not self._forged.isdisjoint(ids) or self._spelled and self._spelled.search(text))

    def _brought_about_by(self, text):
        try:
            return set(self.rust.encode(text).ids)
        except Exception:  # a word or character that is not in the vocabulary
            return set()

    def _say_why(self, text):
        """Raise a ValueError in one sentence for a text that cannot be encoded."""
        if isinstance(text, str):
            utf8(text)
            if self.ours is not None:
                self.ours.encode(text)


def fast(tokenizer) -> Fast:
    """A tokenizer of ours, what `load` takes, or a `tokenizers.Tokenizer` -> the same, run by Rust."""
    try:
        from tokenizers import Tokenizer as Rust
    except ImportError:
        raise ImportError("fast tokenizers need Hugging Face's package: pip install tokenizers") from None
    from .files import from_json, load

    if isinstance(tokenizer, Fast):
        return tokenizer
    if isinstance(tokenizer, Rust):
        content = tokenizer.to_str()
        try:
            return Fast(content, from_json(json.loads(content)))
        except ValueError:  # parts that lmkit has not
            return Fast(content)
    ours = tokenizer if isinstance(tokenizer, Tokenizer) else load(tokenizer)
    return Fast(json.dumps(ours.to_json(), ensure_ascii=False), ours)
