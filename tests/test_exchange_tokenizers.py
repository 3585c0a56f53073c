"""Tokenizer files: read as transformers reads them; the book's own tokenizers written so that others give their ids."""

import json
import shutil
import warnings

import pytest
import tokenizers as hub
import transformers as hf

from lmkit import LM, Config
from lmkit.corpora import tales
from lmkit.exchange import export, load
from lmkit.tokenizers import TOKENIZERS, Characters, Words

TEXTS = [
    "the cat sat on the mat. The CAT, it's said, sat!",
    "naïve café — 12,345.67 €; don’t\n\n  \tstop?",
    " leading and trailing ",
    "emoji 🙂 and 中文 and <mask> [MASK]",
    "",
]


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return export(LM(Config(400, 6, 1, 2, max_seq_len=4)), None, tmp_path_factory.mktemp("bare") / "model")


@pytest.fixture
def folder(bare, tmp_path):
    """A checkpoint without a tokenizer, to put files into."""
    shutil.copytree(bare, tmp_path / "model")
    (tmp_path / "model/manifest.json").unlink()
    return tmp_path / "model"


def trained(model, trainer, **parts):
    tokenizer = hub.Tokenizer(model)
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.train_from_iterator(TEXTS * 3, trainer)
    return tokenizer


def byte_pairs(special):
    trainer = hub.trainers.BpeTrainer(
        vocab_size=350,
        special_tokens=special,
        initial_alphabet=hub.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    return trained(hub.models.BPE(), trainer, pre_tokenizer=hub.pre_tokenizers.ByteLevel(add_prefix_space=False))


def test_none(folder):
    assert load(folder)[1] is None


@pytest.mark.parametrize("special", [["<|endoftext|>"], ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]])
def test_vocab_json_and_merges(folder, special):
    byte_pairs(special).model.save(str(folder))
    ours = load(folder)[1]
    kind = hf.GPT2Tokenizer if len(special) == 1 else hf.RobertaTokenizer
    theirs = kind.from_pretrained(folder)
    for text in TEXTS:
        if special[-1] != "<mask>" or "<mask>" not in text:  # what may stand before a mask is a matter of each class
            assert ours.encode(text).ids == theirs(text).input_ids
            assert ours.decode(ours.encode(text).ids) == text
    end = f"{special[0]} again"
    assert ours.encode(end).tokens.count(special[0]) == (1 if len(special) == 1 else 2), "a special token is one token"


@pytest.mark.parametrize("lower", [True, False, None])
def test_vocab_txt(folder, lower):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = hub.trainers.WordPieceTrainer(vocab_size=150, special_tokens=special, show_progress=False)
    parts = dict(
        normalizer=hub.normalizers.BertNormalizer(lowercase=lower is not False),
        pre_tokenizer=hub.pre_tokenizers.BertPreTokenizer(),
    )
    trained(hub.models.WordPiece(unk_token="[UNK]"), trainer, **parts).model.save(str(folder))
    if lower is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}), encoding="utf-8")
    ours = load(folder)[1]
    theirs = hf.BertTokenizer(vocab=str(folder / "vocab.txt"), do_lower_case=lower is not False)
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text).input_ids
    pair = ours.encode(TEXTS[0], TEXTS[2])
    wanted = theirs(TEXTS[0], TEXTS[2])
    assert (pair.ids, pair.type_ids) == (wanted.input_ids, wanted.token_type_ids)
    assert ours.decode(ours.encode("the cat sat").ids) == "the cat sat"


def test_tokenizer_json_comes_first(folder):
    tokenizer = byte_pairs(["<|endoftext|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").write_text("nothing of use\n", encoding="utf-8")
    ours = load(folder)[1]
    assert isinstance(ours, hub.Tokenizer)
    assert [ours.encode(text).ids for text in TEXTS] == [tokenizer.encode(text).ids for text in TEXTS]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"tokenizer.json": "{"}, ["tokenizer.json"]),
        ({"tokenizer.json": "\x00"}, ["tokenizer.json"]),
        ({"vocab.json": "{}", "merges.txt": "a b c d\n"}, ["merges.txt"]),
        ({"vocab.json": "[]", "merges.txt": ""}, ["vocab.json"]),
        ({"vocab.txt": "a\nb\n"}, ["vocab.txt", "[UNK]"]),
    ],
)
def test_files_that_are_no_tokenizer(folder, files, words):
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError) as caught:
        load(folder)
    assert all(word in str(caught.value) for word in words) and "\n" not in str(caught.value)


def test_sentencepiece_files_are_named(folder):
    (folder / "tokenizer.model").write_bytes(b"\x0a")
    with pytest.warns(UserWarning, match="tokenizer.model") as caught:
        assert load(folder)[1] is None
    assert caught[0].filename == __file__, "the line of the reader's own code"


def written(tokenizer, path):
    """What lmkit and transformers read after an export."""
    export(LM(Config(len(tokenizer), 6, 1, 2, max_seq_len=4)), tokenizer, path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return load(path)[1], hf.AutoTokenizer.from_pretrained(path)


def test_words(tmp_path):
    words = Words(tales.VOCABULARY)
    ours, theirs = written(words, tmp_path / "out")
    text = tales.generate(5000).text
    ids = words.encode(text)
    assert ours.encode(text).ids == theirs(text).input_ids == ids
    for some in (ids, ids[:1], ids[7:29]):
        assert ours.decode(some) == theirs.decode(some) == words.decode(some)
    with pytest.raises(Exception, match="WordLevel"):
        ours.encode("zyzzyva")
    assert ours.get_vocab_size() == len(words) == len(theirs)


def test_words_that_cling_to_others(tmp_path):
    words = Words(["“", "”", ",", ".", "!", "’s", "\n\n", "the", "fox", "hen", "s", "’"])
    ours, _ = written(words, tmp_path / "out")
    text = "“the fox”, the hen’s fox.\n\nthe hen!\n\n“hen ’ s”"
    ids = words.encode(text)
    assert ours.encode(text).ids == ids and ours.decode(ids) == words.decode(ids)
    for first in ids:
        for second in ids:
            assert ours.decode([first, second]) == words.decode([first, second])


def test_characters(tmp_path):
    text = "Naïve “café”:\n\t12 € — it’s  3 <b>&</b>\r\n🙂 "
    characters = Characters(text)
    ours, theirs = written(characters, tmp_path / "out")
    assert ours.encode(text).ids == theirs(text).input_ids == characters.encode(text)
    assert ours.decode(characters.encode(text)) == theirs.decode(characters.encode(text)) == text


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_every_kind_is_exported(tmp_path, kind):
    """With the ids that ours gives, as lmkit and as transformers read it back."""
    text = "The lower and the lowest of the newest windows, said Anna. How slow they were, said Ben! " * 4
    options = {"special": ["<unk>", "<s>"], "unk": "<unk>"} if kind in ("bpe", "unigram") else {}
    size = {"byte_bpe": 290, "bpe": 70, "wordpiece": 70, "unigram": 60}.get(kind)
    tokenizer = TOKENIZERS[kind].train(text, size, **options)
    ours, theirs = written(tokenizer, tmp_path / "out")
    ids = tokenizer.encode(text)
    assert ours.encode(text).ids == theirs(text).input_ids == ids
    assert ours.decode(ids) == theirs.decode(ids) == tokenizer.decode(ids)
    assert ours.get_vocab() == theirs.get_vocab() == tokenizer.vocab
    with pytest.raises(TypeError, match="one of lmkit.tokenizers or a tokenizers.Tokenizer, not 'text'"):
        export(LM(Config(9, 6, 1, 2, max_seq_len=4)), "text", tmp_path / "other")


def test_a_tokenizer_passes_through_unchanged(tmp_path):
    tokenizer = byte_pairs(["<|endoftext|>"])
    export(LM(Config(400, 6, 1, 2, max_seq_len=4)), tokenizer, tmp_path / "out")
    again = load(tmp_path / "out")[1]
    assert again.to_str() == tokenizer.to_str()
    export(LM(Config(400, 6, 1, 2, max_seq_len=4)), again, tmp_path / "out")
    assert (tmp_path / "out/tokenizer.json").read_text(encoding="utf-8") == tokenizer.to_str()


def test_the_books_own_model(tmp_path):
    model, tokenizer = load("tales")
    assert isinstance(tokenizer, Words) and len(tokenizer) == model.config.vocab_size
    export(model, tokenizer, tmp_path / "out")
    theirs = hf.AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert type(theirs).__name__ == "ArceeForCausalLM"
    prompt = hf.AutoTokenizer.from_pretrained(tmp_path / "out")("Little Hugo lived", return_tensors="pt")
    told = theirs.generate(**prompt, max_new_tokens=20, do_sample=False)[0].tolist()
    import torch

    from lmkit import generate

    ids = torch.tensor([tokenizer.encode("Little Hugo lived")])
    assert generate(model, ids, 20, temperature=0)[0].tolist() == told
