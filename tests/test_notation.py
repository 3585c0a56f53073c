"""notation.md: the names said to be transformers' are looked up in transformers itself, and ours in lmkit."""

import dataclasses
import inspect
import re
from pathlib import Path

import pytest
import transformers

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = ["name", "meaning", "formula", "papers, other code", "nanoGPT", "transformers"]
TINY = {
    "GPT2": dict(n_embd=8, n_layer=1, n_head=2, n_positions=8, vocab_size=9, add_cross_attention=True),
    "Llama": dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9),
    "Bert": dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, vocab_size=9),
    "T5": dict(d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2, vocab_size=9),
}
HEADS = {"GPT2": "GPT2LMHeadModel", "Llama": "LlamaForCausalLM", "Bert": "BertForMaskedLM"}
HEADS["T5"] = "T5ForConditionalGeneration"


def tables():
    """{title: [cells of a row]}"""
    found = {}
    text = (ROOT / "notation.md").read_text(encoding="utf-8")
    for title, table in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        lines = [line[1:-1].split("|") for line in table.split("\n") if line.startswith("|")]
        head, _, *found[title] = [[cell.strip() for cell in line] for line in lines]
        assert head == COLUMNS
    return found


def theirs():
    """(table, model, name) of each name in transformers' column: `of GPT-2` / `of Llama`, or `of another` (Whose)."""
    for title, rows in tables().items():
        for row in rows:
            for part in row[-1].split("; "):
                words, whose = re.fullmatch(r"(.*?)(?: \((\w+)\))?", part).groups()
                sides = words.split(" / ")
                models = [whose] if whose else [""] if title == "Training" else ["GPT2", "Llama"]
                assert words == "–" or len(sides) == len(models), f"{row[0]}: {part} does not say whose it is"
                for model, side in zip(models, sides, strict=False):
                    yield from ((title, model, name) for name in re.findall(r"`([^`]+)`", side))


def sizes(model):
    return set(getattr(transformers, f"{model}Config")().to_dict())


def built(model):
    config = getattr(transformers, f"{model}Config")(**TINY[model])
    return getattr(transformers, HEADS[model])(config)


def parts(model):
    return {word for name, _ in built(model).named_modules() for word in name.split(".")}


def tensors(model):
    """The arguments of its modules, and the fields of what its kind of model returns."""
    whole = built(model)
    known = {word for module in whole.modules() for word in inspect.signature(module.forward).parameters}
    for kind in vars(inspect.getmodule(type(whole))).values():
        if inspect.isclass(kind) and dataclasses.is_dataclass(kind):
            known |= {field.name for field in dataclasses.fields(kind)}
    return known


def settings(_):
    return {field.name for field in dataclasses.fields(transformers.TrainingArguments)}


KNOWN = {"Sizes": sizes, "Tensors": tensors, "Parts": parts, "Training": settings}


def test_the_tables_are_read():
    assert set(tables()) == set(KNOWN)
    assert len(list(theirs())) > 80
    assert all(len(row) == 6 for rows in tables().values() for row in rows)


@pytest.mark.parametrize(("title", "model"), sorted({(title, model) for title, model, _ in theirs()}))
def test_transformers_calls_it_so(title, model):
    names = {name for where, whose, name in theirs() if (where, whose) == (title, model)}
    unknown = sorted(names - KNOWN[title](model))
    assert not unknown, f"notation.md, {title}: transformers' {model} has no {unknown}"
