"""Unigram: each piece has a probability, and a text is cut so that the product of its probabilities is highest."""

import math
import random
import warnings

from . import lattice, unigram_files
from .base import Tokenizer, check_id
from .bpe import with_unk
from .byte_pieces import BYTES, join_bytes
from .checks import check_vocab, each_text, first_tokens, utf8
from .normalizers import Normalizer
from .spaces import Spaces, span
from .work import Candidate, Piece, Step, Work

UNKNOWN_PENALTY = 10.0  # SentencePiece's: an unknown character costs as much as the least probable piece, and this
REMEMBERED = 1 << 17  # words


class Unigram(Tokenizer):
    """The most probable way to cut each word into pieces (Kudo 2018, arXiv:1804.10959), as SentencePiece and T5 do it.

    pieces: [(piece, log-probability)] in the order of ids. unk: the special token for characters without a piece, the
    one special token that a text can bring about, one for a row of them; byte_fallback: their UTF-8 bytes instead, if
    the pieces "<0x00>" to "<0xFF>" are there. normalizer: steps for `Normalizer`. prepend, split_words, split_spaces:
    see `Spaces`. Special pieces and those of bytes are never found in a text, as in SentencePiece; in Hugging Face's
    library a text that spells one out gets it.
    """

    kind = "unigram"

    def __init__(
        self, pieces, *, special=("<unk>",), unk="<unk>", byte_fallback=False, normalizer=(), prepend="always",
        split_words=True, split_spaces=False,
    ):  # fmt: skip
        self.scores = [(piece, float(score)) for piece, score in pieces]
        self.vocab = {piece: i for i, (piece, _) in enumerate(self.scores)}
        if len(self.vocab) < len(self.scores):
            twice = next(piece for i, (piece, _) in enumerate(self.scores) if self.vocab[piece] != i)
            raise ValueError(f"the vocabulary holds {twice!r} twice")
        odd = next((piece for piece, score in self.scores if not math.isfinite(score)), None)
        if odd is not None:
            raise ValueError(f"the log-probability of {odd!r} is {dict(self.scores)[odd]}, which is no finite number")
        special = check_vocab(self.vocab, with_unk(special, unk))
        self.special = dict(sorted(special.items(), key=lambda item: item[1]))
        self.unk, self.byte_fallback = unk, byte_fallback
        self.normalizer, self.spaces = Normalizer(normalizer), Spaces(prepend, split_words, split_spaces)
        self.bytes = [self.vocab.get(name) for name in BYTES]
        self.unk_score = min(score for _, score in self.scores) - UNKNOWN_PENALTY
        hidden = {*self.special, *(BYTES if byte_fallback else ())}
        self.known = {}  # beginning of a piece: (id, score) if it is a piece itself, None if not
        for i, (piece, score) in enumerate(self.scores):
            if piece not in hidden:
                for end in range(1, len(piece)):
                    self.known.setdefault(piece[:end], None)
                self.known[piece] = i, score
        self.cache = {}

    @classmethod
    def train(cls, texts, vocab_size, *, special=("<unk>", "<s>", "</s>"), unk="<unk>", byte_fallback=False, **options):
        """Learn pieces and their probabilities from texts: see `unigram_training.learn`.

        Ids: special tokens, the bytes if byte_fallback, then pieces from the most to the least probable. All characters
        of the texts are pieces; the others hold letters alone, or line ends alone, or neither.
        """
        from .unigram_training import count_words, learn

        special = with_unk(special, unk)
        first = [*special, *(BYTES if byte_fallback else ())]
        blank = cls([(token, 0.0) for token in (*special, "")], special=special, unk=unk, **options)
        word_counts = count_words(blank.words, each_text(texts))
        first_tokens(first, sorted({c for word in word_counts for c in word}), vocab_size)
        learned = learn(word_counts, vocab_size - len(first), special=first)
        if len(learned) + len(first) < vocab_size:
            say = f"the text yields {len(learned) + len(first)} pieces, not the {vocab_size} asked for"
            warnings.warn(say, stacklevel=2)
        pieces = [*((token, 0.0) for token in first), *learned]
        return cls(pieces, special=special, unk=unk, byte_fallback=byte_fallback, **options)

    def words(self, text):
        """A text as Unigram sees it: normalized, each space a "▁", in words."""
        return [word for word, _, _ in self.spaces.words(*self.normalizer(text))]

    def edges(self, word):
        """Every piece that fits somewhere in a word: [(start, end, id, log-probability)], by their starts."""
        edges, known, size = [], self.known, len(word)
        for start in range(size):
            single = False
            for end in range(start + 1, size + 1):
                part = word[start:end]
                if part not in known:
                    break
                if known[part]:
                    edges.append((start, end, *known[part]))
                    single = single or end == start + 1
            if not single:
                edges.append((start, start + 1, None, self.unk_score))
        return edges

    def resolve(self, word, path):
        """A path of edges -> [(id, start, end)], its unknown stretches as `unk` or as bytes."""
        found = []
        for start, end, i, _ in path:
            if i is None and found and found[-1][0] is None:
                found[-1] = None, found[-1][1], end
            else:
                found.append((i, start, end))
        result = []
        for i, start, end in found:
            result += [(i, start, end)] if i is not None else self.unknown(word, start, end)
        return result

    def unknown(self, word, start, end):
        part = word[start:end]
        if self.known.get(part):  # a row of unknown characters may be a piece, but an improbable one
            return [(self.known[part][0], start, end)]
        if self.byte_fallback:
            ids = [self.bytes[byte] for byte in utf8(part)]
            if None not in ids:
                return [(i, start, end) for i in ids]
        if self.unk is None:
            raise ValueError(f"character {part[0]!r} (U+{ord(part[0]):04X}) in {word!r} has no piece; there is no unk")
        return [(self.special[self.unk], start, end)]

    def word(self, word):
        """A word -> [(id, start, end)] of the best path."""
        found = self.cache.get(word)
        if found is None:
            found = self.resolve(word, lattice.best(self.edges(word), len(word)))
            if len(self.cache) < REMEMBERED and len(word) < 256:
                self.cache[word] = found
        return found

    def encode(self, text):
        return [i for word in self.words(text) for i, _, _ in self.word(word)]

    def offsets(self, text):
        text, places = self.normalizer(text)
        words = self.spaces.words(text, places)
        return [span(found, start, end, places) for found in words for _, start, end in self.word(found[0])]

    def sample(self, text, alpha=1.0, seed=0):
        """The ids of one of all ways to cut the text, drawn with probability in proportion to P ** alpha.

        Subword regularization (Kudo 2018): a model trained on such draws sees each word cut in many ways. alpha 1 draws
        from the model's own distribution, 0 all ways alike; the best way comes nearly always if alpha is large.
        """
        if not alpha >= 0:
            raise ValueError(f"alpha is {alpha}; give a number from 0 on")
        source, ids = random.Random(seed), []
        for word in self.words(text):
            path = lattice.draw(self.edges(word), len(word), alpha, source)
            ids += [i for i, _, _ in self.resolve(word, path)]
        return ids

    def log_likelihood(self, text):
        """The log-probability of the text in nats: the sum over all ways to cut it, unknown characters penalized."""
        return sum(lattice.forward(self.edges(word), len(word))[-1] for word in self.words(text))

    def word_candidates(self, found, places):
        word = found[0]
        edges = self.edges(word)
        path = set(lattice.best(edges, len(word)))
        return [
            Candidate(
                self.unk or word[start:end] if i is None else self.label(i),
                *span(found, start, end, places),
                score,
                (start, end, i, score) in path,
            )
            for start, end, i, score in edges
        ]

    def decode(self, ids, special=False):
        tokens = [self.by_id[check_id(i, len(self))] for i in ids]
        tokens = [token for token in tokens if special or token not in self.special]
        if self.byte_fallback:
            tokens = join_bytes(tokens)
        return self.spaces.join(tokens)

    def to_json(self):
        return unigram_files.to_json(self)

    @classmethod
    def from_json(cls, data):
        """From the content of a tokenizer.json; ValueError if it holds parts that lmkit has not."""
        return unigram_files.from_json(cls, data)

    def show_work(self, text):
        """Words first, then one step per word: all pieces that fit in it, and the best path through them."""
        new, places = self.normalizer(text)
        words = self.spaces.words(new, places)
        rest = [Piece(found[0], *span(found, 0, len(found[0]), places)) for found in words]
        steps, done = [Step("normalize, write ▁ for each space, cut before ▁", tuple(rest))], []
        for number, found in enumerate(words):
            word, before = found[0], len(done)
            done += [Piece(self.label(i), *span(found, start, end, places), i) for i, start, end in self.word(word)]
            candidates = self.word_candidates(found, places)
            score = sum(candidate.score for candidate in candidates if candidate.best)
            fit = "1 piece fits" if len(candidates) == 1 else f"{len(candidates)} pieces fit"
            say = f"{fit} in {word!r}; the best path has log-probability {score:.2f}"
            pieces, changed = (*done, *rest[number + 1 :]), tuple(range(before, len(done)))
            steps.append(Step(say, pieces, changed, tuple(candidates)))
        return Work(self.kind, text, tuple(steps))
