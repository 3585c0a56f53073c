"""Unigram: the Rust library's ids and spans, and sums, draws and training against brute force over all ways to cut."""

import itertools
import json
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tokenizers as hub
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tokenizers_normalizers import CHARSMAP, NORMALIZERS
from tokenizer_texts import nasty_texts

from lmkit.corpora import tales
from lmkit.tokenizers import Unigram, fast, from_dict, lattice, load
from lmkit.tokenizers.byte_pieces import BYTES
from lmkit.tokenizers.unigram_files import as_rust_reads
from lmkit.tokenizers.unigram_training import (
    Lattices,
    count_words,
    learn,
    losses,
    maximize,
    other_ways,
    seed_pieces,
)

SHAKESPEARE = Path(__file__).resolve().parents[2] / "shared/data/tinyshakespeare.txt"
SPECIAL = ("<unk>", "<s>", "</s>")
TEXT = "She sells seashells by the seashore;\nthe shells she sells are surely seashells.\n\n" * 3
TEXT += "An unhappy wanderer wondered whether wandering was wonderful.\nDon't ask why!"
RULES = [
    dict(prepend=prepend, byte_fallback=byte_fallback, split_words=split_words, split_spaces=split_spaces)
    for prepend in ("always", "first", "never")
    for byte_fallback, split_words, split_spaces in itertools.product([True, False], repeat=3)
]


def rust(pieces, prepend="always", byte_fallback=False, split_words=True, split_spaces=False):
    """The Rust library's tokenizer with the same pieces and rules.

    It finds special pieces in a text that spells them out, and ours does not; so they have other names here.
    """
    names = {token: f"\U000f0000{token}" for token in SPECIAL}
    pieces = [(names.get(piece, piece), score) for piece, score in pieces]
    tok = hub.Tokenizer(hub.models.Unigram(pieces, unk_id=0, byte_fallback=byte_fallback))
    space = hub.pre_tokenizers.Metaspace(prepend_scheme=prepend, split=split_words)
    parts = [hub.pre_tokenizers.WhitespaceSplit(), space]
    tok.pre_tokenizer = hub.pre_tokenizers.Sequence(parts) if split_spaces else space
    space = hub.decoders.Metaspace(prepend_scheme=prepend, split=split_words)
    tok.decoder = hub.decoders.Sequence([hub.decoders.ByteFallback(), space]) if byte_fallback else space
    tok.add_special_tokens(list(names.values()))
    return tok


@pytest.fixture(scope="module")
def pieces():
    """Characters and stretches of nasty texts, not all; some log-probabilities equal, so that ways to cut are equal."""
    draw, found = random.Random(0), {"▁": -3.0}
    for text in [TEXT, *nasty_texts(600, 1)]:
        text = text.replace(" ", "▁")
        for c in set(text):
            if draw.random() < 0.5:
                found.setdefault(c, -float(draw.randint(5, 14)))
        for _ in range(min(len(text), 6)):
            start = draw.randrange(len(text))
            part = text[start : start + draw.choice([2, 2, 3, 4, 6])]
            found.setdefault(part, -float(draw.randint(6, 14)) if draw.random() < 0.5 else -draw.uniform(3, 14))
    return [(piece, score) for piece, score in found.items() if piece not in (*SPECIAL, *BYTES)]


def assert_same(pieces, rules, texts, decoded=True):
    first = [(token, 0.0) for token in (*SPECIAL, *(BYTES if rules["byte_fallback"] else ()))]
    ours, theirs = Unigram([*first, *pieces], special=SPECIAL, **rules), rust([*first, *pieces], **rules)
    unknown = 0
    for text in texts:
        if rules["byte_fallback"]:
            text = text.replace("<0x41>", "")  # the Rust library takes it for a byte, see below
        there, ids = theirs.encode(text), ours.encode(text)
        assert ids == there.ids, (rules, text)
        assert ours.offsets(text) == there.offsets, (rules, text)
        if decoded:
            assert ours.decode(ids) == theirs.decode(ids), (rules, text)
            all_there = theirs.decode(ids, skip_special_tokens=False).replace("\U000f0000", "")
            assert ours.decode(ids, special=True) == all_there, (rules, text)
        unknown += ids.count(0)
    assert bool(unknown) != rules["byte_fallback"]


def test_the_ids_and_spans_of_the_rust_library(pieces):
    for n, rules in enumerate(RULES):
        assert_same(pieces, rules, nasty_texts(130, n))


def test_the_ids_and_spans_of_the_rust_library_on_corpora():
    corpora = [tales.generate(3000, seed=2).text, *([SHAKESPEARE.read_text("utf-8")] if SHAKESPEARE.is_file() else [])]
    pieces = Unigram.train(corpora, 2000).scores[3:]
    assert_same(pieces, dict(byte_fallback=True), corpora, decoded=False)


@pytest.mark.slow
def test_the_ids_and_spans_of_the_rust_library_on_100_000_texts(pieces):
    for n, rules in enumerate(RULES):
        assert_same(pieces, rules, nasty_texts(4200, 100 + n), decoded=False)


def test_by_hand():
    tok = Unigram([("<unk>", 0), ("▁", -2), ("h", -3), ("u", -3), ("g", -3), ("hug", -5), ("▁hu", -6), ("s", -2.5)])
    assert tok.tokens("hugs") == ["▁", "hug", "s"] and tok.offsets("hugs") == [(0, 1), (0, 3), (3, 4)]
    assert tok.tokens("hu hx?s") == ["▁hu", "▁", "h", "<unk>", "s"]
    assert tok.offsets("hu hx?s") == [(0, 2), (2, 3), (3, 4), (4, 6), (6, 7)]
    assert tok.decode(tok.encode("hugs hug")) == "hugs hug" and tok.decode(tok.encode(" hug")) == "hug"
    assert tok.encode("") == tok.offsets("") == []
    assert tok.log_likelihood("hu") == pytest.approx(math.log(math.exp(-6) + math.exp(-8)))
    assert tok.log_likelihood("hu hu") == pytest.approx(2 * tok.log_likelihood("hu"))
    assert tok.log_likelihood("x") == pytest.approx(-2 - 6 - 10)  # the worst piece's, and SentencePiece's 10


def test_unknown_characters_that_are_a_piece_together():
    """They are found so only where a piece is less probable than they are, with scores that are no logarithms."""
    pieces = [("<unk>", 30.0), ("ab", 30.0), ("▁", 30.0)]
    assert Unigram(pieces).encode("ab abc") == rust(pieces).encode("ab abc").ids == [2, 1, 2, 0]


def test_special_tokens_and_bytes_cannot_be_typed():
    """Not even if their probability is 1; in SentencePiece they cannot, in Hugging Face's library they can."""
    characters = [(c, -9.0) for c in "<s>/unk0x41Aé▁"[:-2] + "▁" if c != "é"]
    pieces = [*((token, 0.0) for token in (*SPECIAL, *BYTES)), *dict(characters).items()]
    tok = Unigram(pieces, special=SPECIAL, byte_fallback=True)
    for text in ("<s>", "</s>", "<unk>", "<0x41>", "<s><0x41></s> <unk>"):
        ids = tok.encode(text)
        assert not set(ids) & set(range(3 + 256)) and tok.decode(ids) == text
    assert tok.encode("é") == [tok.vocab["▁"], 3 + 0xC3, 3 + 0xA9] and tok.offsets("é") == [(0, 1)] * 3
    assert tok.decode(tok.encode("A😀é")) == "A😀é" and tok.decode([3 + 0xC3, 3 + 0x41]) == "��"
    assert tok.decode([1, *tok.encode("s"), 2]) == "s"
    assert tok.decode([1, *tok.encode("s"), 2], special=True) == "<s> s</s>"


# Sums, draws and the best, against all ways to cut


def all_ways(tok, word):
    """Every way to cut a word into pieces, as [(score, [labels])]; a character without a piece is a piece, too."""
    known = {piece: score for piece, score in tok.scores if piece not in tok.special}
    ways = {0: [(0.0, [])]}
    for end in range(1, len(word) + 1):
        ways[end] = []
        for start in range(end):
            part = word[start:end]
            score = known.get(part, tok.unk_score if len(part) == 1 else None)
            if score is not None:
                ways[end] += [(before + score, [*parts, part]) for before, parts in ways[start]]
    return ways[len(word)]


PIECES = st.dictionaries(st.text("ab▁", min_size=1, max_size=4), st.integers(-40, -1), min_size=1, max_size=14)


@settings(deadline=None)
@given(PIECES, st.text("abc", max_size=9))
def test_best_and_sum_against_all_ways(scores, word):
    tok = Unigram([("<unk>", 0.0), *((piece, score / 4) for piece, score in scores.items())], prepend="never")
    ways, edges = all_ways(tok, word), tok.edges(word)
    best = lattice.best(edges, len(word))
    assert sum(score for *_, score in best) == max(score for score, _ in ways)
    assert [word[start:end] for start, end, *_ in best] in [parts for _, parts in ways]
    assert tok.log_likelihood(word) == pytest.approx(math.log(math.fsum(math.exp(score) for score, _ in ways)))


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_draws_come_as_often_as_they_should(alpha):
    """Pearson's chi-square over all ways to cut, against a bound that a right sampler passes but once in 10^9 times."""
    pieces = {"<unk>": 0, "a": -1, "b": -1.2, "ab": -1.5, "ba": -2.5, "▁": -1, "▁a": -1.6, "▁ab": -3}
    tok = Unigram(pieces.items())
    ways = all_ways(tok, "▁abab")
    weights = {tuple(tok.vocab[part] for part in parts): math.exp(alpha * score) for score, parts in ways}
    total, draws = sum(weights.values()), 6000
    seen = Counter(tuple(tok.sample("abab", alpha, seed)) for seed in range(draws))
    assert set(seen) <= set(weights)
    expected = {ids: draws * weight / total for ids, weight in weights.items()}
    square = sum((seen[ids] - count) ** 2 / count for ids, count in expected.items())
    free = len(expected) - 1
    assert min(expected.values()) > 5 and square < free + 2 * math.sqrt(free * 21) + 2 * 21  # Laurent & Massart 2000
    assert tok.sample("abab", alpha, 3) == tok.sample("abab", alpha, 3)
    assert tok.sample("abab", 1e3, 3) == tok.encode("abab")


# Training


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 9), min_size=1, max_size=6), st.randoms())
def test_expected_uses_against_all_ways(counts, draw):
    names = list(seed_pieces(counts))
    scores = np.array([-draw.uniform(0.5, 5) for _ in names])
    tok = Unigram([("<unk>", 0.0), *zip(names, scores)], prepend="never")
    uses, likelihood, best = Counter(), 0, []
    for word, count in counts.items():
        ways = all_ways(tok, word)
        total = math.fsum(math.exp(score) for score, _ in ways)
        likelihood += count * math.log(total)
        best.append(max(score for score, _ in ways))
        for score, parts in ways:
            for part in parts:
                uses[part] += count * math.exp(score) / total
    words = Lattices(counts, names)
    found = words.expected(scores, np.array(list(counts.values()), dtype=float))
    assert found[0] == pytest.approx(likelihood) and words.best(scores) == pytest.approx(best)
    assert found[1] == pytest.approx([uses[name] for name in names])


def test_losses_against_all_ways():
    counts = {"banana": 3, "ban": 5, "nab": 2, "ab": 1}
    names = list(seed_pieces(counts))
    scores = np.array([-1.0 - 0.7 * n % 3 for n in range(len(names))])
    found = losses(other_ways(names), scores, np.arange(1.0, len(names) + 1))
    for n, name in enumerate(names):
        known = dict(zip(names, scores))
        score = known.pop(name)
        ways = all_ways(Unigram([("<unk>", 0.0), *known.items()]), name) if len(name) > 1 else []
        best = max((score for score, _ in ways), default=-math.inf)
        assert found[n] == pytest.approx((n + 1) * (score - best)), name
    assert np.isinf(found[[len(name) == 1 for name in names]]).all() and np.isfinite(found).any()


def test_each_round_of_expectation_and_maximization_raises_the_likelihood():
    counts = count_words(Unigram([("<unk>", 0)]).words, [TEXT])
    seeds = seed_pieces(counts)
    words, weights = Lattices(counts, seeds), np.array(list(counts.values()), dtype=float)
    scores = maximize(np.array(list(seeds.values()), dtype=float), bayes=False)
    likelihoods = []
    for _ in range(30):
        likelihood, uses = words.expected(scores, weights)
        likelihoods.append(likelihood)
        scores = maximize(uses, bayes=False)
    rises = np.diff(likelihoods)
    assert (rises > -1e-9 * abs(likelihoods[0])).all() and likelihoods[-1] > 0.9 * likelihoods[0]
    assert rises[:3].min() > 0.1 > rises[-1]


def test_seeds_are_the_repeated_substrings():
    counts = {"▁banana": 3, "▁nab": 2, "a\nb": 1}
    text = "".join((word + " ") * count for word, count in counts.items())
    found = seed_pieces(counts)
    for word in counts:
        for start, end in itertools.combinations(range(len(word) + 1), 2):
            part = word[start:end]
            places = [i for i in range(len(text)) if text.startswith(part, i)]
            followers = {text[i + len(part)] for i in places}
            if len(part) == 1 or (len(places) > 1 and (" " in followers or len(followers) > 1)):
                assert found[part] == len(places) * len(part), part
            else:
                assert part not in found


def test_what_training_promises():
    tok = Unigram.train(TEXT, 90)
    order = sorted(tok.vocab, key=tok.vocab.get)
    assert len(tok) == 90 and order[:3] == list(SPECIAL) and tok.special == {"<unk>": 0, "<s>": 1, "</s>": 2}
    assert set(TEXT.replace(" ", "▁")) <= set(order)
    kinds = [["a" if c.isalpha() else c if c == "\n" else "." for c in p.removeprefix("▁")] for p in order[3:]]
    kinds = {"".join(kind) for kind in kinds}
    assert all(len(set(kind)) < 2 for kind in kinds) and {"aaa", "\n\n"} <= kinds
    scores = [score for _, score in tok.scores[3:]]
    assert scores == sorted(scores, reverse=True) and scores[-1] > -10
    assert math.fsum(map(math.exp, scores)) == pytest.approx(1)
    assert tok.decode(tok.encode(TEXT)) == TEXT and len(tok.encode(TEXT)) < len(TEXT) / 2
    assert Unigram.train([TEXT[:100], TEXT[100:]], 80).scores != tok.scores
    with_bytes = Unigram.train(TEXT, 340, byte_fallback=True)
    assert len(with_bytes) == 340 and with_bytes.decode(with_bytes.encode("Zoë 😀")) == "Zoë 😀"
    assert "▁seashells" in tok.vocab and tok.tokens("seashells") == ["▁seashells"]


def test_no_piece_is_learned_that_is_special():
    text = "### one\n### two\n### three\n" * 3
    tok = Unigram.train(text, 25, special=["<unk>", "###", "one"])
    assert tok.decode(tok.encode(text)) == text and not {1, 2} & set(tok.encode(text))


@pytest.mark.parametrize("byte_fallback", [False, True])
def test_what_is_spelled_out_is_left_to_ours(byte_fallback):
    tok = Unigram.train(TEXT + "<unk> <0x41>", 340 if byte_fallback else 90, byte_fallback=byte_fallback)
    texts = ["<unk>", "sea <unk>shells", "<0x41> sea", "sea", "😀 <s>"]
    assert fast(tok).encode_batch(texts) == [fast(tok).encode(text) for text in texts] == tok.encode_batch(texts)
    assert [fast(tok).offsets(text) for text in texts] == [tok.offsets(text) for text in texts]


def likelihood(tok, counts):
    return sum(count * lattice.forward(tok.edges(word), len(word))[-1] for word, count in counts.items())


def hugging_face(texts, size):
    """What Hugging Face's trainer makes of the same words."""
    tok = hub.Tokenizer(hub.models.Unigram())
    parts = hub.pre_tokenizers.Split(hub.Regex(r"▁?[\p{L}\p{M}]+|▁?[^\p{L}\p{M}▁\n]+|▁|\n+"), "isolated")
    tok.pre_tokenizer = hub.pre_tokenizers.Sequence([hub.pre_tokenizers.Metaspace(), parts])
    options = dict(vocab_size=size, special_tokens=list(SPECIAL), unk_token="<unk>", show_progress=False)
    tok.train_from_iterator(texts, hub.trainers.UnigramTrainer(**options))
    pieces = json.loads(tok.to_str())["model"]["vocab"]
    total = math.log(math.fsum(math.exp(score) for _, score in pieces[3:]))  # it leaves them a sum below 1
    return Unigram([*pieces[:3], *((piece, score - total) for piece, score in pieces[3:])], special=SPECIAL)


def test_training_is_no_worse_than_hugging_face_s():
    ours, theirs = Unigram.train(TEXT, 90), hugging_face([TEXT], 90)
    counts = count_words(ours.words, [TEXT])
    assert likelihood(ours, counts) > 1.02 * likelihood(theirs, counts)


@pytest.mark.slow
@pytest.mark.skipif(not SHAKESPEARE.is_file(), reason="tinyshakespeare.txt is not here")
def test_training_is_no_worse_than_hugging_face_s_on_shakespeare():
    text = SHAKESPEARE.read_text("utf-8")
    ours, theirs = Unigram.train(text, 4096), hugging_face([text], 4096)
    counts = count_words(ours.words, [text])
    assert len(ours) == len(theirs) == 4096
    assert likelihood(ours, counts) > 1.02 * likelihood(theirs, counts)
    assert ours.decode(ours.encode(text)) == text


# Behind a normalizer, shown, saved and refused


def test_unigram_behind_a_normalizer(pieces):
    """Spans lead through the normalizer, and "first" is the place in the text before it."""
    all_pieces = [*((token, 0.0) for token in SPECIAL), *pieces]
    for name, prepend, split_spaces in itertools.product(
        ["NFKC", "NFD", "Strip", "ALBERT"], ["always", "first"], [True, False]
    ):
        rules = dict(prepend=prepend, split_spaces=split_spaces)
        ours = Unigram(all_pieces, special=SPECIAL, normalizer=NORMALIZERS[name][0], **rules)
        theirs = rust(all_pieces, **rules)
        theirs.normalizer = NORMALIZERS[name][1]
        for text in nasty_texts(120, 8):
            there = theirs.encode(text)
            assert (ours.encode(text), ours.offsets(text)) == (there.ids, there.offsets), (name, rules, text)


def test_show_work(pieces):
    tok = Unigram([("<unk>", 0), ("▁", -2), ("h", -3), ("u", -3), ("g", -3), ("hug", -5), ("▁hu", -6), ("s", -2.5)])
    work = tok.show_work("hugs x")
    assert [step.say for step in work.steps] == [
        "normalize, write ▁ for each space, cut before ▁",
        "7 pieces fit in '▁hugs'; the best path has log-probability -9.50",
        "2 pieces fit in '▁x'; the best path has log-probability -18.00",
    ]
    assert [[piece.label for piece in step.pieces] for step in work.steps] == [
        ["▁hugs", "▁x"], ["▁", "hug", "s", "▁x"], ["▁", "hug", "s", "▁", "<unk>"],
    ]  # fmt: skip
    assert [step.changed for step in work.steps] == [(), (0, 1, 2), (3, 4)]
    shown = {(c.label, c.start, c.end, c.score, c.best) for c in work.steps[1].candidates}
    assert shown >= {("hug", 0, 3, -5.0, True), ("▁hu", 0, 2, -6.0, False), ("s", 3, 4, -2.5, True)} and len(shown) == 7
    assert tok.show_work("").tokens == []
    tok = Unigram([*((token, 0.0) for token in SPECIAL), *pieces], special=SPECIAL, normalizer=["NFKC"])
    for text in nasty_texts(60, 5):
        work = tok.show_work(text)
        assert (work.kind, work.text, work.tokens) == ("unigram", text, tok.tokens(text))
        assert [piece.id for piece in work.steps[-1].pieces] == tok.encode(text)
        assert [(piece.start, piece.end) for piece in work.steps[-1].pieces] == tok.offsets(text)


NORMALIZED = [dict(normalizer=NORMALIZERS["ALBERT"][0]), dict(normalizer=["NFKC"])]


@pytest.mark.parametrize("rules", [RULES[0], RULES[-1], *NORMALIZED])
def test_saved_files_open_everywhere(rules, tmp_path):
    from transformers import PreTrainedTokenizerFast

    tok = Unigram.train(TEXT, 340 if rules.get("byte_fallback") else 90, **rules)
    tok.save(tmp_path / "tokenizer.json")
    ours, theirs = load(tmp_path), hub.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    theirs.encode_special_tokens = True
    opened = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
    again = from_dict(json.loads(json.dumps(tok.to_dict())))
    assert type(ours) is type(again) is Unigram and ours.special == tok.special and ours.scores == tok.scores
    for text in [TEXT, *nasty_texts(60, 7)]:
        ids = tok.encode(text)
        assert ids == ours.encode(text) == again.encode(text)
        if "<" not in text:  # what spells out a special token or a byte is one there
            assert theirs.encode(text).ids == opened(text)["input_ids"] == ids
            assert theirs.encode(text).offsets == tok.offsets(text)
            assert theirs.decode(ids) == tok.decode(ids)


@pytest.mark.parametrize("name", ["T5Tokenizer", "AlbertTokenizer", "XLNetTokenizer", "XLMRobertaTokenizer"])
def test_files_that_transformers_writes(name, tmp_path):
    import transformers

    learned = learn(count_words(Unigram([("<unk>", 0)]).words, [TEXT.lower()]), 80)
    special = {"T5Tokenizer": ["<pad>", "</s>", "<unk>"]}
    special |= {"AlbertTokenizer": ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]}
    special |= {"XLNetTokenizer": ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"]}
    special |= {"XLMRobertaTokenizer": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]}
    vocab = [*((token, 0.0) for token in special[name]), *learned]
    vocab += [(f"<extra_id_{i}>", 0.0) for i in range(99, -1, -1)] if name == "T5Tokenizer" else []
    theirs = getattr(transformers, name)(vocab=vocab, _spm_precompiled_charsmap=CHARSMAP)
    theirs.save_pretrained(tmp_path)
    ours = load(tmp_path)
    assert type(ours) is Unigram and set(special[name]) <= set(ours.special)
    for text in [TEXT, *nasty_texts(150, 9)]:
        if "<" not in text and "[" not in text:
            there = theirs(text, add_special_tokens=False, return_offsets_mapping=True)
            assert ours.encode(text) == there["input_ids"], text
            assert ours.offsets(text) == there["offset_mapping"], text
    ours.save(tmp_path / "again.json")
    again = hub.Tokenizer.from_file(str(tmp_path / "again.json"))
    assert again.encode(TEXT).ids == theirs(TEXT)["input_ids"]  # with the post-processor that was in the file


def test_log_probabilities_as_the_rust_library_reads_them():
    """And are written so that it reads what was meant: of equally probable ways to cut, the last bit picks one."""
    draw = random.Random(3)
    scores = [-draw.uniform(0, 20) for _ in range(3000)] + [-draw.uniform(0, 1e-7), -1e300, -3.0, 0.0, 2.0**60, -1e22]
    scores += [float(np.float32(-draw.uniform(0, 20))) for _ in range(3000)]
    plain = [[f"p{n}", score] for n, score in enumerate(scores)]
    data = Unigram([("<unk>", 0.0)]).to_json()

    def read(vocab):
        content = json.dumps({**data, "model": {**data["model"], "vocab": vocab}})
        return [score for _, score in json.loads(hub.Tokenizer.from_str(content).to_str())["model"]["vocab"]]

    there = read([["<unk>", 0.0], *plain])
    assert there == [0.0, *map(as_rust_reads, scores)] != [0.0, *scores]
    tok = Unigram.from_json({**data, "model": {**data["model"], "vocab": [["<unk>", 0.0], *plain]}})
    assert [score for _, score in tok.scores] == there
    assert read(tok.to_json()["model"]["vocab"]) == there
    assert Unigram.from_json(tok.to_json()).scores == tok.scores


def changed(part, **fields):
    data = Unigram.train(TEXT, 60).to_json()
    data[part] = {**(data[part] or {}), **fields} if fields else None
    return data


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Unigram([("<unk>", 0), ("a", -1), ("a", -2)]), "holds 'a' twice"),
        (lambda: Unigram([("a", -1)]), "special token '<unk>' is not in the vocabulary"),
        (lambda: Unigram([("<unk>", 0), ("a", math.nan)]), "the log-probability of 'a' is nan"),
        (lambda: Unigram([("<unk>", 0)], prepend="often"), r"'often' is not one of \['always', 'first', 'never'\]"),
        (lambda: Unigram([("<unk>", 0)], normalizer=["NFX"]), "the normalizer 'NFX' is none that lmkit has"),
        (lambda: Unigram([("<unk>", 0)], normalizer=[{"type": "Nmt"}]), "the normalizer 'Nmt' is none that lmkit has"),
        (lambda: Unigram([("a", -1)], special=(), unk=None).encode("é"), r"'▁' \(U\+2581\) in '▁é' has no piece"),
        (lambda: Unigram([("<unk>", 0)]).sample("a", alpha=-1), "alpha is -1"),
        (lambda: Unigram([("<unk>", 0)]).decode([1]), r"id 1 is not in 0\.\.0"),
        (lambda: Unigram.train("", 100), "the text is empty"),
        (lambda: Unigram.train(TEXT, 20), "vocab_size is 20, but 3 special tokens and 28 symbols .* need 31"),
        (lambda: Unigram.train(TEXT, 100, byte_fallback=True), "vocab_size is 100, but 259 special tokens"),
        (lambda: Unigram.train("\ud800 a", 262, byte_fallback=True).encode("\udfff"), r"a lone surrogate, U\+DFFF"),
        (lambda: Unigram.from_json(changed("pre_tokenizer", type="Whitespace")), r"not \['Whitespace'\]"),
        (lambda: Unigram.from_json(changed("pre_tokenizer", replacement="_")), "its Metaspace has replacement '_'"),
        (lambda: Unigram.from_json(changed("decoder", type="Fuse")), "needs the decoder Metaspace, .* not Fuse"),
        (lambda: Unigram.from_json(changed("normalizer", type="Nmt")), "the normalizer 'Nmt' is none that lmkit has"),
        (
            lambda: Unigram.from_json(changed("normalizer", type="Precompiled", precompiled_charsmap="AAA")),
            "the charsmap of a Precompiled normalizer is damaged",
        ),
        (
            lambda: Unigram.from_json(changed("normalizer", type="Replace", pattern={"Regex": "a+"}, content="")),
            r"Replace has Regex 'a\+'",
        ),
        (lambda: Unigram.from_json(changed("model", unk_id=60)), "unk_id is 60, but there are 60 pieces"),
        (lambda: Unigram.from_json(changed("model", vocab=[["a", "b"]])), r"entry 0 of the vocabulary is \['a', 'b'\]"),
        (lambda: Unigram.from_json(changed("model", vocab={"a": 0})), "'vocab' of type list"),
    ],
)
def test_bad_input_is_named(build, says):
    with pytest.raises(ValueError, match=says):
        build()


def test_a_text_too_short_for_the_size_asked():
    with pytest.warns(UserWarning, match="the text yields 6 pieces, not the 50 asked for"):
        tok = Unigram.train("ab", 50)
    assert set(tok.vocab) == {*SPECIAL, "▁", "a", "b"}
