"""Unigram: each piece has a probability, and a text is cut so that the product of its probabilities is highest."""

import heapq
import random
import re
import warnings

from . import lattice
from .base import Tokenizer, check_id
from .checks import check_vocab, each_text, first_tokens
from .normalizers import Normalizer
from .work import Candidate, Piece, Step, Work

SPACE = "▁"  # U+2581, which stands for a space, so that tokens can be joined without rules
WORD = re.compile(f"{SPACE}[^{SPACE}]*|[^{SPACE}]+")
STRETCH = re.compile("[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
UNKNOWN_PENALTY = 10.0  # SentencePiece's: an unknown character costs as much as the least probable piece, and this
REMEMBERED = 1 << 17  # words


class Unigram(Tokenizer):
    """The most probable way to cut each word into pieces (Kudo 2018, arXiv:1804.10959), as SentencePiece and T5 do it.

    pieces: [(piece, log-probability)] in the order of ids. unk: the special token for characters without a piece, the
    one special token that a text can bring about, one for a row of them; byte_fallback: their UTF-8 bytes instead, if
    the pieces "<0x00>" to "<0xFF>" are there. Words begin with "▁", written for a space; prepend "always",
    "first" or "never" puts one before the text, too. split_spaces: all other white space parts words as well, and is
    lost. Special pieces and those of bytes are never found in a text, as in SentencePiece; in Hugging Face's library,
    a text that spells one out gets it.
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
        if prepend not in ("always", "first", "never"):
            raise ValueError(f"prepend {prepend!r} is not one of ['always', 'first', 'never']")
        special = check_vocab(self.vocab, special if unk is None else (unk, *special))
        self.special = dict(sorted(special.items(), key=lambda item: item[1]))
        self.unk, self.byte_fallback = unk, byte_fallback
        self.prepend, self.split_words, self.split_spaces = prepend, split_words, split_spaces
        self.normalizer = Normalizer(normalizer)
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

        Ids: special tokens, the bytes if byte_fallback, then pieces from the most to the least probable.
        """
        from .unigram_training import count_words, learn

        special = special if unk is None or unk in special else (unk, *special)
        first = [*special, *(BYTES if byte_fallback else ())]
        cutter = cls([(token, 0.0) for token in first or ["a"]], special=special, unk=unk, **options)
        word_counts = count_words(cutter, each_text(texts))
        first_tokens(first, sorted({c for word in word_counts for c in word}), vocab_size)
        learned = learn(word_counts, vocab_size - len(first))
        if len(learned) + len(first) < vocab_size:
            say = f"the text yields {len(learned) + len(first)} pieces, not the {vocab_size} asked for"
            warnings.warn(say, stacklevel=2)
        pieces = [*((token, 0.0) for token in first), *learned]
        return cls(pieces, special=special, unk=unk, byte_fallback=byte_fallback, **options)

    def words(self, text):
        """A normalized text -> [(word, at, lead)]: text[at] is word[lead], and lead is 1 if a "▁" was put before."""
        if not text:
            return []
        found = []
        for match in STRETCH.finditer(text) if self.split_spaces else [re.match("(?s).*", text)]:
            stretch, at = match.group().replace(" ", SPACE), match.start()
            lead = self.prepend == "always" or (self.prepend == "first" and not at)
            lead = int(lead and not stretch.startswith(SPACE))
            stretch = SPACE * lead + stretch
            for word in WORD.finditer(stretch) if self.split_words else [re.match("(?s).*", stretch)]:
                start = word.start()
                found.append((word.group(), at + max(start - lead, 0), lead if not start else 0))
        return found

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
        return [i for word, _, _ in self.words(self.normalizer(text)[0]) for i, _, _ in self.word(word)]

    def offsets(self, text):
        text, starts, ends = self.normalizer(text)
        return [
            (starts[place(start, at, lead)], ends[place(end - 1, at, lead)])
            for word, at, lead in self.words(text)
            for _, start, end in self.word(word)
        ]

    def sample(self, text, alpha=1.0, seed=0):
        """The ids of one of all ways to cut the text, drawn with probability in proportion to P ** alpha.

        Subword regularization (Kudo 2018): a model trained on such draws sees each word cut in many ways. alpha 1 draws
        from the model's own distribution, 0 all ways alike; the best way comes nearly always if alpha is large.
        """
        source, ids = random.Random(seed), []
        for word, _, _ in self.words(self.normalizer(text)[0]):
            path = lattice.draw(self.edges(word), len(word), alpha, source)
            ids += [i for i, _, _ in self.resolve(word, path)]
        return ids

    def n_best(self, text, n):
        """The n most probable ways to cut the text, as [(log-probability, ids)], best first."""
        found = [(0.0, [])]
        for word, _, _ in self.words(self.normalizer(text)[0]):
            ways = lattice.n_best(self.edges(word), len(word), n)
            ways = [(score, [i for i, _, _ in self.resolve(word, path)]) for score, path in ways]
            both = [(a + b, before + ids) for a, before in found for b, ids in ways]
            found = heapq.nlargest(n, both, key=lambda way: way[0])
        return found

    def log_likelihood(self, text):
        """The log-probability of the text in nats: the sum over all ways to cut it, unknown characters penalized."""
        words = (word for word, _, _ in self.words(self.normalizer(text)[0]))
        return sum(lattice.forward(self.edges(word), len(word))[-1] for word in words)

    def candidates(self, text):
        """Every piece that fits somewhere in the text, as Candidates; `best` marks the path that `encode` takes."""
        text, starts, ends = self.normalizer(text)
        return [candidate for word in self.words(text) for candidate in self.word_candidates(word, starts, ends)]

    def word_candidates(self, found, starts, ends):
        word, at, lead = found
        edges = self.edges(word)
        path = set(lattice.best(edges, len(word)))
        return [
            Candidate(
                self.unk or word[start:end] if i is None else self.label(i),
                starts[place(start, at, lead)],
                ends[place(end - 1, at, lead)],
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
        if tokens and self.prepend != "never":
            tokens[0] = tokens[0].replace(SPACE, "")
        return "".join(tokens).replace(SPACE, " ")

    def to_json(self):
        from .unigram_files import to_json

        return to_json(self)

    @classmethod
    def from_json(cls, data):
        from .unigram_files import from_json

        return from_json(cls, data)

    def to_dict(self):
        return {"kind": self.kind, **self.to_json()}

    @classmethod
    def from_dict(cls, saved):
        return cls.from_json({key: value for key, value in saved.items() if key != "kind"})

    def show_work(self, text):
        """Words first, then one step per word: all pieces that fit in it, and the best path through them."""
        new, starts, ends = self.normalizer(text)
        words = self.words(new)
        rest = [Piece(word, starts[at], ends[place(len(word) - 1, at, lead)]) for word, at, lead in words]
        steps, done = [Step("normalize, write ▁ for each space, cut before ▁", tuple(rest))], []
        for number, (word, at, lead) in enumerate(words):
            before = len(done)
            for i, start, end in self.word(word):
                done.append(Piece(self.label(i), starts[place(start, at, lead)], ends[place(end - 1, at, lead)], i))
            candidates = self.word_candidates((word, at, lead), starts, ends)
            score = sum(candidate.score for candidate in candidates if candidate.best)
            say = f"{len(candidates)} pieces fit in {word!r}; the best path has log-probability {score:.2f}"
            pieces, changed = (*done, *rest[number + 1 :]), tuple(range(before, len(done)))
            steps.append(Step(say, pieces, changed, tuple(candidates)))
        return Work(self.kind, text, tuple(steps))


def place(index, at, lead):
    """Where a word's character stands in the normalized text; a "▁" put before it counts as its first character."""
    return at + max(index - lead, 0)


def utf8(text):
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        code = ord(text[error.start])
        raise ValueError(f"text holds a lone surrogate, U+{code:04X}, which UTF-8 cannot write") from None


def join_bytes(tokens):
    """Tokens, each run of byte pieces as the text it stands for, or a � for each byte if it stands for none."""
    result, run = [], bytearray()
    for token in [*tokens, ""]:
        if token in BYTES:
            run.append(BYTES.index(token))
            continue
        if run:
            try:
                result.append(run.decode("utf-8"))
            except UnicodeDecodeError:
                result.append("�" * len(run))
            run.clear()
        result.append(token)
    return result[:-1]
