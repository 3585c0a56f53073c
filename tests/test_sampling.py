"""From scores to tokens and from prompts to texts: every filter against transformers', the search against all texts."""

import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from lmkit.cache import PreallocatedCache
from lmkit.generate import beam_search, generate, stream
from lmkit.heads import LM
from lmkit.model import Config
from lmkit.sampling import FILTERS, min_p, repetition_penalty, sample, top_k, top_p

CONFIG = Config(11, d_model=16, n_layers=2, n_heads=2, max_seq_len=32, positions="rope")
PROMPTS = torch.tensor([[1, 2, 3], [4, 5, 6]])
SOURCE = torch.tensor([[7, 8, 9, 1], [2, 4, 6, 8]])
LOGITS = 3 * torch.randn(50, 40, generator=torch.Generator().manual_seed(0))
TIES = torch.randint(-3, 4, (50, 40), generator=torch.Generator().manual_seed(1)).float()


def made(seed=0, std=0.3, **choices):
    """A model that is sure enough of what it says for its texts to differ."""
    torch.manual_seed(seed)
    model = LM(replace(CONFIG, **choices)).eval()
    for p in model.parameters():
        nn.init.normal_(p, std=std)
    return model


# ---- filters


@pytest.mark.parametrize(
    ("ours", "theirs", "bounds"),
    [
        ("top_k", "TopKLogitsWarper", [1, 2, 7, 40, 100]),
        ("top_p", "TopPLogitsWarper", [1e-4, 0.1, 0.5, 0.9, 0.999, 1.0]),
        ("min_p", "MinPLogitsWarper", [0.0, 1e-3, 0.1, 0.5, 1.0]),
    ],
)
def test_filters_are_those_of_transformers(ours, theirs, bounds):
    import transformers as hf

    for bound in bounds:
        wanted = getattr(hf, theirs)(bound)
        assert torch.equal(FILTERS[ours](LOGITS, bound), wanted(None, LOGITS)), bound
        if ours != "top_p":  # where transformers keeps some of those equal to the last, which of them is left open
            assert torch.equal(FILTERS[ours](TIES, bound), wanted(None, TIES)), bound
    assert (FILTERS[ours](LOGITS, bounds[2]) > -torch.inf).sum() < LOGITS.numel() / 2  # it is a filter


def test_what_is_kept_among_equals():
    even, lead = torch.zeros(1, 4), torch.tensor([[0.0, 1.0, 1.0, 1.0]])
    kept = lambda logits: (logits[0] > -torch.inf).nonzero()[:, 0].tolist()  # noqa: E731
    assert kept(top_k(even, 2)) == [0, 1, 2, 3] and kept(top_k(lead, 1)) == [1, 2, 3]
    assert kept(min_p(even, 1.0)) == [0, 1, 2, 3] and kept(min_p(lead, 1.0)) == [1, 2, 3]
    assert kept(top_p(even, 0.5)) == [0, 1, 2, 3] and kept(top_p(lead, 0.1)) == [1, 2, 3]
    assert kept(top_p(torch.tensor([[0.0, -60.0]]), 1.0)) == [0, 1]  # however little the second adds to 1
    short = torch.randn(1, 40, generator=torch.Generator().manual_seed(2))  # its probabilities add up to a bit less
    assert kept(top_p(short, 1 - 2**-53)) == list(range(40))
    assert kept(top_p(torch.tensor([[2.0, 1.0, 1.0]], dtype=torch.float64).log(), 0.5)) == [0]  # p and no more
    assert kept(top_p(lead, 0.85)) == [1, 2, 3] and kept(top_p(lead, 0.95)) == [0, 1, 2, 3]  # three hold 0.89


def test_top_p_keeps_the_fewest_that_reach_p():
    """Said again in a loop."""
    for row in LOGITS[:20]:
        probs, ids, total, kept = row.softmax(-1).tolist(), row.argsort(descending=True).tolist(), 0.0, set()
        for token in ids:
            if total >= 0.8:
                break
            total += probs[token]
            kept.add(token)
        assert set((top_p(row[None], 0.8)[0] > -torch.inf).nonzero()[:, 0].tolist()) == kept


@pytest.mark.parametrize("spread", [0.1, 5.0])
def test_top_p_of_a_large_vocabulary(spread):
    """Also where many tokens are needed: evenly spread, 0.9 takes most of 3,000, in one row and not in the other."""
    import transformers as hf

    logits = torch.randn(2, 3000, generator=torch.Generator().manual_seed(3)).double() * torch.tensor([[spread], [5.0]])
    ours = top_p(logits, 0.9)
    assert torch.equal(ours, hf.TopPLogitsWarper(0.9)(None, logits))
    assert ((ours[0] > -torch.inf).sum() > 1024) == (spread == 0.1)


@pytest.mark.parametrize("penalty", [0.5, 1.0, 1.3, 5.0])
def test_repetition_penalty_is_transformers(penalty):
    import transformers as hf

    ids = torch.randint(0, 40, (50, 9), generator=torch.Generator().manual_seed(2))
    said = torch.stack([torch.isin(torch.arange(40), row) for row in ids])
    wanted = hf.RepetitionPenaltyLogitsProcessor(penalty)(ids, LOGITS.clone())
    assert torch.equal(repetition_penalty(LOGITS, said, penalty), wanted)
    assert (LOGITS[said] < 0).any() and (LOGITS[said] > 0).any()


@pytest.mark.parametrize(
    "how", [dict(top_k=9, top_p=0.7, min_p=0.2), dict(top_k=3), dict(top_p=0.6), dict(min_p=0.3), dict()]
)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_what_is_drawn_is_what_all_filters_leave(how, temperature):
    """Temperature, then top_k, top_p, min_p, as transformers orders them; and the rest in their proportions."""
    import transformers as hf

    filters = {"top_k": hf.TopKLogitsWarper, "top_p": hf.TopPLogitsWarper, "min_p": hf.MinPLogitsWarper}
    scores = hf.TemperatureLogitsWarper(temperature)(None, LOGITS[:1])
    for name, bound in how.items():
        scores = filters[name](bound)(None, scores)
    probs, n = scores.softmax(-1)[0], 30_000
    drawn = sample(LOGITS[:1].expand(n, -1), temperature, **how, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=40) / n
    assert not share[probs == 0].any() and torch.allclose(share, probs, atol=0.015)
    if how:
        assert (share[probs > 0.002] > 0).all() and (probs == 0).any()


def test_samples_follow_the_probabilities():
    probs = torch.tensor([0.5, 0.0, 0.3, 0.2])
    drawn = sample(probs.log().expand(20_000, 4), generator=torch.Generator().manual_seed(0))
    share = torch.bincount(drawn, minlength=4) / 20_000
    assert share[1] == 0 and torch.allclose(share, probs, atol=0.015)


def test_a_draw_is_the_distribution_function_turned_over():
    """By a float64 of the generator for each row: with it, anybody can draw the same tokens again."""
    u = torch.rand(50, 1, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    cdf = (LOGITS.double() / 0.7).softmax(-1).cumsum(-1)
    drawn = sample(LOGITS, 0.7, generator=torch.Generator().manual_seed(7))
    assert torch.equal(drawn, (cdf <= u).sum(-1)) and drawn.dtype == torch.int64


@pytest.mark.parametrize(("u", "token"), [(0.0, 1), (1 - 1e-9 / 2, 2), (1 - 2**-53, 2)])
def test_the_ends_of_the_distribution_function(monkeypatch, u, token):
    """What has no probability is not drawn even at the ends; what has 1e-9, which float32 does not see, is."""
    monkeypatch.setattr(torch, "rand", lambda *shape, **how: torch.full(shape, u, dtype=torch.float64))
    probs = torch.tensor([[0.0, 1.0, 1e-9, 0.0]])
    assert sample(probs.log()).tolist() == [token]


def test_temperature_zero_takes_the_likeliest():
    assert torch.equal(sample(LOGITS, temperature=0), LOGITS.argmax(-1))
    assert sample(torch.tensor([[1.0, 3.0, 3.0]]), temperature=0, top_k=1).tolist() == [1]


@pytest.mark.parametrize("temperature", [0, 1.0])
@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_scores_without_a_distribution(temperature, odd):
    for row in ([0.0, odd], [-torch.inf, -torch.inf]):
        with pytest.raises(ValueError, match="nan or infinity"):
            sample(torch.tensor([[0.0, 1.0], row]), temperature)
    assert sample(torch.tensor([[0.0, -torch.inf]]), temperature).tolist() == [0]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (dict(temperature=-1.0), "temperature must be 0 or more, not -1.0"),
        (dict(temperature=float("nan")), "temperature must be 0 or more, not nan"),
        (dict(temperature=float("inf")), "temperature must be 0 or more, not inf"),
        (dict(top_k=0), "top_k must be 1 or more, not 0"),
        (dict(top_p=0.0), "top_p must be above 0 and at most 1, not 0.0"),
        (dict(top_p=1.1), "top_p must be above 0 and at most 1, not 1.1"),
        (dict(min_p=-0.1), "min_p must lie between 0 and 1, not -0.1"),
        (dict(min_p=1.1), "min_p must lie between 0 and 1, not 1.1"),
    ],
)
def test_bounds_that_make_no_sense(how, said):
    with pytest.raises(ValueError, match=said):
        sample(LOGITS, **how)
    with pytest.raises(ValueError, match=r"repetition_penalty must be above 0, not 0\.0"):
        repetition_penalty(LOGITS, LOGITS > 0, 0.0)


# ---- texts


@pytest.mark.parametrize(
    "choices",
    [{}, {"n_kv_heads": 1}, {"window": 4}, {"positions": "learned"}, {"norm": "batchnorm"}, {"n_encoder_layers": 1}],
)
def test_generation_with_the_cache_is_generation_without(choices):
    model, how = made(**choices).train(), dict(source=SOURCE) if choices.get("n_encoder_layers") else {}
    with_cache = generate(model, PROMPTS, 20, seed=1, **how)
    assert torch.equal(with_cache, generate(model, PROMPTS, 20, seed=1, use_cache=False, **how))
    assert torch.equal(with_cache[:, :3], PROMPTS) and with_cache.shape == (2, 23)
    assert not torch.equal(with_cache, generate(model, PROMPTS, 20, seed=2, **how))
    assert model.training  # which is not how the tokens were drawn, as batch norm would tell


def test_generation_is_a_loop_of_sample():
    """Spelled out: every text read from its start, the numbers drawn one after the other from one generator."""
    model, ids, generator = made(), PROMPTS, torch.Generator().manual_seed(5)
    how = dict(temperature=0.8, top_k=7, top_p=0.9, min_p=0.05)
    for _ in range(12):
        said = torch.stack([torch.isin(torch.arange(11), row) for row in ids])
        logits = repetition_penalty(model(ids)[:, -1], said, 1.2)
        ids = torch.cat([ids, sample(logits, **how, generator=generator)[:, None]], 1)
    assert torch.equal(generate(model, PROMPTS, 12, seed=5, repetition_penalty=1.2, **how), ids)
    generator = torch.Generator().manual_seed(5)
    first = generate(model, PROMPTS, 4, seed=generator, repetition_penalty=1.2, **how)  # a generator goes on
    assert torch.equal(generate(model, first, 8, seed=generator, repetition_penalty=1.2, **how), ids)


@pytest.mark.parametrize("name", list(FILTERS))
def test_each_filter_arrives(name):
    model, bound = made(), dict(top_k=1, top_p=1e-6, min_p=1.0)[name]
    greedy = generate(model, PROMPTS, 10, temperature=0)
    assert torch.equal(generate(model, PROMPTS, 10, **{name: bound}), greedy)
    assert not torch.equal(generate(model, PROMPTS, 10), greedy)


def test_greedy_generation_takes_the_likeliest_each_time():
    model, ids = made(), PROMPTS
    out = generate(model, ids, 5, temperature=0)
    for _ in range(5):
        ids = torch.cat([ids, model(ids)[:, -1].argmax(-1, keepdim=True)], 1)
    assert torch.equal(out, ids)


def test_only_what_is_needed_is_computed():
    """With the cache the prompt is read once and then one position at a time, and scored at its end alone."""
    model, read, scored = made(), [], []
    model.body.register_forward_pre_hook(lambda module, args: read.append(args[0].shape[1]))
    logits = model.logits
    model.logits = lambda x: scored.append((tuple(x.shape), x.requires_grad)) or logits(x)
    generate(model, PROMPTS, 4)
    beam_search(model, PROMPTS, 2, n_beams=3)
    assert read == [3, 1, 1, 1, 3, 1] and scored == [((2, 16), False)] * 5 + [((6, 16), False)]  # and no graph is kept
    read.clear()
    generate(model, PROMPTS, 4, use_cache=False)
    assert read == [3, 4, 5, 6]


def test_the_cache_has_room_for_what_is_read_and_no_more():
    model, made_caches = made(), []
    new_caches = model.body.new_caches
    model.body.new_caches = lambda max_len: made_caches.append(new_caches(max_len)) or made_caches[-1]
    generate(model, PROMPTS, 5)
    (caches,) = made_caches
    assert [type(cache) for cache in caches] == [PreallocatedCache] * 2
    assert [cache.max_len for cache in caches] == [len(cache) for cache in caches] == [7, 7]


# ---- as they come


def test_a_stream_gives_out_what_generate_collects():
    model = made()
    tokens = list(stream(model, PROMPTS, 6, seed=3))
    assert all(token.shape == (2,) and token.dtype == torch.int64 for token in tokens)
    assert torch.equal(torch.stack(tokens, 1), generate(model, PROMPTS, 6, seed=3)[:, 3:])
    assert list(stream(model, PROMPTS, 0)) == [] and torch.equal(generate(model, PROMPTS, 0), PROMPTS)


def test_a_stream_leaves_the_callers_modes_alone():
    """Between two tokens gradients are as the caller has them, and at the end, however it comes, the model is, too."""
    model = made().train()
    for step, token in enumerate(tokens := stream(model, PROMPTS, 6)):
        assert torch.is_grad_enabled() and not model.training and not token.requires_grad
        if step == 2:
            break
    tokens.close()
    assert model.training and torch.is_grad_enabled()
    with pytest.raises(ValueError, match="top_k"):
        next(stream(model, PROMPTS, 6, top_k=0))
    assert model.training and torch.is_grad_enabled()
    list(stream(model, PROMPTS, 2))
    assert model.training
    list(stream(model.eval(), PROMPTS, 2))
    assert not model.training
    unread = stream(model.train(), PROMPTS, 2)
    assert model.training
    del unread


def test_what_the_caller_does_to_a_token_changes_nothing():
    model, seen = made(), []
    for token in stream(model, PROMPTS, 6, seed=3):
        seen.append(token.clone())
        token.zero_()
    assert torch.equal(torch.stack(seen, 1), generate(model, PROMPTS, 6, seed=3)[:, 3:])


# ---- stop tokens


def test_a_row_that_has_stopped_repeats_its_stop_token():
    model = made()
    free = generate(model, PROMPTS, 25, seed=1)[:, 3:]
    for stop in (4, [4], (2, 9), {7}, torch.tensor([2, 9]).tolist()):
        stops = [stop] if isinstance(stop, int) else list(stop)
        out = generate(model, PROMPTS, 25, seed=1, stop=stop)[:, 3:]
        ends = []
        for row, unstopped in zip(out.tolist(), free.tolist(), strict=True):
            ends.append(next((i for i, token in enumerate(unstopped) if token in stops), 24))
            assert row[: ends[-1] + 1] == unstopped[: ends[-1] + 1][: len(row)]
            assert set(row[ends[-1] :]) <= {unstopped[ends[-1]]}
        assert out.shape[1] == max(ends) + 1
    assert len(set(ends)) == 2  # the rows end apart


def test_a_stop_token_of_the_prompt_stops_nothing():
    assert generate(made(), PROMPTS, 5, temperature=0, stop=3)[0, 3:].ne(3).any()


# ---- prompts of unequal length, and bad ones


@pytest.mark.parametrize(
    "choices",
    [{}, {"positions": "learned"}, {"window": 3}, {"positions": "alibi"}, {"norm": "rmsnorm", "n_encoder_layers": 1}],
)
@pytest.mark.parametrize("use_cache", [True, False])
def test_padded_prompts_go_on_as_each_alone(choices, use_cache):
    model, rows = made(**choices), [[1, 2, 3, 4, 5], [6, 7], [8, 9, 10, 1]]
    sources = [[3, 1, 4], [1, 5, 9, 2, 6], [5]]
    ids, real = torch.zeros(3, 5, dtype=torch.long), torch.zeros(3, 5, dtype=torch.bool)
    source, source_real = torch.zeros(3, 5, dtype=torch.long), torch.zeros(3, 5, dtype=torch.bool)
    for i, (row, text) in enumerate(zip(rows, sources, strict=True)):
        ids[i, 5 - len(row) :], real[i, 5 - len(row) :] = torch.tensor(row), True
        source[i, : len(text)], source_real[i, : len(text)] = torch.tensor(text), True
    how = dict(temperature=0, repetition_penalty=1.5, use_cache=use_cache)
    read = dict(source=source, source_real=source_real) if model.config.n_encoder_layers else {}
    out = generate(model, ids, 15, real=real, **read, **how)
    best, scores = beam_search(model, ids, 6, n_beams=3, real=real, **read)
    for i, row in enumerate(rows):
        alone, prompt = dict(source=torch.tensor([sources[i]])) if read else {}, torch.tensor([row])
        assert torch.equal(out[i, 5:], generate(model, prompt, 15, **alone, **how)[0, len(row) :])
        text, score = beam_search(model, prompt, 6, n_beams=3, **alone)
        assert torch.equal(best[i, 5:], text[0, len(row) :])
        torch.testing.assert_close(scores[i], score[0], atol=1e-5, rtol=1e-5)
    assert torch.equal(generate(model, ids, 3, real=torch.ones_like(real), **read), generate(model, ids, 3, **read))


def test_an_encoder_decoder_reads_its_source_once():
    model, times = made(n_encoder_layers=2, std=0.8), []
    model.body.encoder.register_forward_hook(lambda *call: times.append(1))
    out = generate(model, PROMPTS, 15, source=SOURCE)
    assert len(times) == 1
    ids, generator = PROMPTS, torch.Generator().manual_seed(0)
    for _ in range(15):
        ids = torch.cat([ids, sample(model(ids, source=SOURCE)[:, -1], generator=generator)[:, None]], 1)
    assert torch.equal(out, ids) and not torch.equal(out, generate(model, PROMPTS, 15, source=SOURCE + 1))


TRUE = torch.ones(2, 3, dtype=torch.bool)
GENERATORS = [generate, stream, partial(beam_search, n_beams=2)]


@pytest.mark.parametrize("run", GENERATORS)
@pytest.mark.parametrize(
    ("choices", "ids", "how", "said"),
    [
        ({}, torch.zeros(1, 0, dtype=torch.long), {}, r"shape \(B, T\) with T of at least 1, not \(1, 0\)"),
        ({}, torch.zeros(3, dtype=torch.long), {}, r"a prompt has shape \(B, T\) .* not \(3,\)"),
        ({}, torch.zeros(0, 3, dtype=torch.long), {}, r"a prompt has shape \(B, T\) .* not \(0, 3\)"),
        ({"causal": False}, PROMPTS, {}, "this model looks both ways"),
        ({}, PROMPTS, dict(real=TRUE[:, :2]), r"real has the shape \(2, 2\) and torch.bool; expected .*\(2, 3\)"),
        ({}, PROMPTS, dict(real=TRUE.long()), r"real has the shape \(2, 3\) and torch.int64"),
        ({}, PROMPTS, dict(real=torch.tensor([[True] * 3, [True, True, False]])), "padding at the end .* on the left"),
        ({}, PROMPTS, dict(source=SOURCE), "n_encoder_layers is 0, so nothing reads a source"),
        ({"n_encoder_layers": 1}, PROMPTS, {}, "n_encoder_layers is 1, so a source must be given"),
        ({"n_encoder_layers": 1}, PROMPTS, dict(source=SOURCE[:1]), "there are 1 sources for 2 prompts"),
        ({}, PROMPTS, dict(stop=11), "stop is 11; tokens go from 0 to 10"),
        ({}, PROMPTS, dict(stop=[3, -1]), r"stop is \[3, -1\]; tokens go from 0 to 10"),
        ({"positions": "learned"}, PROMPTS, dict(n=31), "n is 31; expected 0 or more, and .* prompt's 3 at most 32"),
    ],
)
def test_what_cannot_be_continued_is_not_begun(run, choices, ids, how, said):
    """With the call itself, also where tokens come one by one."""
    with pytest.raises(ValueError, match=said):
        run(made(**choices), ids, **dict(n=3) | how)


def test_how_many_tokens():
    model = made(positions="learned").train()
    with pytest.raises(ValueError, match="n is -1; expected 0 or more"):
        generate(model, PROMPTS, -1)
    assert model.training and generate(model, PROMPTS, 30).shape == (2, 33)
    for how in (dict(n=0), dict(n=3, n_beams=0)):
        with pytest.raises(ValueError, match="n_beams and n must be 1 or more"):
            beam_search(model, PROMPTS, **how)


# ---- beam search


def all_texts(model, prompt, n, stops, length_penalty):
    """{continuation: score} of everything that can be said in up to n tokens."""
    texts = torch.tensor(list(itertools.product(range(model.config.vocab_size), repeat=n)))
    whole = torch.cat([prompt.expand(len(texts), -1), texts], 1)
    logprobs = model(whole[:, :-1]).log_softmax(-1).gather(2, whole[:, 1:, None])[:, len(prompt) - 1 :, 0]
    found = {}
    for text, so_far in zip(texts.tolist(), logprobs.cumsum(1).tolist(), strict=True):
        end = next((i + 1 for i, token in enumerate(text) if token in stops), n)
        found[tuple(text[:end])] = so_far[end - 1] / end**length_penalty
    return found


@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 0.6, 1.0, 3.0])
@pytest.mark.parametrize("stop", [None, 2, [0, 3]])
@torch.no_grad()
def test_a_wide_beam_finds_the_best_of_all_texts(length_penalty, stop):
    model, prompts, n = made(vocab_size=4, seed=3), torch.tensor([[1, 2], [3, 1], [0, 0]]), 4
    stops = [] if stop is None else [stop] if isinstance(stop, int) else stop
    ids, scores = beam_search(model, prompts, n, n_beams=4**4, length_penalty=length_penalty, stop=stop)
    longest = 0
    for row, prompt in enumerate(prompts):
        found = all_texts(model, prompt, n, stops, length_penalty)
        text = max(found, key=found.get)
        assert tuple(ids[row, 2 : 2 + len(text)].tolist()) == text
        assert set(ids[row, 2 + len(text) :].tolist()) <= {text[-1]}
        assert scores[row].item() == pytest.approx(found[text], abs=1e-5)
        longest = max(longest, len(text))
    assert torch.equal(ids[:, :2], prompts) and ids.shape == (3, 2 + longest)


@pytest.mark.parametrize(
    ("n_beams", "length_penalty", "stop"),
    [(1, 1.0, 4), (2, 0.0, 4), (3, 1.0, None), (5, 1.0, 4), (2, 2.0, [2, 9]), (4, -1.0, 9)],
)
def test_beams_are_those_of_transformers(n_beams, length_penalty, stop):
    import transformers as hf

    torch.manual_seed(0)
    theirs = hf.LlamaForCausalLM(
        hf.LlamaConfig(
            vocab_size=11, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, rms_norm_eps=1e-5, bos_token_id=None, eos_token_id=None, pad_token_id=None,
        )
    ).eval()  # fmt: skip
    for p in theirs.parameters():
        nn.init.normal_(p, std=0.4)
    ours = made(n_kv_heads=1, d_ff=24, norm="rmsnorm", ffn="swiglu", bias=False, tied=False)
    names = {"model": "body", "self_attn": "attn", "mlp": "ffn", "layers": "blocks", "lm_head": "head"}
    names |= {"input_layernorm": "attn_residual.norm", "post_attention_layernorm": "ffn_residual.norm"}
    names |= {"embed_tokens": "embed", "norm": "final_norm"}
    ours.load_state_dict({".".join(names.get(p, p) for p in n.split(".")): t for n, t in theirs.state_dict().items()})
    prompts = torch.randint(0, 11, (4, 4), generator=torch.Generator().manual_seed(1))
    together, their_scores = beam_search(ours, prompts, 9, n_beams=n_beams, length_penalty=length_penalty, stop=stop)
    for row, prompt in enumerate(prompts.split(1)):  # alone, since transformers fills what is left with another token
        wanted = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=9, num_beams=n_beams, do_sample=False,
            length_penalty=length_penalty, eos_token_id=stop, pad_token_id=0,
            return_dict_in_generate=True, output_scores=True,
        )  # fmt: skip
        ids, scores = beam_search(ours, prompt, 9, n_beams=n_beams, length_penalty=length_penalty, stop=stop)
        assert torch.equal(ids, wanted.sequences)
        if n_beams > 1:
            torch.testing.assert_close(scores, wanted.sequences_scores, atol=1e-5, rtol=1e-5)
        assert torch.equal(together[row, : ids.shape[1]], ids[0])
        torch.testing.assert_close(their_scores[row], scores[0], atol=1e-5, rtol=1e-5)


def test_one_beam_is_greedy_and_the_score_is_its_probability():
    model = made().train()
    ids, scores = beam_search(model, PROMPTS, 7, n_beams=1, length_penalty=0.0)
    assert torch.equal(ids, generate(model, PROMPTS, 7, temperature=0)) and model.training
    logprobs = model.eval()(ids[:, :-1]).log_softmax(-1).gather(2, ids[:, 1:, None])[:, 2:, 0]
    torch.testing.assert_close(scores, logprobs.sum(1))
    mean = beam_search(model, PROMPTS, 7, n_beams=1)[1]
    torch.testing.assert_close(mean, logprobs.mean(1))  # length_penalty is 1 if nothing is said
    assert not scores.requires_grad
    default = beam_search(model, PROMPTS, 7)
    assert torch.equal(default[0], beam_search(model, PROMPTS, 7, n_beams=4)[0])


def test_beam_search_of_an_encoder_decoder():
    model = made(n_encoder_layers=1, vocab_size=3)
    prompts, source = torch.tensor([[1], [2]]), torch.tensor([[0, 1, 2], [2, 2, 0]])
    ids, scores = beam_search(model, prompts, 3, n_beams=27, source=source)
    for row in range(2):
        texts = torch.tensor([[*prompts[row].tolist(), *text] for text in itertools.product(range(3), repeat=3)])
        logits = model(texts[:, :-1], source=source[row].expand(27, -1))
        means = logits.log_softmax(-1).gather(2, texts[:, 1:, None])[..., 0].mean(1)
        assert torch.equal(ids[row], texts[means.argmax()])
        torch.testing.assert_close(scores[row], means.max(), atol=1e-5, rtol=1e-5)


def test_a_search_ends_when_nothing_can_win_any_more():
    model, read = made(), []
    model.body.register_forward_pre_hook(lambda module, args: read.append(1))
    with torch.no_grad():
        model.body.final_norm.bias.copy_(model.body.embed.weight[4] * 30)  # token 4 is as good as certain
    for n_beams, steps in ((1, 1), (2, 2)):  # with two, another must be complete to be beaten
        read.clear()
        ids, scores = beam_search(model, PROMPTS, 20, n_beams=n_beams, stop=4)
        assert ids[:, 3:].tolist() == [[4], [4]] and len(read) == steps and (scores > -0.1).all()


@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_beams_over_scores_that_are_none(odd):
    model = made()
    with torch.no_grad():
        model.body.final_norm.bias[0] = odd
    with pytest.raises(ValueError, match="nan or infinity"):
        beam_search(model, PROMPTS, 3)
