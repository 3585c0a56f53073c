"""The attention map as HTML: what is in it, that it says the numbers given, and that no token can act."""

import base64
import io
import json
import sys
import zlib
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

import lmkit
from lmkit.widgets import attention_map, explore_attention
from lmkit.widgets.attention_map import script, visible
from lmkit.widgets.explore import WIDGET, look, most_likely
from lmkit.widgets.page import script as script_of
from lmkit.widgets.png import PAPER, RAMP, colours, picture, png

HOSTILE = [
    "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "<!--", "-->", "]]>", "<svg/onload=alert(3)>",
    '"', "'", "`", "&", "&lt;", "&amp;", '" onmouseover="alert(4)', "javascript:alert(5)", "\u202eevil\u202c",
    "\u2066x", "\u200b", "\ufeff", "\x00", "\x07", "\x1b[31m", "\x7f", "\r\n", "\n", "\t", " ", "", "\u00a0",
    "\u2028", "\ud800", "🙂", "👩‍👩‍👧", "مرحبا", "日本語", "a" * 1000, "</lmkit-attention-map>", "</img>", "{{7*7}}",
    "${7*7}", "%3Cscript%3E", "\\u003cscript\\u003e", "<b", "<", ">", "<textarea>", "<style>*{display:none}",
    "<template>", "<base href=//x>", "<meta http-equiv=refresh content=0>", "</body>",
]  # fmt: skip


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ends, self.text, self.code, self.inside = [], [], "", "", None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.ends.append(tag)
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.code += data
        else:
            self.text += data


def causal(*shape, seed=0):
    """Random attention maps (..., T, T): rows sum to 1 over the positions up to their own."""
    scores = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 3
    allowed = torch.ones(shape[-2:], dtype=torch.bool).tril()
    return scores.masked_fill(~allowed, -torch.inf).softmax(-1)


def html_of(shown):
    return shown._repr_mimebundle_()["text/html"]


def unpacked(shown):
    """The weights as a browser reads them, and where every head has exactly 0."""
    attributes = Page(html_of(shown)).tags[0][1]
    config = json.loads(attributes["data-config"])
    data = base64.b64decode(attributes["data-weights"])
    data = zlib.decompress(data) if config["deflated"] else data
    T, S = len(config["queries"]), len(config["keys"] or config["queries"])
    shape = len(config["layers"]), config["n_heads"], T, S
    dtype = np.dtype("<u2" if config["bits"] == 16 else "u1")
    cells = np.prod(shape)
    codes = np.frombuffer(data[: cells * dtype.itemsize], dtype).reshape(shape)
    zero = np.unpackbits(np.frombuffer(data[cells * dtype.itemsize :], np.uint8))[: shape[0] * T * S]
    return codes / (2 ** config["bits"] - 1), zero.reshape(shape[0], T, S).astype(bool)


WORDS = "the cat sat on the mat".split()


# ---- what it accepts, and what it says of itself ----


def test_every_form_of_maps_gives_the_same_picture():
    maps = causal(2, 4, 6, 6)
    whole = unpacked(attention_map(maps, WORDS))[0]
    assert abs(whole - maps.numpy()).max() <= 1 / 510
    layers = {"a": maps[:1], "b": maps[1:]}
    for other in maps.numpy(), list(maps), [m.numpy()[None] for m in maps], layers, maps.double():
        assert (unpacked(attention_map(other, WORDS))[0] == whole).all()
    assert (unpacked(attention_map(maps[1], WORDS))[0] == whole[1:]).all()
    assert (unpacked(attention_map(maps[1, 2], WORDS))[0] == whole[1:, 2:3]).all()
    batch = {"x": causal(3, 4, 6, 6)}
    shown = unpacked(attention_map(batch, WORDS, batch_row=2))[0]
    assert abs(shown[0] - batch["x"][2].numpy()).max() <= 1 / 510


def test_what_record_collects_can_be_shown():
    torch.manual_seed(0)
    model = lmkit.LM(lmkit.Config(vocab_size=9, d_model=16, n_layers=2, n_heads=4, max_seq_len=8))
    with lmkit.record(model) as maps:
        model(torch.tensor([[1, 2, 3, 4, 5, 6]]))
    shown = attention_map(maps, WORDS)
    assert repr(shown) == "attention map: 2 layers × 4 heads, 6 queries × 6 keys"
    assert "blocks.1.attn" in html_of(shown)
    weights, zero = unpacked(shown)
    assert abs(weights - torch.cat(list(maps.values())).numpy()).max() <= 1 / 510
    assert (zero == np.triu(np.ones((6, 6), bool), 1)).all(), "exactly the future is exactly 0"


def test_cross_attention_takes_a_pair_of_tokens():
    maps = causal(1, 1, 2, 6, 6)[0, 0, :, :3]  # (n_heads, T = 3, S = 6)
    shown = attention_map(maps, (WORDS[:3], WORDS))
    assert repr(shown) == "attention map: 1 layer × 2 heads, 3 queries × 6 keys"
    assert unpacked(shown)[0].shape == (1, 2, 3, 6)
    two = attention_map(causal(2, 2), ["a", "b"])  # two tokens are not a pair of lists
    assert repr(two) == "attention map: 1 layer × 1 head, 2 queries × 2 keys"


MAPS = causal(2, 4, 6, 6)
NAN, LARGE = MAPS.clone(), MAPS.clone()
NAN[1, 2, 3, 0], LARGE[0, 3, 5, 2] = torch.nan, 1.5


@pytest.mark.parametrize(
    "maps, tokens, how, message",
    [
        (MAPS, WORDS[:5], {}, "6 query positions, but 5 tokens"),
        (MAPS, "the cat", {}, "not the string 'the cat'"),
        (MAPS, [1, 2, 3, 4, 5, 6], {}, "must be strings, not int (1)"),
        (MAPS[..., :4], WORDS, {}, "6 queries and 4 keys, so tokens must be a pair"),
        (MAPS[..., :4], (WORDS, WORDS), {}, "4 key positions, but 6 tokens"),
        (MAPS[0, 0, 0], WORDS, {}, "maps must be (T, S)"),
        (MAPS[None], WORDS, {}, "maps must be (T, S)"),
        ({}, WORDS, {}, "maps is empty"),
        ([], WORDS, {}, "maps is empty"),
        (MAPS[:, :0], WORDS, {}, "nothing to show in maps of shape (2, 0, 6, 6)"),
        ({"a": MAPS, "b": MAPS[..., :5]}, WORDS, {}, "b has maps of shape (4, 6, 5) but a has (4, 6, 6)"),
        ({"a": MAPS}, WORDS, {"batch_row": 2}, "batch_row=2, but a holds a batch of 2"),
        ({"a": MAPS}, WORDS, {"batch_row": -1}, "batch_row=-1"),
        (MAPS, WORDS, {"layer": 2}, "layer=2"),
        (MAPS, WORDS, {"head": 4}, "head=4"),
        (MAPS, WORDS, {"query": 6}, "query=6"),
        (NAN, WORDS, {}, "layer 1, head 2, query 3, key 0: nan is not a number"),
        (LARGE, WORDS, {}, "layer 0, head 3, query 5, key 2: 1.5 is not in [0, 1]"),
        (-MAPS, WORDS, {}, "is not in [0, 1]"),
    ],
)
def test_bad_input_is_one_clear_sentence(maps, tokens, how, message):
    with pytest.raises(ValueError) as refusal:
        attention_map(maps, tokens, **how)
    assert message in str(refusal.value) and "\n" not in str(refusal.value)


# ---- the HTML ----


def test_equal_input_gives_equal_bytes_and_the_name_does_not_hang_on_floats():
    first = html_of(attention_map(MAPS, WORDS, title="A"))
    assert first == html_of(attention_map(MAPS.clone(), list(WORDS), title="A"))
    name = Page(first).tags[0][1]["data-map"]

    def name_of(*args, **how):
        return Page(html_of(attention_map(*args, **how))).tags[0][1]["data-map"]

    assert name_of(causal(2, 4, 6, 6, seed=1), WORDS, title="A") == name
    assert len({name, name_of(MAPS, WORDS[::-1], title="A"), name_of(MAPS, WORDS), name_of(MAPS[:1], WORDS)}) == 4


def test_what_is_computed_from_floats_can_be_left_out_of_a_comparison():
    """Two machines may differ in the last bit of a weight: only these three attributes may then differ."""
    pages = [Page(html_of(attention_map(causal(2, 4, 6, 6, seed=seed), WORDS))) for seed in (0, 1)]
    for page in pages:
        (_, element), (_, image), *_ = page.tags
        assert "data-computed" in image
        del element["data-weights"], image["alt"], image["src"]
    assert pages[0].tags == pages[1].tags and pages[0].code == pages[1].code


def test_hostile_tokens_are_only_labels():
    assert len(HOSTILE) == 50
    page = Page(html_of(attention_map(causal(2, 50, 50), HOSTILE, title="</script><b>", alt=None)))
    assert [tag for tag, _ in page.tags] == ["lmkit-attention-map", "img", "br", "small", "script"]
    assert page.ends == ["small", "lmkit-attention-map", "script"]
    assert page.text.startswith("</script><b>: attention map: ")
    element, image, _, _, code = (attributes for _, attributes in page.tags)
    assert set(element) == {"data-map", "data-lm-suppress-shortcuts", "data-config", "data-weights"}
    assert set(image) == {"data-computed", "alt", "width", "style", "src"}
    assert set(code) == {"data-lmkit-script"}
    labels = json.loads(element["data-config"])["queries"]
    assert labels[0] == "<img␣src=x␣onerror=alert(1)>" and labels[-1] == "</body>"
    html_of(attention_map(causal(50, 50), HOSTILE)).encode("utf-8")


@pytest.mark.parametrize("token", HOSTILE)
def test_no_token_reaches_the_html_raw(token):
    shown = attention_map(np.ones((1, 1)), [token], title=token, alt=token)
    markup = shown.html()
    page = Page(markup)
    assert [tag for tag, _ in page.tags] == ["lmkit-attention-map", "img", "br", "small"]
    assert page.ends == ["small", "lmkit-attention-map"]
    assert markup.count("<") == 6, "only our own tags"
    assert not any(ord(c) < 32 and c != "\n" for c in markup)


def test_labels_show_every_character():
    assert [visible(t) for t in (" cat", "\n", "\t", "", "\u202e", "\x00", "\ud800")] == [
        "␣cat", "↵", "⇥", "∅", "‹202E›", "‹00›", "‹D800›",
    ]  # fmt: skip
    assert visible("two words", keep=" ") == "two words"
    assert [visible(t) for t in ("é", "👩‍👩‍👧", "日本")] == ["é", "👩‍👩‍👧", "日本"]


@pytest.mark.parametrize("name", ["attention_map", "next_word", "norm_bars", "stream_lens", "token_steps"])
def test_a_script_is_one_piece_and_asks_nobody(name):
    html = script_of(name)
    code = Page(html).code
    assert html.count("<script") == 1 and html.count("</script") == 1 and "<!--" not in html
    assert f'data-lmkit-script="{name.replace("_", "-")}"' in html and "container-type" in code
    assert "__CSS__" not in code and "__PAGE__" not in code and code.count("function pageTheme()") == 1
    ways_out = ["http://", "https://", "fetch(", "XMLHttpRequest", "import(", "innerHTML", "insertAdjacentHTML"]
    for way_out in [*ways_out, "eval(", "Function("]:
        assert way_out not in code.replace("http://www.w3.org/2000/svg", ""), way_out
    assert "url(" not in (code.replace("url(#weights)", "") if name == "attention_map" else code)


def test_small_maps_keep_three_decimals_and_large_ones_half_a_code():
    toy = torch.tensor([[0.0900, 0.2447, 0.6652], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]])
    assert abs(unpacked(attention_map(toy, list("abc")))[0][0, 0] - toy.numpy()).max() < 1e-5
    large = causal(4, 4, 64, 64)
    weights, zero = unpacked(attention_map(large, [str(i) for i in range(64)]))
    assert abs(weights - large.numpy()).max() <= 1 / 510 + 1e-7
    assert (zero == (large == 0).all(1).numpy()).all()


def test_rows_that_are_all_zero_can_be_shown():
    padded = causal(4, 4)
    padded[3] = 0
    weights, zero = unpacked(attention_map(padded, list("abcd")))
    assert zero[0, 3].all() and (weights[0, 0, 3] == 0).all()


def test_sizes_stay_small():
    """Real maps are mostly near 0, these are as random as softmax makes them: an upper end."""
    twelve = len(attention_map(causal(12, 12, 64, 64), ["token"] * 64).html())
    long = len(attention_map(causal(1, 8, 512, 512), ["token"] * 512).html())
    assert twelve < 600_000 and long < 2_000_000 and len(script()) < 60_000
    print(f"12 × 12 × 64 × 64: {twelve:,} bytes; 8 × 512 × 512: {long:,} bytes; script {len(script()):,} bytes")


# ---- the plain picture ----


def opened(base64_text):
    return Image.open(io.BytesIO(base64.b64decode(base64_text)))


def test_the_picture_shows_the_weights():
    heads = causal(5, 6, 6).numpy()
    encoded, width = picture(heads)
    image = opened(encoded)
    assert image.size[0] == width and image.format == "PNG"
    pixels = np.asarray(image)  # palette indices
    side = 200 // 6 * 6
    top, left = 12 + side + 12, 12  # head 4 begins the second row
    cells = pixels[top : top + side, left : left + side][16::33, 16::33]
    assert (cells == np.where(np.tri(6), np.rint(heads[4] * 31), PAPER)).all()
    assert (np.asarray(image.convert("RGB"))[0, 0] == 255).all()


def test_large_maps_keep_their_strongest_cell_in_the_picture():
    sparse = np.zeros((1, 1000, 1000), np.float32)
    sparse[0, 777, 123] = 1
    pixels = np.asarray(opened(picture(sparse)[0]))
    assert max(pixels.shape) < 600
    row, column = np.argwhere(pixels == 31).T
    assert len(row) == 1 and abs((row[0] - 12) / 334 - 0.777) < 0.01 and abs((column[0] - 12) / 334 - 0.123) < 0.01


def test_png_round_trip():
    index = np.arange(12, dtype=np.uint8).reshape(3, 4)
    image = Image.open(io.BytesIO(png(index, colours(12).astype(np.uint8))))
    assert (np.asarray(image) == index).all()
    assert np.asarray(image.convert("RGB"))[0, 0].tolist() == list(bytes.fromhex(RAMP[0]))


def test_the_scale_darkens_all_the_way():
    linear = (colours(32) / 255) ** 2.2
    assert (np.diff(linear @ [0.2126, 0.7152, 0.0722]) < 0).all()


def test_alt_text_says_what_is_to_be_seen():
    maps = torch.eye(6).roll(1, dims=1)
    alt = Page(html_of(attention_map(maps, WORDS))).tags[1][1]["alt"]
    assert alt.startswith("Attention of layer 0. Strongest links of head 0: ") and "cat → sat" in alt
    page = Page(html_of(attention_map(maps, WORDS, alt='each looks at the "next"')))
    assert page.tags[1][1]["alt"] == 'each looks at the "next"' and "data-computed" not in page.tags[1][1]
    flat = Page(html_of(attention_map(torch.full((6, 6), 1 / 6), WORDS))).tags[1][1]["alt"]
    assert "none stands out" in flat


# ---- exploring with a live kernel ----


class Tokenizer:
    words = "the cat sat on a mat . <b>".split()

    def encode(self, text):
        for word in text.split():
            if word not in self.words:
                raise ValueError(f"{word!r} is not among the {len(self.words)} words this tokenizer knows")
        return [self.words.index(word) for word in text.split()]

    def decode(self, ids):
        return " ".join(self.words[i] for i in ids)

    def tokens(self, text):
        return text.split()


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = lmkit.LM(lmkit.Config(vocab_size=8, d_model=16, n_layers=2, n_heads=4, max_seq_len=8))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(5)
    return model


def n_hooks(model):
    return sum(len(module._forward_hooks) for module in model.modules())


def test_a_head_switched_off_contributes_nothing(model):
    """The same as zeroing the columns of o_proj that read this head."""
    d_head, words = 4, "the cat sat on"
    whole = look(model, Tokenizer(), words).probabilities
    switched = look(model, Tokenizer(), words, off=("blocks.1.attn", 2)).probabilities
    with torch.no_grad():
        model.body.blocks[1].attn.o_proj.weight[:, 2 * d_head : 3 * d_head] = 0
    torch.testing.assert_close(switched, look(model, Tokenizer(), words).probabilities, rtol=1e-5, atol=1e-6)
    assert (switched - whole).abs().max() > 1e-4
    assert n_hooks(model) == 0


def test_no_hook_is_left_when_something_raises(model):
    with pytest.raises(ValueError, match="9 positions"):
        look(model, Tokenizer(), "the " * 9, off=("blocks.0.attn", 0))
    with pytest.raises(ValueError, match="no head 4 in blocks.0.attn, which has 4"):
        look(model, Tokenizer(), "the cat", off=("blocks.0.attn", 4))
    with pytest.raises(ValueError, match="no layer 'blocks.7.attn'.*blocks.0.attn, blocks.1.attn"):
        look(model, Tokenizer(), "the cat", off=("blocks.7.attn", 0))
    assert n_hooks(model) == 0


def test_look_is_the_models_own_answer_and_leaves_it_as_it_was(model):
    model.train()
    seen = look(model, Tokenizer(), "the cat sat")
    assert model.training and seen.tokens == ["the", "cat", "sat"]
    assert list(seen.maps) == ["blocks.0.attn", "blocks.1.attn"] and seen.maps["blocks.0.attn"].shape == (1, 4, 3, 3)
    torch.testing.assert_close(seen.probabilities, model.eval()(torch.tensor([[0, 1, 2]]))[0, -1].softmax(-1))
    with pytest.raises(ValueError, match="holds no token"):
        look(model, Tokenizer(), "")


def test_most_likely_tokens_of_both_runs_are_listed_once(model):
    before = look(model, Tokenizer(), "the cat sat")
    after = look(model, Tokenizer(), "the cat sat", off=("blocks.1.attn", 0))
    ids = most_likely(before, after, k=3)
    assert ids[:3] == before.probabilities.argsort(descending=True)[:3].tolist()
    assert len(ids) == len(set(ids)) and set(after.probabilities.topk(3).indices.tolist()) <= set(ids)


def test_explorer_without_a_kernel(model):
    explorer = explore_attention(model, Tokenizer(), "the cat sat")
    assert repr(explorer) == "attention explorer: 2 layers × 4 heads, 3 tokens"
    bundle, again = (explore_attention(model, Tokenizer(), "the cat sat")._repr_mimebundle_() for _ in range(2))
    assert set(bundle) == {"text/plain", "text/html", WIDGET}
    assert bundle["text/html"] == again["text/html"]
    tags = [tag for tag, _ in Page(bundle["text/html"]).tags]
    assert tags.count("lmkit-attention-map") == 1 and tags.count("tr") == 6 and "b" not in tags


def test_explorer_answers_its_controls(model):
    explorer = explore_attention(model, Tokenizer(), "the cat sat")
    shown, predicted = explorer.shown.outputs, explorer.prediction.value
    explorer.off.value = True
    assert explorer.prediction.value != predicted and "head off" in explorer.prediction.value
    explorer.head.value, explorer.layer.value = 3, "blocks.1.attn"
    assert "blocks.1.attn, head 3 switched off" in explorer.shown.outputs[0]["data"]["text/html"]
    explorer.off.value = False
    assert explorer.prediction.value == predicted
    explorer.text.value = "the mat"
    assert explorer.now.tokens == ["the", "mat"] and explorer.shown.outputs != shown
    kept = explorer.shown.outputs
    refusals = {"the <b>zebra": "is not among the 8 words", "": "holds no token", "a " * 9: "max_seq_len=8"}
    for refused, said in refusals.items():
        explorer.text.value = refused
        assert said in explorer.message.value and explorer.shown.outputs == kept
        assert [tag for tag, _ in Page(explorer.message.value).tags] == ["b"], "the message alone is bold"
    explorer.text.value = "a cat"
    assert explorer.message.value == "" and explorer.now.tokens == ["a", "cat"]


def test_ipywidgets_is_asked_for_in_one_sentence(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ImportError, match="needs ipywidgets"):
        explore_attention(model, Tokenizer(), "the cat")
