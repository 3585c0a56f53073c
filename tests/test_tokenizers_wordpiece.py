"""WordPiece: BERT's rules against the Rust library's, training against brute force and Hugging Face's trainer."""

import itertools
import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
import tokenizers as hub
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_texts import nasty_texts

from lmkit.corpora import tales
from lmkit.tokenizers import WordPiece, from_dict, load
from lmkit.tokenizers.bert import BertRules
from lmkit.tokenizers.merges import learn, recount
from lmkit.tokenizers.rust_unicode import CLASSES, DECOMPOSITIONS, FORMATS, LOWER, MARKS, PUNCTUATION
from lmkit.tokenizers.wordpiece import SPECIAL, alphabet, count_words
from lmkit.tokenizers.wordpiece_training import Pairs, learn_by_likelihood, replaced, symbols

SHAKESPEARE = Path(__file__).resolve().parents[2] / "shared/data/tinyshakespeare.txt"
TEXT = "She sells seashells by the seashore; the shells she sells are surely seashells. " * 3
TEXT += "An unhappy wanderer wondered whether wandering was wonderful. Don't ask why!"
CHARACTERS = [chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF]
RULES = [
    dict(lower=lower, strip_accents=strip, clean=clean, chinese=chinese)
    for lower, clean, chinese in itertools.product([True, False], repeat=3)
    for strip in (None, True, False)
]


def rust(vocab, lower=True, strip_accents=None, clean=True, chinese=True):
    """The Rust library's tokenizer with the same vocabulary and rules, which leaves special tokens in text alone."""
    tok = hub.Tokenizer(hub.models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.normalizer = hub.normalizers.BertNormalizer(clean, chinese, strip_accents, lower)
    tok.pre_tokenizer = hub.pre_tokenizers.BertPreTokenizer()
    tok.decoder = hub.decoders.WordPiece()
    tok.add_special_tokens([token for token in SPECIAL if token in vocab])
    tok.encode_special_tokens = True
    return tok


@pytest.fixture(scope="module")
def vocab():
    """Pieces from nasty texts, in both cases and with accents: not all their characters, so that some stay unknown."""
    pieces = {}
    for rules in (RULES[0], RULES[-1]):
        pieces |= WordPiece.train([TEXT, *nasty_texts(300, 1)], 2500, **rules).vocab
    kept = [piece for n, piece in enumerate(pieces) if piece not in SPECIAL and n % 7]
    return {piece: i for i, piece in enumerate([*SPECIAL, *kept])}


def assert_same(vocab, rules, texts, decoded=True):
    ours, theirs = WordPiece(vocab, **rules), rust(vocab, **rules)
    for text in texts:
        there, ids = theirs.encode(text, add_special_tokens=False), ours.encode(text)
        assert ids == there.ids, (rules, text)
        assert ours.offsets(text) == there.offsets, (rules, text)
        if decoded:
            assert ours.decode(ids) == theirs.decode(ids), (rules, text)
            assert ours.decode(ids, special=True) == theirs.decode(ids, skip_special_tokens=False), (rules, text)


def test_the_ids_and_spans_of_the_rust_library(vocab):
    for n, rules in enumerate(RULES):
        assert_same(vocab, rules, nasty_texts(130, n))


def test_the_ids_and_spans_of_the_rust_library_on_corpora():
    corpora = [tales.generate(3000, seed=2).text, *([SHAKESPEARE.read_text("utf-8")] if SHAKESPEARE.is_file() else [])]
    assert_same(WordPiece.train(corpora, 2000).vocab, {}, corpora, decoded=False)


@pytest.mark.slow
def test_the_ids_and_spans_of_the_rust_library_on_100_000_texts(vocab):
    for n, rules in enumerate(RULES):
        assert_same(vocab, rules, nasty_texts(4200, 100 + n), decoded=False)


def words_of(characters, rules):
    """Words of each character between letters, ours and the Rust library's."""
    text = "\n".join(f"a{c}B" for c in characters)
    ours = [word for _, stretch in BertRules(**rules).stretches(text) for word, _ in BertRules(**rules).words(stretch)]
    theirs = rust({"[UNK]": 0}, **rules)
    normal = theirs.normalizer.normalize_str(text)
    return ours, [word for word, _ in theirs.pre_tokenizer.pre_tokenize_str(normal)]


@pytest.mark.parametrize("rules", [RULES[0], RULES[-1]], ids=["uncased", "cased"])
def test_disputed_characters(rules):
    """Where Python's tables of Unicode are not those of the Rust library, and their neighbours; and a sample of all."""
    tables = set().union(FORMATS, MARKS, PUNCTUATION, CLASSES, DECOMPOSITIONS, LOWER, "\u1734\u166d\U000111c9")
    near = {chr(ord(c) + step) for c in tables for step in (-1, 0, 1)}
    ours, theirs = words_of([*sorted(near), *CHARACTERS[:0x600], *CHARACTERS[::97]], rules)
    assert ours == theirs


@pytest.mark.slow
def test_every_character():
    for start in range(0, len(CHARACTERS), 100_000):
        ours, theirs = words_of(CHARACTERS[start : start + 100_000], RULES[0])
        assert ours == theirs


def test_by_hand():
    tokens = ["[PAD]", "[UNK]", "em", "##bed", "##ding", "##s", "##d", "em##bed", "don", "'", "t", "cafe"]
    tok = WordPiece.from_vocab([token + "\n" for token in tokens])
    assert tok.tokens("Embeddings don't") == ["em", "##bed", "##ding", "##s", "don", "'", "t"]
    assert tok.offsets("Embeddings don't") == [(0, 2), (2, 5), (5, 9), (9, 10), (11, 14), (14, 15), (15, 16)]
    assert tok.decode(tok.encode("Embeddings don't")) == "embeddings don ' t"
    assert tok.tokens("embeds bed CAFÉ") == ["em", "##bed", "##s", "[UNK]", "cafe"]
    assert tok.offsets("embeds be\0d CAFE\u0301")[-2:] == [(7, 11), (12, 16)]
    assert tok.encode("") == tok.offsets("") == tok.encode(" \n\t") == []
    assert tok.special == {"[PAD]": 0, "[UNK]": 1}
    longest = WordPiece.from_vocab(["[UNK]", "a", "##a"])
    assert longest.encode("a" * 100) == [1, *[2] * 99] and longest.encode("a" * 101) == [0]


def test_special_tokens_cannot_be_typed():
    """Not even if they look like words; only what is unknown gets a special id, [UNK]'s."""
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "mask", "##end")
    words = ["[", "]", "cls", "the", "##m", "m", "ma", "##sk", "un", "##k"]
    tok = WordPiece({token: i for i, token in enumerate([*special, *words])}, special=special)
    for text in ("[CLS]", "mask", "themask", "unend", "[UNK] [PAD] ##end", "[MASK]"):
        assert not {0, 2, 3, 4, 5} & set(tok.encode(text)), text
    assert tok.tokens("mask [CLS]") == ["ma", "##sk", "[", "cls", "]"]
    assert tok.decode([2, *tok.encode("mask"), 3]) == "mask"
    assert tok.decode([2, *tok.encode("mask"), 3], special=True) == "[CLS] mask [SEP]"


# Training


def trained_there(words, size):
    """Hugging Face's trainer, given words that need no normalization: its pieces in the order of ids."""
    tok = hub.Tokenizer(hub.models.WordPiece(unk_token="[UNK]"))
    tok.pre_tokenizer = hub.pre_tokenizers.WhitespaceSplit()
    trainer = hub.trainers.WordPieceTrainer(vocab_size=size, special_tokens=list(SPECIAL), show_progress=False)
    tok.train_from_iterator([" ".join(words)], trainer)
    return sorted(tok.get_vocab(), key=tok.get_vocab().get)


@pytest.mark.parametrize("size", [70, 90, 10_000])
def test_the_vocabulary_of_hugging_face_s_trainer(size):
    """Of pairs that occur equally often it takes the one with the smallest ids, but characters within words have ids by

    chance there, others each time. Given its numbers, ours learns the same pieces in the same order.
    """
    counts = count_words(TEXT, BertRules())
    there = trained_there(counts.elements(), size)
    first = len(SPECIAL) + len(alphabet(counts))
    assert set(there[:first]) == {*SPECIAL, *alphabet(counts)}
    words = [(symbols(word), count) for word, count in counts.items()]
    assert learn(words, there[:first], size, prefix="##")[0] == there


def test_training_keeps_to_the_rules():
    tok = WordPiece.train("Äpfel Äpfel APFEL", 31, lower=False)
    assert {"Ä", "A", "Äpfel"} <= set(tok.vocab) and tok.tokens("Äpfel") == ["Äpfel"]
    assert tok.rules.lower is False
    tok = WordPiece.train("Äpfel Äpfel APFEL", 18, lower=True)
    assert "a" in tok.vocab and not {"Ä", "A", "ä"} & set(tok.vocab) and tok.tokens("Äpfel") == ["apfel"]


def test_training_numbers_characters_by_code_point():
    counts = count_words(TEXT, BertRules())
    start = [*SPECIAL, *sorted(set(TEXT.lower()) - {" "})]
    start += ["##" + c for c in sorted(set("".join(word[1:] for word in counts)))]
    words = [(symbols(word), count) for word, count in counts.items()]
    ours = WordPiece.train(iter([TEXT]), 80)
    assert sorted(ours.vocab, key=ours.vocab.get) == recount(words, start, 80, prefix="##")[0]


@pytest.mark.slow
@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="tinyshakespeare.txt is not here")
def test_the_vocabulary_of_hugging_face_s_trainer_on_shakespeare():
    counts = count_words(SHAKESPEARE.read_text("utf-8"), BertRules())
    there = trained_there(counts.elements(), 4096)
    first = len(SPECIAL) + len(alphabet(counts))
    words = [(symbols(word), count) for word, count in counts.items()]
    assert learn(words, there[:first], 4096, prefix="##")[0] == there


def by_likelihood(counts, tokens, size):
    """The definition, all counted anew for each pair joined, in whole numbers."""
    tokens, words = list(tokens), {word: symbols(word) for word in counts}
    while len(tokens) < size:
        pieces, pairs = Counter(), Counter()
        for word, cut in words.items():
            for piece in cut:
                pieces[piece] += counts[word]
            for pair in zip(cut, cut[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        value = {(a, b): Fraction(pairs[a, b], pieces[a] * pieces[b]) for a, b in pairs}
        a, b = min(value, key=lambda pair: (-value[pair], tokens.index(pair[0]), tokens.index(pair[1])))
        if a + b[2:] not in tokens:
            tokens.append(a + b[2:])
        words = {word: replaced(cut, (a, b), a + b[2:]) for word, cut in words.items()}
    return tokens


CORPORA = st.dictionaries(st.text("abc", min_size=1, max_size=7), st.integers(1, 9), min_size=1, max_size=8)


@settings(deadline=None)
@given(CORPORA, st.integers(0, 12))
def test_likelihood_against_its_definition(counts, more):
    tokens = alphabet(counts)
    words = [(symbols(word), count) for word, count in counts.items()]
    assert learn_by_likelihood(words, tokens, len(tokens) + more) == by_likelihood(counts, tokens, len(tokens) + more)


def test_likelihood_on_a_text():
    counts = count_words(TEXT, BertRules())
    start = [*SPECIAL, *alphabet(counts)]
    ours = WordPiece.train(TEXT, len(start) + 40, score="likelihood")
    assert sorted(ours.vocab, key=ours.vocab.get) == by_likelihood(counts, start, len(start) + 40)
    assert ours.vocab.keys() != WordPiece.train(TEXT, len(start) + 40).vocab.keys()


def test_scores_by_hand():
    """The corpus of Hugging Face's course, chapter 6: the pair (##g, ##s) is joined first, 5 / (20 * 5)."""
    counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    pairs = Pairs((symbols(word), count) for word, count in counts.items())
    found = {pair: pairs.score(pair) for pair in pairs.pairs}
    assert max(found, key=found.get) == ("##g", "##s") and found["##g", "##s"] == 1 / 20
    assert found["##u", "##g"] == found["h", "##u"] == 1 / 36 and found["p", "##u"] == 17 / (17 * 36)
    assert max(pairs.pairs.items(), key=lambda item: item[1]) == (("##u", "##g"), 20)


# What is shown, saved and refused


def test_show_work(vocab):
    tok = WordPiece.from_vocab(["[UNK]", "em", "##bed", "##ding", "##s", "em##bed", "naive", "!"])
    work = tok.show_work("Embeddings, naïve!")
    assert [step.say for step in work.steps] == [
        "normalize, cut at spaces and punctuation",
        "longest match of 'embeddings' in the vocabulary: 'em'",
        "then '##bed'",
        "then '##ding'",
        "then '##s'",
        "no piece of the vocabulary begins ',', so all of ',' is [UNK]",
        "longest match of 'naive' in the vocabulary: 'naive'",
        "longest match of '!' in the vocabulary: '!'",
    ]
    assert [piece.label for piece in work.steps[1].pieces] == ["em", "##beddings", ",", "naive", "!"]
    assert work.steps[1].changed == (0, 1) and work.steps[5].changed == (4,)
    assert "'##zz', so all of 'emzz' is [UNK]" in tok.show_work("emzz").steps[1].say
    assert "a word of 101 characters, more than 100: [UNK]" == tok.show_work("é" * 101).steps[1].say
    assert tok.show_work("").tokens == []
    for text in nasty_texts(60, 5):
        tok = WordPiece(vocab)
        work = tok.show_work(text)
        assert (work.kind, work.text, work.tokens) == ("wordpiece", text, tok.tokens(text))
        assert [piece.id for piece in work.steps[-1].pieces] == tok.encode(text)
        assert [(piece.start, piece.end) for piece in work.steps[-1].pieces] == tok.offsets(text)


@pytest.mark.parametrize("rules", [RULES[0], RULES[-1], dict(strip_accents=False)])
def test_saved_files_open_everywhere(rules, vocab, tmp_path):
    from transformers import PreTrainedTokenizerFast

    tok = WordPiece(vocab, **rules)
    tok.save(tmp_path / "tokenizer.json")
    ours, theirs = load(tmp_path), hub.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    theirs.encode_special_tokens = True
    fast = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    again = from_dict(json.loads(json.dumps(tok.to_dict())))
    assert type(ours) is type(again) is WordPiece and ours.special == tok.special
    marks = tok.encode("So? No!")
    assert ours.decode(marks) == again.decode(marks) == tok.decode(marks)
    for text in [TEXT, *nasty_texts(60, 7)]:
        ids = tok.encode(text)
        assert ids == ours.encode(text) == again.encode(text) == theirs.encode(text).ids
        assert tok.offsets(text) == theirs.encode(text).offsets
        if "[" not in text:
            assert fast(text)["input_ids"] == ids


def test_vocab_txt_as_transformers_reads_it(tmp_path):
    from transformers import BertTokenizer

    pieces = sorted(WordPiece.train(TEXT, 100).vocab.items(), key=lambda item: item[1])
    (tmp_path / "vocab.txt").write_text("".join(piece + "\n" for piece, _ in pieces), encoding="utf-8")
    ours, theirs = load(tmp_path), BertTokenizer.from_pretrained(tmp_path)
    assert ours.encode(TEXT) == theirs(TEXT, add_special_tokens=False)["input_ids"]
    theirs.save_pretrained(tmp_path / "again")
    again = load(tmp_path / "again")
    assert again.encode(TEXT) == ours.encode(TEXT) and again.special == ours.special
    again.save(tmp_path / "third.json")
    theirs = hub.Tokenizer.from_file(str(tmp_path / "third.json"))
    assert theirs.encode("she sells").tokens[0] == "[CLS]"  # the post-processor went along, though not used here


def changed(part, **fields):
    data = WordPiece.train(TEXT, 80).to_json()
    data[part] = {**data[part], **fields} if fields else None
    return data


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: WordPiece({"[UNK]": 0, "a": 2}, special=()), "no token has the id 1"),
        (lambda: WordPiece({"a": 0}, special=()), r"special token '\[UNK\]' is not in the vocabulary"),
        (lambda: WordPiece.from_vocab(["[UNK]", "a", "a"]), "holds 'a' twice"),
        (lambda: WordPiece.train("", 100), "the text is empty"),
        (lambda: WordPiece.train([" \n", "\0"], 100), "the text is empty"),
        (lambda: WordPiece.train(TEXT, 20), "vocab_size is 20, but 5 special tokens and 40 symbols .* need 45"),
        (lambda: WordPiece.train(TEXT, 100, score="odds"), r"'odds' is not one of \['count', 'likelihood'\]"),
        (lambda: WordPiece.train(TEXT, 100).decode([100]), r"id 100 is not in 0\.\.99"),
        (lambda: WordPiece.train(TEXT, 100).decode([-1]), r"id -1 is not in 0\.\.99"),
        (lambda: WordPiece.from_json(changed("normalizer", type="Lowercase")), "its normalizer has type 'Lowercase'"),
        (lambda: WordPiece.from_json(changed("normalizer")), "must have a field 'normalizer'"),
        (lambda: WordPiece.from_json(changed("pre_tokenizer", type="Whitespace")), "has type 'Whitespace'"),
        (lambda: WordPiece.from_json(changed("decoder", type="Fuse")), "its decoder has type 'Fuse'"),
        (lambda: WordPiece.from_json(changed("model", vocab=[["a", 0]])), "'vocab' of type dict"),
        (lambda: WordPiece.from_json(changed("model", dropout=0.5)), "has a field 'dropout'"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()


def test_a_text_too_short_for_the_size_asked():
    with pytest.warns(UserWarning, match="the text yields 9 pieces, not the 50 asked for"):
        tok = WordPiece.train("ab", 50)
    assert sorted(tok.vocab, key=tok.vocab.get) == [*SPECIAL, "a", "b", "##b", "ab"]
