"""Every trailing shape comment of the library is compared with the tensors that really pass by.

`name = ...  # (B, T, d_model)` is held against what is bound on that line, `return ...  # (...)` against what is
returned. One-letter sizes are bound at their first use within a call; longer names are the model's own sizes. A
comment on a line that is never run, or that is spoilt, fails.
"""

import importlib.util
import itertools
import operator
import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from lmkit import attention, ffn, heads, masks, positions, residual
from lmkit.generate import generate
from lmkit.model import Config, EncoderDecoder, Transformer

FOLDER = Path(ffn.__file__).parent
PARTS = (
    "attention/attend attention/multi_head attention/latent block ffn generate/__init__ heads masks model "
    "positions/plain positions/rope positions/biases residual sampling"
).split()
FILES = [FOLDER / f"{part}.py" for part in PARTS]
COMMENT = re.compile(r"#\s*\(([\w\s,/+*]+)\)")
ASSIGN = re.compile(r"^\s*([\w, ]+?)\s*=[^=]")
SIZES = dict(d_model=40, n_heads=4, n_kv_heads=2, d_head=10, d_ff=50, vocab_size=31)  # all different: nothing by chance
OPERATIONS = {"/": operator.floordiv, "+": operator.add, "*": operator.mul}


def shape_comments(path):
    """{line: (names bound there or "return", sizes)}"""
    found = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        code, _, comment = line.partition("#")
        match = COMMENT.match("#" + comment)
        if not match or not code.strip():
            continue
        sizes = [d.strip() for d in match[1].split(",") if d.strip()]
        if code.strip().startswith("return"):
            found[number] = ("return", sizes)
        elif names := ASSIGN.match(code):
            found[number] = ([n.strip() for n in names[1].split(",")], sizes)
    return found


class Checker:
    """Trace the functions of one file, and compare each commented line with its tensors."""

    def __init__(self, path):
        self.path, self.wanted, self.checked, self.wrong = str(path), shape_comments(path), set(), []
        self.pending, self.bound = {}, {}

    def size(self, text, bound):
        if match := re.fullmatch(r"(\w+)\s*([/+*])\s*(\d+)", text):
            left = self.size(match[1], bound)
            return None if left is None else OPERATIONS[match[2]](left, int(match[3]))
        if text.isdigit():
            return int(text)
        return SIZES[text] if text in SIZES else bound.get(text)

    def check(self, frame, number, returned=None):
        names, sizes = self.wanted[number]
        bound = self.bound.setdefault(id(frame), {})
        values = [returned] if names == "return" else [frame.f_locals.get(n) for n in names]
        for value in (v for v in values if isinstance(v, torch.Tensor)):
            self.checked.add(number)
            if value.ndim != len(sizes):
                self.wrong.append((number, sizes, tuple(value.shape)))
                continue
            for text, actual in zip(sizes, value.shape, strict=True):
                expected = self.size(text, bound)
                if expected is None:
                    bound[text] = actual
                elif actual not in (expected, 1 if text in ("B", "n_heads") else expected):  # may broadcast
                    self.wrong.append((number, sizes, tuple(value.shape)))

    def local(self, frame, event, arg):
        last = self.pending.pop(id(frame), None)
        returning = event == "return"
        if last is not None and (self.wanted[last][0] == "return") == returning:
            self.check(frame, last, arg)
        elif last is not None and returning:
            self.check(frame, last)
        if event == "line" and frame.f_lineno in self.wanted:
            self.pending[id(frame)] = frame.f_lineno
        if returning:
            self.bound.pop(id(frame), None)
        return self.local

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(lambda frame, event, arg: self.local if frame.f_code.co_filename == self.path else None)
        return self

    def __exit__(self, *exc):
        sys.settrace(self.before)


def run_attention(attention):
    """Run every line of the package attention, or of a spoilt copy of a file of it, that carries a shape."""
    torch.manual_seed(0)
    B, T, S = 3, 9, 13
    x, memory = torch.randn(B, T, 40), torch.randn(B, S, 40)
    q, k = torch.randn(B, 4, T, 10), torch.randn(B, 2, T, 10)
    for bias, cap in itertools.product((None, torch.randn(4, T, T)), (None, 2.0)):
        attention.attention_weights(q, k, score_bias=bias, soft_cap=cap)
        attention.attention_weights(q, k, score_bias=bias, soft_cap=cap, causal=True)
        attention.Attend(soft_cap=cap)(q, k, k, score_bias=bias, causal=True)
    attention.Attend()(q.bfloat16().requires_grad_(), k.bfloat16(), k.bfloat16(), causal=True)
    attention.Attention(40, 4, 2)(x, memory), attention.LatentAttention(40, 4)(x, memory)


def run_everything():
    """Run every line of FILES that carries a shape."""
    run_attention(attention)
    torch.manual_seed(0)
    B, T, S = 3, 9, 13
    ids, source, real = torch.randint(0, 31, (B, T)), torch.randint(0, 31, (B, S)), torch.ones(B, T, dtype=torch.bool)
    x, q = torch.randn(B, T, 40), torch.randn(B, 4, T, 10)
    masks.padding_mask(real), masks.positions_of(real)
    masks.document_mask(torch.zeros(B, S, dtype=torch.long)), masks.prefix_mask(torch.arange(S), torch.ones(B))
    heads.mean_pool(x), heads.mean_pool(x, real)
    for scheme in positions.POSITIONS.values():
        scheme = scheme(40, 4, 10, 32)
        scheme.embed(x, torch.arange(T)), scheme.rotate(q, torch.arange(T))
    for rule in residual.RESIDUALS.values():
        rule(40, torch.nn.LayerNorm, 2)(x, lambda x: x)
    for network in ffn.FFNS.values():
        network(40, 50)(x)
    for window, block in ((None, "sequential"), (3, "parallel")):
        config = Config(31, 40, 2, 4, n_kv_heads=2, d_ff=50, max_seq_len=32, window=window, block=block, n_segments=2)
        Transformer(config)(ids, real=real if window else None)
        generate(heads.LM(config), ids, 2, top_k=5, top_p=0.9, min_p=0.1, repetition_penalty=1.2)
        generate(heads.LM(config), ids, 2, temperature=0)
        for head in (heads.LM, heads.Pretraining, heads.SpanFinder, partial(heads.Classifier, n_classes=2)):
            head(config)(ids), head(config)(ids, real=real)
        EncoderDecoder(replace(config, n_encoder_layers=1))(ids, source=source)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_shape_comments_are_true(path):
    with Checker(path) as check:
        run_everything()
    assert not check.wrong
    assert check.checked == set(check.wanted), f"never run: {sorted(set(check.wanted) - check.checked)}"


def test_spoilt_comments_are_caught(tmp_path):
    """Swap the outer sizes of each comment of the package attention in turn: the checker must see it."""
    missed, files = [], [path for path in FILES if path.parent.name == "attention"]
    comments = [
        (path, number, sizes)
        for path in files
        for number, (_, sizes) in shape_comments(path).items()
        if len(set(sizes)) > 1
    ]
    for path, number, sizes in comments:
        lines = path.read_text(encoding="utf-8").splitlines()
        spoilt = list(lines)
        head = lines[number - 1].rpartition("# (")[0]
        spoilt[number - 1] = f"{head}# ({', '.join([sizes[-1], *sizes[1:-1], sizes[0]])})"
        copy = tmp_path / f"spoilt_{path.stem}_{number}.py"
        text = "\n".join(spoilt).replace("from ..", "from lmkit.").replace("from .", "from lmkit.attention.")
        copy.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location("attention", copy)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        with Checker(copy) as check:
            run_attention(SimpleNamespace(**vars(attention) | vars(module)))
        if not check.wrong:
            missed.append((number, sizes))
    assert len(comments) >= 18 and len(files) == 3
    assert all(set(sizes) == {"T", "S"} for _, sizes in missed), missed  # two free letters may change places
