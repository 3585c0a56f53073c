"""Losses against torch's cross-entropy and the formulas; what the chunked one keeps alive; what objectives hide."""

import math
import tempfile
import weakref
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from lmkit.heads import LM
from lmkit.model import Config
from lmkit.objectives import (
    BATCHES,
    HEADS,
    NOT_ASKED,
    OBJECTIVES,
    Marks,
    Text,
    by_span,
    by_word,
    causal,
    cross_entropy,
    linear_cross_entropy,
    mask,
    next_token_loss,
    stream,
)
from lmkit.objectives.pairs import borders, joined
from lmkit.objectives.spans import cut_out, noise
from lmkit.train import train

LOGITS = 3 * torch.randn(4, 9, 50, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(0, 50, (4, 9), generator=torch.Generator().manual_seed(1))
HOLES = TARGETS.masked_fill(torch.rand(4, 9, generator=torch.Generator().manual_seed(2)) < 0.6, -100)


@pytest.mark.parametrize("targets", [TARGETS, HOLES], ids=["all", "some"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_is_torchs(targets, smoothing):
    wanted = F.cross_entropy(LOGITS.flatten(0, 1), targets.flatten(), label_smoothing=smoothing)
    torch.testing.assert_close(cross_entropy(LOGITS, targets, label_smoothing=smoothing), wanted)
    moved = targets.masked_fill(targets == -100, 7)  # another id for what is not asked
    wanted = F.cross_entropy(LOGITS.flatten(0, 1), moved.flatten(), ignore_index=7, label_smoothing=smoothing)
    torch.testing.assert_close(cross_entropy(LOGITS, moved, label_smoothing=smoothing, ignore_index=7), wanted)


def test_label_smoothing_and_z_loss_are_their_formulas():
    """Row by row: a share of the probability spread over all, and the square of the log of what softmax divides by."""
    asked = [(row, int(t)) for row, t in zip(LOGITS.flatten(0, 1).double(), HOLES.flatten(), strict=True) if t != -100]
    plain, spread, squares = [], [], []
    for row, target in asked:
        log_z = math.log(sum(math.exp(z) for z in row.tolist()))
        plain.append(log_z - row[target].item())
        spread.append(sum(log_z - z for z in row.tolist()) / 50)
        squares.append(log_z**2)
    mean = lambda values: sum(values) / len(asked)  # noqa: E731
    assert cross_entropy(LOGITS, HOLES).item() == pytest.approx(mean(plain), rel=1e-5)
    smoothed = cross_entropy(LOGITS, HOLES, label_smoothing=0.2).item()
    assert smoothed == pytest.approx(0.8 * mean(plain) + 0.2 * mean(spread), rel=1e-5)
    with_z = cross_entropy(LOGITS, HOLES, z_loss=0.01).item()
    assert with_z == pytest.approx(mean(plain) + 0.01 * mean(squares), rel=1e-5)


@pytest.mark.parametrize("how", [{}, dict(label_smoothing=0.1, z_loss=1e-2)])
def test_where_nothing_is_asked_the_loss_is_zero(how):
    logits, x, weight = LOGITS.clone().requires_grad_(), torch.randn(4, 9, 8, requires_grad=True), torch.randn(50, 8)
    for loss, leaf in (
        (cross_entropy(logits, torch.full((4, 9), -100), **how), logits),
        (linear_cross_entropy(x, weight, torch.full((4, 9), -100), **how), x),
    ):
        loss.backward()
        assert loss.item() == 0 and not leaf.grad.any()


def test_half_precision_is_summed_in_single():
    wanted = cross_entropy(LOGITS.bfloat16().float(), TARGETS, z_loss=1e-3)
    loss = cross_entropy(LOGITS.bfloat16(), TARGETS, z_loss=1e-3)
    assert loss.dtype == torch.float32 and loss == wanted
    assert cross_entropy(LOGITS.double(), TARGETS).dtype == torch.float64


@pytest.mark.parametrize("chunk", [1, 7, 36, 1000])
@pytest.mark.parametrize("targets", [TARGETS, HOLES], ids=["all", "some"])
@pytest.mark.parametrize("how", [{}, dict(label_smoothing=0.1), dict(z_loss=1e-2), dict(cap=2.0, biased=True)])
def test_in_chunks_as_at_once(chunk, targets, how):
    """Value and gradients, against torch's own cross-entropy of all logits."""
    how, generator = dict(how), torch.Generator().manual_seed(3)
    x, weight, bias = (torch.randn(s, generator=generator, requires_grad=True) for s in ((4, 9, 8), (50, 8), (50,)))
    leaves = (x, weight, bias) if how.pop("biased", False) else (x, weight)
    logits = F.linear(*leaves).flatten(0, 1)
    if "cap" in how:
        logits = 2 * torch.tanh(logits / 2)
    wanted = F.cross_entropy(logits, targets.flatten(), label_smoothing=how.get("label_smoothing", 0.0))
    if "z_loss" in how:
        wanted = wanted + how["z_loss"] * logits.exp().sum(-1).log()[targets.flatten() != -100].pow(2).mean()
    gradients = torch.autograd.grad(wanted, leaves)
    ours = linear_cross_entropy(x, weight, targets, bias=bias if len(leaves) == 3 else None, chunk=chunk, **how)
    torch.testing.assert_close(ours, wanted, atol=1e-6, rtol=1e-6)
    for mine, theirs in zip(torch.autograd.grad(ours, leaves), gradients, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=1e-5)


class Alive(TorchDispatchMode):
    """The sizes of all tensors that operations make, forwards and backwards, and the largest of them."""

    def __init__(self):
        super().__init__()
        self.largest, self.sizes = 0, set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.largest = max(self.largest, tensor.numel())
                self.sizes.add(tensor.numel())
        return out


def test_no_more_than_a_chunk_of_logits_is_ever_made_and_none_kept():
    """1,000 tokens over a vocabulary of 3,000: 3 million logits, of which 150 thousand at a time."""
    x, weight = torch.randn(1000, 16, requires_grad=True), torch.randn(3000, 16, requires_grad=True)
    targets = torch.randint(0, 3000, (1000,))
    measured = {}
    for name, loss_of in (
        ("whole", lambda: F.cross_entropy(x @ weight.T, targets)),
        ("chunks", lambda: linear_cross_entropy(x, weight, targets, chunk=50)),
    ):
        kept, seen = [], Alive()
        note = lambda t, kept=kept: kept.append(weakref.ref(t)) or t  # noqa: E731
        with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t), seen:
            loss = loss_of()
        alive = {t.data_ptr(): t.numel() for ref in kept if (t := ref()) is not None}
        forwards = sum(alive.values())
        with seen:
            loss.backward()
        measured[name] = forwards, seen.largest
    assert measured["whole"][0] >= 3_000_000 and measured["whole"][1] == 3_000_000
    assert 60_000 < measured["chunks"][0] < 70_000  # the gradients of x and weight
    assert measured["chunks"][1] == 150_000


@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_of_chunks_are_scaled_and_added_as_any_others(autocast):
    """The loss times 3 beside another use of the same weight, twice over: backward knows nothing of chunks."""
    generator, grads = torch.Generator().manual_seed(3), []
    leaves = [torch.randn(s, generator=generator, requires_grad=True) for s in ((4, 9, 8), (50, 8))]
    plain = lambda x, w: F.cross_entropy((x @ w.T).flatten(0, 1).float(), TARGETS.flatten())  # noqa: E731
    for loss_of in (plain, lambda x, w: linear_cross_entropy(x, w, TARGETS, chunk=5)):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = 3 * loss_of(*leaves) + leaves[1].square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
        grads.append([leaf.grad for leaf in leaves])
        leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
    for ours, theirs in zip(grads[1], grads[0]):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, atol=1e-2 if autocast else 1e-6, rtol=1e-2 if autocast else 1e-5)


def test_compiled_in_chunks(monkeypatch):
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    test_in_chunks_as_at_once(7, HOLES, {})


def test_only_what_is_asked_is_computed():
    x, weight, seen = torch.randn(100, 1), torch.randn(500, 1), Alive()
    targets = torch.full((100,), -100)
    targets[[3, 50]] = 4
    with seen:
        linear_cross_entropy(x, weight, targets)
    assert seen.largest == 2 * 500


def test_as_its_docstring_uses_it():
    torch.manual_seed(0)
    model = LM(Config(31, 16, 2, 2, max_seq_len=16, logit_scale=3.0, logit_soft_cap=1.5))
    ids = torch.randint(0, 31, (3, 9))
    x = model.body(ids[:, :-1]) * model.config.logit_scale
    loss = linear_cross_entropy(x, model.weight, ids[:, 1:], cap=model.config.logit_soft_cap)
    torch.testing.assert_close(loss, next_token_loss(model, ids))
    assert OBJECTIVES["causal"] is next_token_loss


@pytest.mark.parametrize("choices", [{}, dict(tied=False, logit_scale=2.0, logit_soft_cap=1.5)])
def test_very_many_logits_are_formed_in_chunks(choices, monkeypatch):
    torch.manual_seed(0)
    model, ids = LM(Config(31, 16, 2, 2, max_seq_len=16, **choices)), torch.randint(0, 31, (3, 9))
    wanted = next_token_loss(model, ids)
    gradients = torch.autograd.grad(wanted, list(model.parameters()))
    monkeypatch.setitem(causal.AT_ONCE, "cpu", 5 * 31)  # of 24 * 31
    seen = Alive()
    with seen:
        loss = next_token_loss(model, ids)
    assert 24 * 31 not in seen.sizes and 5 * 31 in seen.sizes
    torch.testing.assert_close(loss, wanted)
    for ours, theirs in zip(torch.autograd.grad(loss, list(model.parameters())), gradients, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-4)


def test_1024_is_the_chunk():
    x, weight, seen = torch.randn(1500, 2), torch.randn(40, 2), Alive()
    with seen:
        linear_cross_entropy(x, weight, torch.zeros(1500, dtype=torch.long))
    assert seen.largest == 1024 * 40
    with pytest.raises(ValueError, match="chunk must be 1 or more, not 0"):
        linear_cross_entropy(x, weight, torch.zeros(1500, dtype=torch.long), chunk=0)


def test_a_mixture_of_experts_is_balanced_in_training_and_judged_without():
    torch.manual_seed(0)
    model = LM(Config(11, d_model=16, n_layers=2, n_heads=2, max_seq_len=8, ffn="moe"))
    ids = torch.randint(0, 11, (3, 7))
    in_training = next_token_loss(model.train(), ids)
    plain = F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    balancing = sum(block.ffn.aux_loss for block in model.body.blocks)
    torch.testing.assert_close(in_training, plain + 0.01 * balancing)
    torch.testing.assert_close(next_token_loss(model.eval(), ids), plain)
    in_training.backward()
    assert model.body.blocks[0].ffn.router.weight.grad.abs().sum() > 0


# ---- objectives that hide something


MARKS = Marks.after(40, n_sentinels=20)


def text(n=4000, seed=0, **more):
    ids = np.random.default_rng(seed).integers(40, size=n)
    return Text(ids, documents=np.arange(0, n, 40), sentences=np.arange(0, n, 10), **more)


def near(share, wanted, n, sigmas=5):
    """Within 5 standard deviations of a binomial share."""
    assert abs(share - wanted) < sigmas * math.sqrt(wanted * (1 - wanted) / n), (share, wanted, n)


def test_masking_is_80_10_10_of_15_percent_and_asks_for_what_it_hid():
    ids = np.random.default_rng(1).integers(40, size=(200, 500))
    ids[:, 0] = MARKS.cls
    batch = mask(ids, np.random.default_rng(2), MARKS)
    asked, n = batch["targets"] != NOT_ASKED, 200 * 499
    assert np.array_equal(batch["targets"][asked], ids[asked]) and np.array_equal(batch["ids"][~asked], ids[~asked])
    assert not asked[:, 0].any(), "marks are never hidden"
    near(asked.sum() / n, 0.15, n)
    hidden = batch["ids"][asked]
    near((hidden == MARKS.mask).mean(), 0.8, len(hidden))
    near((hidden == ids[asked]).mean(), 0.1 + 0.1 / 40, len(hidden))
    others = hidden[(hidden != MARKS.mask) & (hidden != ids[asked])]
    assert set(others) == set(range(40)) and np.bincount(others).std() < 3 * math.sqrt(len(others) / 40)


def test_masking_has_the_shares_of_transformers_collator():
    from transformers import BertTokenizerFast, DataCollatorForLanguageModeling

    vocab = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij"])}
    tokenizer = BertTokenizerFast(vocab=vocab)
    collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
    torch.manual_seed(0)
    ids = torch.randint(5, 15, (200, 400))
    theirs = collate([{"input_ids": row} for row in ids])
    asked = theirs["labels"] != -100
    ours = mask(ids.numpy(), np.random.default_rng(0), Marks(15, 0, 2, 3, 4))
    of_ours = ours["targets"] != NOT_ASKED
    for share in (
        lambda asked, hidden: asked.mean(),
        lambda asked, hidden: (hidden == 4)[asked].mean(),
        lambda asked, hidden: (hidden == ids.numpy())[asked].mean(),
    ):
        a, b = share(asked.numpy(), theirs["input_ids"].numpy()), share(of_ours, ours["ids"])
        assert abs(a - b) < 5 * math.sqrt(2 * a * (1 - a) / of_ours.sum())


def test_whole_words_are_hidden_whole():
    words = np.random.default_rng(0).random((50, 300)) < 0.4
    chosen = by_word(words, np.random.default_rng(1), 0.3) > 0
    for row, picked in zip(words, chosen):
        number = row.cumsum()
        assert all(len(set(picked[number == word])) == 1 for word in set(number))
    near(chosen[words].mean(), 0.3, words.sum())


def test_spans_have_the_lengths_of_the_paper_and_fill_the_rate():
    words = np.ones((200, 400), dtype=bool)
    count = np.count_nonzero(by_span(words, np.random.default_rng(0), 0.15), axis=1)
    assert (count >= 60).all() and (count < 70).all()
    alone = by_span(np.ones((4000, 100), dtype=bool), np.random.default_rng(0), 0.01) > 0  # a token a row: one span
    lengths = alone.sum(axis=1)[~alone[:, -10:].any(axis=1)]  # of those that the row's end did not cut
    p = 0.8 ** np.arange(10) / (0.8 ** np.arange(10)).sum()
    mean = (np.arange(1, 11) * p).sum()
    assert mean == pytest.approx(3.8, abs=0.01), "the paper's figure"
    for length in range(1, 11):
        near((lengths == length).mean(), p[length - 1], len(lengths))
    assert abs(lengths.mean() - mean) < 5 * lengths.std() / math.sqrt(len(lengths))
    begins = np.random.default_rng(3).random((20, 100)) < 0.5
    begins[:, 0] = True
    spans = by_span(begins, np.random.default_rng(4), 0.2) > 0
    first = spans & ~np.pad(spans, ((0, 0), (1, 0)))[:, :-1]
    assert begins[first].all(), "a span begins where a word does"


def test_a_span_is_hidden_as_a_whole_and_the_tokens_of_a_word_each_for_itself():
    """80 % of the spans are masks throughout; of a word of three tokens 0.8³ is."""
    ids, words = np.zeros((4000, 60), dtype=np.int64), np.ones((4000, 60), dtype=bool)
    number = by_span(words, np.random.default_rng(0), 0.01)
    batch = mask(ids, np.random.default_rng(0), MARKS, words, 0.01, by_span)
    assert np.array_equal(batch["targets"] != NOT_ASKED, number > 0)
    hidden = [row[chosen] for row, chosen in zip(batch["ids"] == MARKS.mask, number > 0)]
    assert all(len(set(row)) == 1 for row in hidden)
    near(np.mean([row[0] for row in hidden]), 0.8, 4000)
    words[:, np.arange(60) % 3 != 0] = False
    batch = mask(ids, np.random.default_rng(1), MARKS, words, 0.15, by_word)
    whole = (batch["targets"] != NOT_ASKED).reshape(-1, 3).all(axis=1)
    masks = (batch["ids"] == MARKS.mask).reshape(-1, 3)[whole]
    near(masks.all(axis=1).mean(), 0.8**3, len(masks))


def test_whole_words_are_hidden_as_by_transformers_collator():
    """Words of one, two and three pieces, each hidden with 15 %, whole."""
    from transformers import BertTokenizerFast, DataCollatorForLanguageModeling

    vocab = {token: i for i, token in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##c"])}
    tokenizer = BertTokenizerFast(vocab=vocab)
    collate = DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=0.15, whole_word_mask=True, mask_replace_prob=1, random_replace_prob=0, seed=0
    )
    row = tokenizer(" ".join(["a bc acc"] * 40), return_offsets_mapping=True, add_special_tokens=False)
    ids = torch.tensor(row["input_ids"])
    words = np.array([vocab["##c"] != token for token in row["input_ids"]])
    theirs = collate([dict(row) for _ in range(100)])
    asked = (theirs["labels"] != -100).numpy()
    ours = mask(
        np.tile(ids, (100, 1)), np.random.default_rng(0), Marks(8, 0, 2, 3, 4), np.tile(words, (100, 1)), 0.15, by_word
    )
    of_ours = ours["targets"] != NOT_ASKED
    word = words.cumsum()
    for of_one in (asked, of_ours):
        assert all(len(set(of_one[0][word == number])) == 1 for number in set(word))
    n = 100 * words.sum()
    assert abs(asked[:, words].mean() - of_ours[:, words].mean()) < 5 * math.sqrt(2 * 0.15 * 0.85 / n)


def test_the_generator_of_replaced_tokens_sees_the_mask_alone():
    batch = next(stream(BATCHES["replaced"], text(), 100, 40, MARKS))
    asked = batch["targets"] != NOT_ASKED
    assert torch.equal(asked, batch["ids"] == MARKS.mask)
    near(asked.float().mean().item(), 0.15, asked.numel())


def test_masked_loss_is_berts():
    from transformers import BertConfig, BertForPreTraining

    from lmkit.exchange import load

    torch.manual_seed(0)
    shape = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, vocab_size=60)
    theirs = BertForPreTraining(BertConfig(**shape, max_position_embeddings=32)).eval()
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.3)
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours, _ = load(folder)
    batch = next(stream(BATCHES["next_sentence"], text(), 6, 24, Marks(40, 40, 41, 42, 43)))
    out = theirs(
        batch["ids"], attention_mask=batch["real"].long(), token_type_ids=batch["segments"], labels=batch["targets"],
        next_sentence_label=batch["label"],
    )  # fmt: skip
    torch.testing.assert_close(OBJECTIVES["next_sentence"](ours.eval(), batch), out.loss, atol=1e-5, rtol=1e-5)


def test_pairs_of_sentences():
    drawn = text()
    sentence = {tuple(drawn.ids[i : i + 10]): i // 10 for i in range(0, 4000, 10)}
    for name in ("next_sentence", "sentence_order"):
        labels, random = [], np.random.default_rng(0)
        for _ in range(20):
            batch = partial(BATCHES[name], rate=0.0)(drawn, random, 32, 26, MARKS)
            for ids, parts, real, label in zip(batch["ids"], batch["segments"], batch["real"], batch["label"]):
                told = ids[real].tolist()
                assert told[0] == MARKS.cls and told[11] == told[22] == MARKS.sep and len(told) == 23
                assert parts[real].tolist() == [0] * 12 + [1] * 11 and not parts[~real].any()
                i, j = sentence[tuple(told[1:11])], sentence[tuple(told[12:22])]
                if name == "next_sentence":
                    assert (j == i + 1 and i // 4 == j // 4) if label == 0 else i // 4 != j // 4
                else:
                    assert (j - i == 1 if label == 0 else i - j == 1) and i // 4 == j // 4
            labels += batch["label"].tolist()
        near(np.mean(labels), 0.5, len(labels))
    cut, parts = joined([1, 2, 3, 4, 5], [6, 7], MARKS, 8)  # a sentence too long for half a row is cut
    assert cut == [MARKS.cls, 1, 2, 3, MARKS.sep, 6, 7, MARKS.sep] and parts == [0] * 5 + [1] * 3
    with pytest.raises(ValueError, match="want a Text with sentences and documents"):
        BATCHES["next_sentence"](Text(drawn.ids), np.random.default_rng(0), 2, 26, MARKS)


def test_a_pair_is_made_of_whole_sentences_as_many_as_fit():
    """One document of sentences of 3, 4, 2, 9 and 1 tokens, and halves of 7, then of 2 tokens, by hand."""
    ids, sentences = np.arange(40), np.array([0, 3, 7, 9, 18, 19, 25])
    two = Text(ids, documents=np.array([0, 19]), sentences=sentences)
    ours = [(b, at, end) for b, at, end, document in zip(*borders(two, 7)) if document == 0]
    assert ours == [(0, 3, 9), (0, 7, 9), (3, 9, 18), (9, 18, 19)]
    ours = [(b, at, end) for b, at, end, document in zip(*borders(two, 2)) if document == 0]
    assert ours == [(0, 3, 7), (3, 7, 9), (7, 9, 18), (9, 18, 19)]


def test_the_shape_of_a_pair_tells_nothing_of_its_order():
    """Pairs in the wrong order are those in the right one, swapped; firsts and seconds from elsewhere are the same."""
    random = np.random.default_rng(0)
    begins = np.union1d(np.arange(0, 600, 60), random.choice(600, 90, replace=False))
    drawn = Text(random.integers(40, size=600), np.arange(0, 600, 60), begins)
    for name in ("sentence_order", "next_sentence"):
        seen = {0: set(), 1: set()}
        batch = BATCHES[name](drawn, np.random.default_rng(0), 6000, 48, MARKS, rate=0.0)
        for told, label in zip(batch["ids"], batch["label"].tolist()):
            first, second, _ = " ".join(map(str, told[1:])).split(f" {MARKS.sep}", 2)
            seen[label].add((first, second.strip()))
        if name == "sentence_order":
            assert len(seen[0]) > 60 and seen[0] == {(second, first) for first, second in seen[1]}
        else:
            for side in (0, 1):
                assert {pair[side] for pair in seen[0]} == {pair[side] for pair in seen[1]}


@pytest.mark.parametrize(
    "name, T, marks, message",
    [
        ("spans", 60, Marks.after(40, 2), r"marks have 2 sentinels, and a row of 60 tokens wants 4: give Marks.after"),
        ("spans", 1, MARKS, "a row of 1 tokens is too short to take out a span and keep something: give 2 or more"),
        ("prefix", 1, MARKS, "a row of 1 tokens has no room for a prefix and what follows it"),
        ("next_sentence", 4, MARKS, "wants rows of at least 5 tokens, not 4"),
        ("masked", 4001, MARKS, "a window of 4001 tokens does not fit into a text of 4000"),
    ],
)
def test_what_makes_no_batch_is_told_in_a_sentence(name, T, marks, message):
    with pytest.raises(ValueError, match=message):
        BATCHES[name](text(), np.random.default_rng(0), 2, T, marks)


def test_documents_too_short_for_objectives_are_told():
    with pytest.raises(ValueError, match="no document begins where a window of 50 tokens fits"):
        BATCHES["masked"](Text(np.arange(100), np.array([90])), np.random.default_rng(0), 2, 50, MARKS)
    alone = Text(np.arange(40), np.array([0]), np.array([0, 20]))
    BATCHES["sentence_order"](alone, np.random.default_rng(0), 2, 26, MARKS)
    with pytest.raises(ValueError, match="want documents, two at the least, of two sentences or more each"):
        BATCHES["next_sentence"](alone, np.random.default_rng(0), 2, 26, MARKS)


def test_span_corruption_of_the_papers_figure():
    """Raffel et al. 2019, figure 2: "Thank you for inviting me to your party last week ."."""
    words = "Thank you for inviting me to your party last week .".split()
    out = np.array([w in ("for", "inviting", "last") for w in words])
    source, target = cut_out(np.arange(11), out, Marks(11, 11, 12, 13, 14, (90, 91, 92)))
    said = lambda ids: " ".join(words[i] if i < 11 else f"<{'XYZ'[i - 90]}>" for i in ids)  # noqa: E731
    assert said(source) == "Thank you <X> me to your party <Y> week ."
    assert said(target) == "<X> for inviting <Y> last <Z>"


def test_span_corruption_has_its_rate_and_lengths_and_can_be_undone():
    random, rates, lengths = np.random.default_rng(0), [], []
    for _ in range(300):
        out = noise(random, 100, 0.15, 3.0)
        rates.append(out.sum())
        ends = np.flatnonzero(np.diff(np.concatenate([[0], out.astype(int), [0]])))
        lengths += (ends[1::2] - ends[::2]).tolist()
        assert len(out) == 100 and not out[0]
    assert set(rates) == {15} and np.mean(lengths) == 3.0 and {1, 3, 6} <= set(lengths)
    drawn = text()
    batch = BATCHES["spans"](drawn, np.random.default_rng(1), 8, 60, MARKS)
    for source, ids, target in zip(batch["source"], batch["ids"], batch["targets"]):
        assert ids.tolist() == [MARKS.pad, *target[:-1]]
        cut = {}
        for token in target.tolist():
            if token in MARKS.sentinels:
                last = token
            cut.setdefault(last, []).append(token)
        whole = [x for token in source.tolist() for x in (cut[token][1:] if token in cut else [token])]
        assert any(whole == drawn.ids[i : i + 60].tolist() for i in drawn.documents)


def test_span_loss_is_t5s():
    """The loss of T5ForConditionalGeneration, whose decoder also begins with the padding id."""
    from transformers import T5Config, T5ForConditionalGeneration

    from lmkit.exchange import load

    torch.manual_seed(0)
    shape = dict(d_model=16, d_kv=8, num_layers=2, num_heads=2, d_ff=32, vocab_size=70, pad_token_id=0)
    theirs = T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).eval()
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours, _ = load(folder)
    marks = Marks(40, 0, 41, 42, 43, tuple(range(50, 65)))
    batch = next(stream(BATCHES["spans"], text(), 4, 40, marks))
    wanted = theirs(input_ids=batch["source"], labels=batch["targets"]).loss
    torch.testing.assert_close(OBJECTIVES["spans"](ours.eval(), batch), wanted, atol=1e-5, rtol=1e-5)


def test_prefix_sees_both_ways_and_is_not_asked():
    torch.manual_seed(0)
    model = LM(Config(60, 16, 2, 2, max_seq_len=32, positions="rope")).eval()
    batch = next(stream(BATCHES["prefix"], text(), 64, 12, MARKS))
    lengths = batch["prefix"].tolist()
    assert set(lengths) <= set(range(1, 12)) and len(set(lengths)) > 8
    for ids, targets, n in zip(batch["ids"], batch["targets"], lengths):
        assert (targets != NOT_ASKED).tolist() == [i >= n - 1 for i in range(12)]
        assert targets[n - 1 : -1].tolist() == ids[n:].tolist()
    logits = model(batch["ids"], prefix=batch["prefix"])
    for row, n in enumerate(lengths):
        for place in range(12):  # who notices another token at `place`?
            ids = batch["ids"][row : row + 1].clone()
            ids[0, place] = (ids[0, place] + 1) % 40
            moved = (model(ids, prefix=batch["prefix"][row : row + 1])[0] - logits[row]).abs().amax(-1) > 1e-6
            assert moved.tolist() == [i >= place or place < n for i in range(12)]
        if row == 3:
            break
    by_hand = [
        -logits[row, i].log_softmax(-1)[batch["targets"][row, i]]
        for row in range(64)
        for i in range(12)
        if batch["targets"][row, i] != NOT_ASKED
    ]
    wanted = torch.stack(by_hand).mean()
    torch.testing.assert_close(OBJECTIVES["prefix"](model, batch), wanted)


def test_replaced_tokens_by_hand():
    torch.manual_seed(0)
    model = HEADS["replaced"](Config(60, 16, 4, 2, max_seq_len=32, positions="rope", causal=False))
    assert model.generator.body.embed is model.discriminator.body.embed and len(model.generator.body.blocks) == 1
    batch, seen = next(stream(BATCHES["replaced"], text(), 64, 30, MARKS)), []
    hook = model.discriminator.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    loss = OBJECTIVES["replaced"](model, batch)
    hook.remove()
    asked = batch["targets"] != NOT_ASKED
    true = torch.where(asked, batch["targets"], batch["ids"])
    assert torch.equal(seen[0][~asked], true[~asked]) and (seen[0][asked] != true[asked]).float().mean() > 0.8
    logits, scores = model.generator(batch["ids"]), model.discriminator(seen[0])[..., 0]
    found = -logits.log_softmax(-1).gather(-1, true[..., None])[..., 0][asked].mean()
    p = torch.where(seen[0] != true, scores.sigmoid(), 1 - scores.sigmoid())
    torch.testing.assert_close(loss, found - 50 * p.log().mean(), atol=1e-4, rtol=1e-4)
    loss.backward()
    assert model.generator.body.blocks[0].attn.q_proj.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_is_a_function_of_seed_and_step_and_the_objective_learns_in_the_one_loop(name):
    drawn = Text(np.tile(np.arange(40), 100), np.arange(0, 4000, 40), np.arange(0, 4000, 10), np.arange(4000) % 2 == 0)
    how = dict(d_model=32, n_layers=1, n_heads=2, max_seq_len=40, positions="learned", ffn="relu", n_segments=2)
    encoder = dict(n_encoder_layers=1 if name == "spans" else 0, causal=name in ("spans", "prefix"))
    torch.manual_seed(0)
    model = HEADS[name](Config(MARKS.vocab_size, **how, **encoder))
    make = lambda start: stream(BATCHES[name], drawn, 16, 30, MARKS, seed=1, start=start)  # noqa: E731
    first, second = make(0), make(1)
    next(first)
    for key, value in next(first).items():
        assert torch.equal(value, next(make(1))[key]) and value.shape[0] == 16
    steps = train(model, make(0), OBJECTIVES[name], steps=80, lr=1e-2, warmup=5)
    losses = [step.loss for step in steps]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5]) and next(second) is not None
