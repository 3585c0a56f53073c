"""Tokenizer files: the layouts of published models are read with Rust's ids; what is not known is refused by name."""

import copy
import json
import random
import warnings

import pytest
import tokenizers as hub
import transformers as hf
from tokenizer_texts import nasty_texts, undisputed_texts

from lmkit.corpora import tales
from lmkit.tokenizers import BPE, GPT4, QWEN2, TOKENIZERS, ByteBPE, Fast, WordPiece, fast, load
from lmkit.tokenizers.normal_forms import normal_form

PRE, POST, ADDED = hub.pre_tokenizers, hub.processors, hub.AddedToken


@pytest.fixture(scope="module")
def corpus():
    return [tales.generate(6000, seed=5).text, " ".join(undisputed_texts(150, seed=6))]


def byte_level(corpus, special, pattern=None, added=(), late=(), size=700, **options):
    """A byte-level tokenizer of Rust's making. late: special tokens that stand outside the model's own vocabulary."""
    rust = hub.Tokenizer(hub.models.BPE(**options))
    rust.pre_tokenizer = PRE.ByteLevel(add_prefix_space=False)
    if pattern is not None:
        split = PRE.Split(hub.Regex(pattern), "isolated")
        rust.pre_tokenizer = PRE.Sequence([split, PRE.ByteLevel(add_prefix_space=False, use_regex=False)])
    rust.decoder = hub.decoders.ByteLevel()
    trainer = hub.trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(special), show_progress=False, initial_alphabet=PRE.ByteLevel.alphabet()
    )
    rust.train_from_iterator(corpus, trainer)
    rust.add_special_tokens(list(late))
    rust.add_tokens([ADDED(token, normalized=False) for token in added])
    return rust


def gpt2(corpus):
    rust = byte_level(corpus, ["<|endoftext|>"])
    rust.post_processor = POST.ByteLevel(trim_offsets=False)
    return rust


def roberta(corpus):
    rust = byte_level(corpus, ["<s>", "<pad>", "</s>", "<unk>", ADDED("<mask>", lstrip=True, normalized=True)])
    rust.post_processor = POST.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return rust


def gpt4(corpus):
    return byte_level(corpus, [], GPT4, late=["<|endoftext|>", "<|fim_prefix|>", "<|endofprompt|>"])


def llama3(corpus):
    rust = byte_level(corpus, [], GPT4, late=["<|begin_of_text|>", "<|eot_id|>"], ignore_merges=True)
    model = json.loads(rust.to_str())
    draw = random.Random(1)
    draw.shuffle(model["model"]["merges"])  # so that not every token is reached by merges
    rust = hub.Tokenizer.from_str(json.dumps(model))
    begin = ("<|begin_of_text|>", rust.token_to_id("<|begin_of_text|>"))
    template = POST.TemplateProcessing(single="<|begin_of_text|> $A", pair=None, special_tokens=[begin])
    rust.post_processor = POST.Sequence([POST.ByteLevel(trim_offsets=False), template])
    return rust


def qwen3(corpus):
    added = ["<think>", "</think>", "<tool_call>", "<think>\n", "im_end|>", "ab"]
    rust = byte_level(corpus, [], QWEN2, added, late=["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    rust.normalizer = hub.normalizers.NFC()
    return rust


def words(corpus):
    rust = hub.Tokenizer(hub.models.BPE(unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=True))
    rust.pre_tokenizer, rust.decoder = PRE.Whitespace(), hub.decoders.BPEDecoder("</w>")
    options = dict(vocab_size=900, end_of_word_suffix="</w>", limit_alphabet=200)
    trainer = hub.trainers.BpeTrainer(special_tokens=["<unk>", "<s>"], show_progress=False, **options)
    rust.train_from_iterator(corpus, trainer)
    return rust


LAYOUTS = {maker.__name__: maker for maker in (gpt2, roberta, gpt4, llama3, qwen3, words)}


@pytest.fixture(scope="module", params=sorted(LAYOUTS))
def rust(request, corpus):
    return LAYOUTS[request.param](corpus)


def plain(rust):
    """What `encode` is compared with: no special tokens from the text, none around it, spans not trimmed."""
    data = json.loads(rust.to_str()) | {"post_processor": None}
    again = hub.Tokenizer.from_str(json.dumps(data))
    again.encode_special_tokens = True
    return again


def agree(ours, theirs, texts):
    for text in texts:
        wanted = theirs.encode(text)
        assert ours.encode(text) == wanted.ids, text
        assert ours.offsets(text) == wanted.offsets, text
        assert not wanted.ids or ours.decode(wanted.ids) == theirs.decode(wanted.ids)


def texts(n, seed, rust):
    """Random texts, and such with added tokens and letters to compose among them."""
    among = [token.content for token in rust.get_added_tokens_decoder().values()]
    among += [" ", "e\u0301", "a\u0328\u0301", "\u1112\u1161\u11ab"]
    draw = random.Random(seed)
    for text in undisputed_texts(n, seed):
        yield text
        yield "".join(draw.choices([text[:9], *among], k=9))


def test_layouts_of_published_models(rust, tmp_path):
    rust.save(str(tmp_path / "tokenizer.json"))
    ours = load(tmp_path)
    assert type(ours) is (BPE if "Whitespace" in rust.to_str()[:3000] else ByteBPE)
    added = rust.get_added_tokens_decoder()
    assert ours.vocab == rust.get_vocab()
    assert ours.special == {token.content: i for i, token in added.items() if token.special}
    agree(ours, plain(rust), texts(250, 7, rust))
    agree(ours, plain(rust), [tales.generate(3000, seed=2).text])
    agree(fast(ours), plain(rust), texts(20, 8, rust))


def test_what_was_read_is_written(rust, tmp_path):
    """Also what is no part of encode: tokens that a post-processor puts around a text, spaces that <mask> takes up."""
    rust.save(str(tmp_path / "one.json"))
    load(tmp_path / "one.json").save(tmp_path / "two.json")
    one, two = (json.loads((tmp_path / name).read_text(encoding="utf-8")) for name in ("one.json", "two.json"))
    assert {**two, "decoder": None} == {**one, "decoder": None}
    again = hub.Tokenizer.from_file(str(tmp_path / "two.json"))
    for text in ["Anna said <mask> no", " leading", "<s>a</s>", ""]:
        assert again.encode(text, text).ids == rust.encode(text, text).ids
        assert again.decode(rust.encode(text).ids) == rust.decode(rust.encode(text).ids)
    theirs = hf.PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "two.json"))
    assert theirs("Anna said no").input_ids == rust.encode("Anna said no").ids


def test_ids_with_holes(corpus, tmp_path):
    """As in OpenAI's cl100k_base, whose special tokens have the ids 100257 to 100260 and 100276."""
    data = json.loads(byte_level(corpus[:1], [], GPT4, size=600).to_str())
    plain_token = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    data["added_tokens"] = [{"id": i, "content": f"<|{i}|>", **plain_token} for i in (601, 602, 620)]
    data["model"]["vocab"] |= {token["content"]: token["id"] for token in data["added_tokens"]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    ours, theirs = load(tmp_path), hub.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert len(ours) == 621 and ours.vocab == theirs.get_vocab()
    assert ours.special == {"<|601|>": 601, "<|602|>": 602, "<|620|>": 620}
    agree(ours, plain(theirs), texts(20, 3, theirs))
    agree(fast(ours), plain(theirs), texts(20, 4, theirs))
    assert ours.decode([601, 33, 620], special=True) == theirs.decode([601, 33, 620], skip_special_tokens=False)
    for call in (ours.decode, ours.label):
        with pytest.raises(ValueError, match="no token has the id 600, though some have greater ones"):
            call([600] if call == ours.decode else 600)
    with pytest.raises(ValueError, match=r"id 621 is not in 0\.\.620"):
        ours.decode([621])
    with pytest.raises(ValueError, match=r"id 621 is not in 0\.\.620"):
        fast(ours).decode([621])


def test_normal_form_c_is_that_of_rust():
    rust = hub.Tokenizer(hub.models.WordLevel({"?": 0}, unk_token="?"))
    rust.normalizer, rust.pre_tokenizer = hub.normalizers.NFC(), PRE.Split(hub.Regex(r"[\s\S]"), "isolated")
    draw = random.Random(3)
    some = "\u0301\u0308\u0323\u0327\u0328\u0345\u093c\u3099\u0344\u0334\u05b7\u05bc\u0f71\u0f72\u1161\u11a8\u0338"
    some += "aeoAKÅ\u212a\u212bäǘﬁ\u1100각가"
    some += "かカ\u0915\u0958\u0a32\u09c7\u09be\u05d0\u2adc\u1fbe\u0f40\U0001d15e\U00011099"
    made = ["".join(draw.choices(some, k=draw.randrange(1, 12))) for _ in range(4000)]
    for text in [*nasty_texts(1500, seed=9), *made]:
        changed, places = normal_form(text, "NFC")
        assert changed == rust.normalizer.normalize_str(text)
        places = range(len(text)) if places is None else places
        assert [(n, n + 1) for n in places] == rust.encode(text).offsets


# Older checkpoints


def test_vocab_json_and_merges(corpus, tmp_path):
    for special in (["<|endoftext|>"], ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]):
        rust = byte_level(corpus, special)
        rust.model.save(str(tmp_path))
        ours = load(tmp_path)
        assert sorted(ours.special) == sorted(special)
        agree(ours, plain(rust), texts(60, 10, rust))
        text = (tmp_path / "merges.txt").read_text(encoding="utf-8")
        (tmp_path / "merges.txt").write_bytes(text.replace("\n", "\r\n").encode())  # as if it came from Windows
        assert load(tmp_path).merges == ours.merges


def test_vocab_txt_numbers_its_lines_and_is_read_with_its_rules(tmp_path):
    pieces = ["[PAD]", "[UNK]", "", "é", "e", "##a", "好", "##好", "[CLS]", "[SEP]", "[MASK]"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    options = dict(do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False)
    theirs = hf.BertTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, **options)
    for rules in ({}, options):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(rules), encoding="utf-8")
        tok = load(tmp_path)
        assert tok.vocab["é"] == 3 and tok.encode("é éa 好好") == ([3, 3, 5, 6, 7] if rules else [4, 4, 5, 6, 6])
    assert theirs.encode("é éa 好好", add_special_tokens=False) == tok.encode("é éa 好好")


@pytest.mark.parametrize("lower", [True, False, None])
def test_vocab_txt(corpus, tmp_path, lower):
    rust = hub.Tokenizer(hub.models.WordPiece(unk_token="[UNK]"))
    rust.normalizer = hub.normalizers.BertNormalizer(lowercase=lower is not False)
    rust.pre_tokenizer = PRE.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = hub.trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    rust.train_from_iterator(corpus[:1], trainer)
    rust.model.save(str(tmp_path))
    if lower is not None:
        (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}), encoding="utf-8")
    ours = load(tmp_path)
    assert type(ours) is TOKENIZERS["wordpiece"] and sorted(ours.special) == sorted(special)
    rust.add_special_tokens(special)
    for text in ["The cat SAT on Anna’s mat, naïvely.", corpus[0][:2000]]:
        assert ours.encode(text) == plain(rust).encode(text).ids


def test_the_books_checkpoints(tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps({"kind": "words", "words": ["some", "text"]}), encoding="utf-8")
    assert load(tmp_path).encode("text some") == [1, 0]


# What is refused


@pytest.fixture(scope="module")
def good(corpus):
    """The content of a small file that is in order."""
    return json.loads(qwen3(corpus[:1]).to_str())


def put(data, path, value):
    """A copy with one thing changed."""
    data = copy.deepcopy(data)
    *way, last = path
    inside = data
    for key in way:
        inside = inside[key]
    if value is ...:
        del inside[last]
    else:
        inside[last] = value
    return data


SPLIT, LEVEL = ("pre_tokenizer", "pretokenizers", 0), ("pre_tokenizer", "pretokenizers", 1)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (["normalizer"], {"type": "NFKC"}, "normalizer NFKC is none that lmkit has"),
        (["normalizer"], {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Nmt"}]}, "NFC . Nmt is none"),
        (["normalizer"], {"type": "NFC", "what": 1}, "normalizer NFC"),
        (["pre_tokenizer"], {"type": "Metaspace", "replacement": "▁"}, "pre_tokenizer .* not Metaspace"),
        (["pre_tokenizer"], None, "pre_tokenizer .* not none"),
        (["pre_tokenizer"], {"type": "ByteLevel", "add_prefix_space": True}, "add_prefix_space 'True'"),
        (["pre_tokenizer"], {"type": "ByteLevel"}, "add_prefix_space"),
        (["pre_tokenizer"], {"type": "Sequence"}, "field 'pretokenizers' of type list"),
        ([*SPLIT, "behavior"], "Removed", "its Split has behavior 'Removed'"),
        ([*SPLIT, "invert"], True, "its Split has invert 'True'"),
        ([*SPLIT, "pattern"], {"String": " "}, "field 'Regex'"),
        ([*SPLIT, "pattern"], {"Regex": "("}, "no regular expression"),
        ([*LEVEL, "use_regex"], True, "its ByteLevel has use_regex 'True'"),
        ([*LEVEL, "new"], 1, "its ByteLevel has a field 'new'"),
        (["decoder"], {"type": "WordPiece"}, "decoder ByteLevel, not WordPiece"),
        (["decoder"], None, "decoder ByteLevel, not none"),
        (["model"], None, "must have a field 'model'"),
        (["model"], {}, "field 'type'"),
        (["model", "type"], "Markov", "its model is Markov"),
        (["model", "type"], 3, "field 'type' of type str"),
        (["model", "type"], "WordLevel", "its model is WordLevel"),
        (["model", "dropout"], 0.1, "its BPE has dropout '0.1'"),
        (["model", "byte_fallback"], True, "byte_fallback"),
        (["model", "unk_token"], "ab", "unk"),
        (["model", "end_of_word_suffix"], "</w>", "end '</w>'"),
        (["model", "continuing_subword_prefix"], "##", "prefix '##'"),
        (["model", "fresh"], 1, "its BPE has a field 'fresh'"),
        (["model", "vocab"], [], "field 'vocab' of type dict"),
        (["model", "vocab"], {}, "has the id 700, but the next one to give is 0"),
        (["model", "vocab", "!"], ..., "has the id 700, but the next one to give is 699"),
        (["model", "vocab", "!"], 5, "same id 5"),
        (["model", "vocab", "!"], -1, "the id -1"),
        (["model", "vocab", "!"], 10**7, "no token has the id 0, though ids go up to 10000000"),
        (["model", "vocab", "!"], "0", "the id '0'"),
        (["model", "vocab", "!"], 0.0, "the id 0.0"),
        (["model", "merges"], None, "field 'merges' of type list"),
        (["model", "merges", 3], "a", "merge 4 is 'a', which is no pair"),
        (["model", "merges", 3], ["a", "b", "c"], "merge 4 is"),
        (["model", "merges", 3], ["a", 3], "merge 4 is"),
        (["model", "merges", 3], ["z", "qqq"], "merge 4, 'z' . 'qqq': 'qqq' is not in the vocabulary"),
        (["added_tokens", 0, "id"], 7, "added token 0, '.*', has the id 7, but the next"),
        (["added_tokens", 1, "content"], "!", "added token 1, '!', has the id 701, but the vocabulary gives it 0"),
        (["added_tokens", 0, "id"], "7", "field 'id' of type int"),
        (["added_tokens", 0, "content"], None, "field 'content' of type str"),
        (["added_tokens", 3, "lstrip"], True, "added token 3, .*is not special and has lstrip"),
        (["added_tokens", 3, "single_word"], True, "single_word"),
        (["added_tokens", 3, "content"], "", "added token 3 is empty"),
        (["model", "unk_token"], 3, "its BPE has for unk 3, which is no text"),
        (["added_tokens", 3, "normalized"], True, "looked for in normalized text"),
        (["added_tokens", 3], "text", "added token 3 must have"),
        (["added_tokens"], {"a": 1}, "added token 0"),
    ],
)
def test_parts_that_are_not_known(good, path, value, says, tmp_path):
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(put(good, path, value)), encoding="utf-8")
    with pytest.raises(ValueError, match=says) as caught:
        load(file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "error", "says"),
    [
        ({}, FileNotFoundError, "holds no tokenizer.json.* but nothing"),
        ({"model.bin": ""}, FileNotFoundError, "but model.bin"),
        ({"vocab.json": "{}"}, FileNotFoundError, "but vocab.json"),
        ({"tokenizer.json": "{"}, ValueError, "no JSON"),
        ({"tokenizer.json": "\x00"}, ValueError, "no JSON"),
        ({"tokenizer.json": "[" * 100_000}, ValueError, "no JSON"),
        ({"tokenizer.json": "[]"}, ValueError, "JSON object, not list"),
        ({"tokenizer.json": '{"model": {"type": "BPE", "vocab": {"a": 0, "a": 1}}}'}, ValueError, "'a' stands twice"),
        ({"tokenizer.json": b"\xff{}"}, ValueError, "no JSON"),
        ({"vocab.json": "{}", "merges.txt": ""}, ValueError, "the vocabulary is empty"),
        ({"vocab.json": "[]", "merges.txt": ""}, ValueError, "JSON object"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "a b c\n"}, ValueError, "line 1 of merges.txt is 'a b c'"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "#version: 0.2\na b\n"}, ValueError, "'b' is not in the vocabulary"),
        ({"vocab.json": '{"a": 0}', "merges.txt": "#version: 0.2\n"}, ValueError, "no token for the byte 21"),
        ({"vocab.txt": "a\nb\na\n"}, ValueError, "'a' twice"),
        ({"vocab.txt": "a\nb\n"}, ValueError, "UNK"),
    ],
)
def test_folders_without_a_tokenizer(tmp_path, files, error, says):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=says) as caught:
        load(tmp_path)
    assert str(tmp_path) in str(caught.value) and "\n" not in str(caught.value)


def test_no_file_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no tokenizer at .*give a file, a folder, or 'gpt2'"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("kind", sorted(set(TOKENIZERS) - {"byte_bpe", "bytes"}))
def test_added_tokens_are_for_byte_level_bpe(kind, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a short text
        size = None if kind in ("words", "characters") else 60
        tok = TOKENIZERS[kind].train("a low new one, as low as that", size)
    data, i = tok.to_json(), len(tok)
    plain_token = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    data["added_tokens"] = [*data["added_tokens"], {"id": i, "content": "<think>", **plain_token}]
    (tmp_path / "tokenizer.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match="added token '<think>' is not special"):
        load(tmp_path)


def test_gpt2_damaged(tmp_path, monkeypatch):
    from lmkit.tokenizers import files

    content = (files.PUBLISHED / "gpt2/merges.txt").read_bytes()
    (tmp_path / "gpt2").mkdir()
    (tmp_path / "gpt2/merges.txt").write_bytes(content.replace(b"\xc4\xa0 t\n", b"\xc4\xa0 T\n", 1))
    monkeypatch.setattr(files, "PUBLISHED", tmp_path)
    with pytest.raises(ValueError, match="merges.txt is damaged: its sha256 is not 1ce1664773c5"):
        load("gpt2")


VALUES = [..., None, True, False, 0, 1, -1, 0.5, "", "a", "x y", [], {}, {"type": "NFC"}, [["t", "h"]]]


def places(data, way=()):
    """Every place in a JSON value, as the keys that lead there."""
    if way:
        yield way
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(entries)[:12]:
        yield from places(value, (*way, key))


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_spoilt_files_are_refused_or_read_as_rust_reads_them(kind, tmp_path):
    """Any one thing in a file changed: either it is refused in one sentence, or ids are Rust's all the same."""
    options = {"unk": "<unk>", "special": ["<unk>", "<s>"]} if kind in ("bpe", "wordpiece", "unigram") else {}
    size = {"byte_bpe": 280, "bpe": 60, "wordpiece": 60, "unigram": 60}.get(kind)
    text = "the lower the low, the newer the new one; as low as that! who knows how slowly it grows " * 9
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a short text
        data = TOKENIZERS[kind].train(text, size, **options).to_json()
    draw, file, read = random.Random(11), tmp_path / "tokenizer.json", 0
    for way in places(data):
        for value in draw.sample(VALUES, 6):
            spoilt = put(data, way, value)
            file.write_text(json.dumps(spoilt), encoding="utf-8")
            try:
                ours = load(file)
            except ValueError as error:
                assert "\n" not in str(error) and str(file) in str(error), way
                continue
            try:
                theirs = plain(hub.Tokenizer.from_file(str(file)))
            except BaseException:  # what Rust refuses too, or panics at
                continue
            for text in ("the newest low one, that!", "as slowly as the"):
                try:
                    wanted = theirs.encode(text).ids
                except Exception:  # without its token for what is unknown
                    continue
                assert ours.encode(text) == wanted, (way, value)
                if spoilt.get("decoder"):  # without one, Rust puts spaces between tokens
                    assert ours.decode(wanted) == theirs.decode(wanted), (way, value)
                read += 1
    assert read


# In Rust


def test_training_in_rust_gives_the_same(corpus):
    for how in {"special": []}, {"special": ["<|endoftext|>", "<s>"], "pattern": GPT4}:
        ours, theirs = (cls.train(corpus, 600, **how) for cls in (ByteBPE, Fast))
        assert theirs.vocab == ours.vocab and theirs.ours.merges == ours.merges and theirs.special == ours.special
    with pytest.raises(ValueError, match="need 256"):
        Fast.train(corpus, 100)


def test_rust_tokenizers_that_lmkit_has_not(corpus):
    rust = byte_level(corpus, ["<|endoftext|>"])
    rust.normalizer = hub.normalizers.Lowercase()
    rust.enable_padding(length=50)
    rust.enable_truncation(5)
    tok = fast(rust)
    assert tok.ours is None and tok.decode(tok.encode("ANNA <|endoftext|>")) == "anna <|endoftext|>"
    assert rust.encode("<|endoftext|>").ids[0] == tok.special["<|endoftext|>"], "what was given is left as it was"
    for call in (lambda: tok.show_work("a"), tok.to_dict):
        with pytest.raises(ValueError, match="parts that only the Rust library has"):
            call()


def test_models_that_can_be_forged():
    model = hub.models.WordLevel({"[UNK]": 0, "END": 1, "a": 2}, unk_token="[UNK]")
    rust = hub.Tokenizer(model)
    rust.pre_tokenizer = PRE.WhitespaceSplit()
    rust.add_special_tokens(["[UNK]", "END"])
    with pytest.raises(ValueError, match="text could forge the special token 'END'"):
        fast(rust)


# Written


def test_older_files_are_written_as_transformers_reads_them(tmp_path):
    text = "Ünder the lowest window, the widow’s [CLS] <|endoftext|> 你好"
    byte_pairs = ByteBPE.train([text] * 3, 290, special=["<|endoftext|>"])
    pieces = WordPiece.train([text] * 3, 60, lower=False, strip_accents=True)
    for tok, kind in ((byte_pairs, hf.GPT2Tokenizer), (pieces, hf.BertTokenizer), (load("gpt2"), hf.GPT2Tokenizer)):
        folder = tmp_path / f"{tok.kind}-{len(tok)}"
        tok.save_vocabulary(folder)
        again, theirs = load(folder), kind.from_pretrained(folder)
        assert again.to_json() == tok.to_json() and again.encode(text) == tok.encode(text)
        plain = text.replace("[CLS]", "").replace("<|endoftext|>", "")
        assert theirs.encode(plain, add_special_tokens=False) == tok.encode(plain)
    assert sorted(path.name for path in (tmp_path / "byte_bpe-290").iterdir()) == ["merges.txt", "vocab.json"]


@pytest.mark.parametrize(
    ("tok", "says"),
    [
        (lambda: ByteBPE.train("a b", 257, pattern="gpt4"), "cannot say pattern 'gpt4'"),
        (lambda: ByteBPE.train("a b", 258, special=["[CLS]"]), r"cannot say special \['\[CLS\]'\]"),
        (lambda: WordPiece.train("a b", 7, prefix="@@"), "cannot say prefix '@@'"),
        (lambda: WordPiece.train("a b", 7, clean=False), "cannot say clean False"),
        (lambda: BPE.train("ab ab", 3), "no older files for a BPE"),
    ],
)
def test_what_older_files_cannot_say_is_not_written(tmp_path, tok, says):
    with pytest.raises(ValueError, match=says):
        tok().save_vocabulary(tmp_path / "there")
    assert not (tmp_path / "there").exists()
