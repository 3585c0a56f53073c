"""WordPiece: BERT's tokenizer. The longest piece that fits comes first, then the longest of what is left."""

import warnings
from collections import Counter

from . import wordpiece_files
from .base import Tokenizer, check_id
from .bert import BertRules
from .bpe import with_unk
from .checks import check_vocab, each_text, first_tokens
from .merges import learn
from .wordpiece_training import SCORES, learn_by_likelihood, symbols
from .work import Piece, Step, Work

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CLEANUPS = [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m")]
CLEANUPS += [(" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")]
REMEMBERED = 1 << 17  # stretches between spaces


class WordPiece(Tokenizer):
    """Words cut into pieces of a vocabulary, greedily from the left; pieces within a word begin with "##".

    Schuster & Nakajima (2012); as BERT has it, Devlin et al. (2018). A word of more than `max_characters`, or one that
    runs into a stretch without a piece, is `unk` as a whole: the one special token that `encode` gives, because it
    marks what is unknown and no place in the data. lower, strip_accents, clean, chinese: see `BertRules`.
    """

    kind = "wordpiece"

    def __init__(
        self, vocab, *, special=SPECIAL, lower=True, strip_accents=None, clean=True, chinese=True, unk="[UNK]",
        prefix="##", max_characters=100, cleanup=True,
    ):  # fmt: skip
        special = check_vocab(vocab, with_unk(special, unk))
        self.special = dict(sorted(special.items(), key=lambda item: item[1]))
        self.vocab = dict(vocab)
        self.rules = BertRules(lower, strip_accents, clean, chinese)
        self.unk, self.prefix, self.max_characters, self.cleanup = unk, prefix, max_characters, cleanup
        self.pieces = {piece: i for piece, i in self.vocab.items() if piece not in self.special}
        self.longest = max(map(len, self.pieces), default=0)
        self.cache = {}

    @classmethod
    def from_vocab(cls, lines, lower=True, **options):
        """A vocabulary with one piece per line, in the order of ids: what BERT's vocab.txt holds."""
        pieces = [line.rstrip("\r\n") for line in lines]
        while pieces and not pieces[-1]:
            pieces.pop()
        twice = [piece for piece, n in Counter(pieces).items() if n > 1]
        if twice:
            raise ValueError(f"the vocabulary holds {twice[0]!r} twice")
        special = options.pop("special", [token for token in SPECIAL if token in pieces])
        return cls({piece: i for i, piece in enumerate(pieces)}, special=special, lower=lower, **options)

    @classmethod
    def train(cls, texts, vocab_size, *, special=SPECIAL, score="count", prefix="##", unk="[UNK]", **options):
        """Learn a vocabulary of `vocab_size` pieces: the special tokens, all characters, then joined neighbours.

        score: "count", the most frequent pair first, as Hugging Face's trainer has it, or "likelihood",
        count(ab) / (count(a) count(b)), the score that is usually given for Google's unpublished trainer.
        """
        if score not in SCORES:
            raise ValueError(f"score {score!r} is not one of {list(SCORES)}")
        special = with_unk(special, unk)
        rules = {name: options[name] for name in ("lower", "strip_accents", "clean", "chinese") if name in options}
        word_counts = count_words(texts, BertRules(**rules))
        tokens = first_tokens(special, alphabet(word_counts, prefix), vocab_size)
        words = [(symbols(word, prefix), count) for word, count in word_counts.items()]
        if score == "count":
            pieces, _ = learn(words, tokens, vocab_size, prefix=prefix, special=special)
        else:
            pieces = learn_by_likelihood(words, tokens, vocab_size, prefix=prefix, special=special)
        if len(pieces) < vocab_size:
            warnings.warn(f"the text yields {len(pieces)} pieces, not the {vocab_size} asked for", stacklevel=2)
        vocab = {piece: i for i, piece in enumerate(pieces)}
        return cls(vocab, special=special, prefix=prefix, unk=unk, **options)

    def match(self, word):
        """A word's pieces as (id, start, end), or None if a part of it has no piece."""
        found, start = [], 0
        while start < len(word):
            lead = self.prefix if start else ""
            for end in range(min(len(word), start + self.longest), start, -1):
                i = self.pieces.get(lead + word[start:end])
                if i is not None:
                    break
            else:
                return None
            found.append((i, start, end))
            start = end
        return found

    def stretch(self, stretch):
        """What stands between two spaces -> its (ids, starts, ends)."""
        known = self.cache.get(stretch)
        if known is None:
            ids, starts, ends = known = [], [], []
            for word, places in self.rules.words(stretch):
                found = self.match(word) if len(word) <= self.max_characters else None
                for i, start, end in found or [(self.special[self.unk], 0, len(word))]:
                    ids.append(i)
                    starts.append(places[start])
                    ends.append(places[end - 1] + 1)
            if len(self.cache) < REMEMBERED and len(stretch) < 256:
                self.cache[stretch] = known
        return known

    def encode(self, text):
        ids = []
        for _, stretch in self.rules.stretches(text):
            ids += self.stretch(stretch)[0]
        return ids

    def offsets(self, text):
        spans = []
        for at, stretch in self.rules.stretches(text):
            _, starts, ends = self.stretch(stretch)
            spans += [(at + start, at + end) for start, end in zip(starts, ends)]
        return spans

    def decode(self, ids, special=False):
        """Ids -> text, with spaces where English puts them; what the normalizer took from the text stays lost."""
        tokens = [self.by_id[check_id(i, len(self))] for i in ids]
        tokens = [token for token in tokens if special or token not in self.special]
        text = ""
        for n, token in enumerate(tokens):
            if n:
                token = token[len(self.prefix) :] if token.startswith(self.prefix) else " " + token
            for old, new in CLEANUPS if self.cleanup else ():
                token = token.replace(old, new)
            text += token
        return text

    def show_work(self, text):
        """Words first, then one step per decision: the longest piece at each place."""
        todo = [
            (word, [at + place for place in places])
            for at, stretch in self.rules.stretches(text)
            for word, places in self.rules.words(stretch)
        ]
        rest = [Piece(word, places[0], places[-1] + 1) for word, places in todo]
        steps = [Step("normalize, cut at spaces and punctuation", tuple(rest))]
        done = []
        for word, places in todo:
            rest = rest[1:]
            found = self.match(word) if len(word) <= self.max_characters else None
            if found is None:
                say = self.why_unknown(word)
                done.append(Piece(self.unk, places[0], places[-1] + 1, self.special[self.unk]))
                steps.append(Step(say, (*done, *rest), (len(done) - 1,)))
                continue
            for i, start, end in found:
                label = self.label(i)
                say = f"then {label!r}" if start else f"longest match of {word!r} in the vocabulary: {label!r}"
                done.append(Piece(label, places[start], places[end - 1] + 1, i))
                left = [Piece(self.prefix + word[end:], places[end], places[-1] + 1)] if end < len(word) else []
                changed = range(len(done) - 1, len(done) + len(left))
                steps.append(Step(say, (*done, *left, *rest), tuple(changed)))
        return Work(self.kind, text, tuple(steps))

    def to_json(self):
        return wordpiece_files.to_json(self)

    @classmethod
    def from_json(cls, data):
        """From the content of a tokenizer.json; ValueError if it holds parts other than BERT's."""
        return wordpiece_files.from_json(cls, data)

    def why_unknown(self, word):
        """The sentence of `show_work` for a word without pieces."""
        if len(word) > self.max_characters:
            return f"a word of {len(word)} characters, more than {self.max_characters}: {self.unk}"
        start = 0
        while start < len(word):
            pieces = ((self.prefix if start else "") + word[start:end] for end in range(len(word), start, -1))
            piece = next((piece for piece in pieces if piece in self.pieces), None)
            if piece is None:
                break
            start += len(piece) - (len(self.prefix) if start else 0)
        at = (self.prefix if start else "") + word[start:]
        return f"no piece of the vocabulary begins {at!r}, so all of {word!r} is {self.unk}"


def count_words(texts, rules):
    """{word: how often it stands in the texts}, in the order of first sight."""
    stretches = Counter()
    for text in each_text(texts):
        stretches.update(stretch for _, stretch in rules.stretches(text))
    counts = Counter()
    for stretch, count in stretches.items():
        for word, _ in rules.words(stretch):
            counts[word] += count
    return counts


def alphabet(word_counts, prefix="##"):
    """All characters in code-point order, then those that stand within a word, with the prefix."""
    inside = {c for word in word_counts for c in word[1:]}
    return [*sorted({c for word in word_counts for c in word}), *(prefix + c for c in sorted(inside))]
