"""The layout of the library: who imports whom, what an import costs, which words are used, what is kept out."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted((ROOT / "lmkit").rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "chapters").glob("*.ipynb"))
# From below to above; a module may import those of its own row and of the rows before it.
ROWS = [
    {"choose", "atomic", "tokens", "hardware"},
    {"masks", "norms", "positions", "residual", "ffn", "init", "cache", "attention", "tokenizers"},
    {"block", "config", "model"},
    {"heads", "record", "sampling", "generate", "fast", "count", "corpora", "ngrams"},
    {"objectives", "data", "schedules", "optimizers", "train", "presets", "checkpoints", "exchange", "rosetta"},
    {"distributed", "runs", "recipes", "evaluate", "plots"},
    {"watch"},
    {"widgets", "exercises", "pretrain"},
    {"lab"},
]
# What looks at the library from outside: only what stands above imports it, not even its own row.
OUTSIDE = {"plots", "widgets", "exercises", "pretrain"}
HEAVY = [
    "keras",
    "matplotlib",
    "ipywidgets",
    "IPython",
    "transformers",
    "tokenizers",
    "regex",
    "tqdm",
    "safetensors",
    "datasets",
    "pyarrow",
    "pandas",
    "joblib",
    "tensorboard",
]
# notation.md: names of things that have another name here. What other libraries call so may be called, not defined.
FOREIGN = set(
    "n_embd emb_dim num_hiddens hidden_size hidden_dim n_layer num_layers num_hidden_layers n_head num_heads "
    "num_attention_heads num_kv_heads num_key_value_heads n_query_groups kv_groups head_dim head_size d_mlp "
    "intermediate_size n_vocab d_vocab block_size n_ctx max_position_embeddings sliding_window hidden_states input_ids "
    "token_type_ids idx attn_weights p_attn attention_mask valid_lens position_bias position_ids input_pos start_pos "
    "encoder_hidden_states past_key_values wte wpe ln_1 ln_2 ln_f c_attn c_proj c_fc wq wk wv wo w1 w2 w3 xq".split()
)
MOST_LINES = 260  # of a module, blank ones not counted; the aim is 200, and what outgrows it is two ideas


def name(path):
    return str(path.relative_to(ROOT))


def module_of(path):
    """The first name below lmkit: `lmkit/widgets/png.py` -> widgets, `lmkit/__init__.py` -> "" (the front door)."""
    parts = path.relative_to(ROOT / "lmkit").with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def imports(path):
    """The first names below lmkit that a file imports."""
    package = ("lmkit", *path.relative_to(ROOT / "lmkit").parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += node.module.split(".") if node.module else []
            modules = [base] if len(base) > 1 else [[*base, alias.name] for alias in node.names]
        else:
            continue
        for parts in modules:
            if parts[0] == "lmkit" and len(parts) > 1 and parts[1] in set().union(*ROWS):
                yield parts[1]


def row(module):
    return next((number for number, modules in enumerate(ROWS) if module in modules), None)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_imports_go_one_way(path):
    module = module_of(path)
    if path.name == "__main__.py":  # a program, which nothing imports
        return
    if module == "":
        assert not OUTSIDE & set(imports(path)), f"import lmkit brings {OUTSIDE & set(imports(path))} along"
        return
    assert row(module) is not None, f"lmkit.{module} stands in no row of ROWS: say where it belongs"
    for other in set(imports(path)) - {module}:
        assert row(other) <= row(module), f"lmkit.{module} imports lmkit.{other}, which stands above it"
        beside = other in OUTSIDE and row(other) == row(module)
        assert not beside, f"lmkit.{module} imports lmkit.{other}, which looks from outside"


def test_import_needs_torch_and_numpy_alone():
    """And what torch itself brings along, which in some environments is tqdm."""
    code = "import sys, torch, numpy; before = set(sys.modules); import lmkit"
    code += f"; print(*[name for name in {HEAVY} if name in set(sys.modules) - before])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == []


def defined(tree):
    """The names that code gives to things of its own: variables, arguments, attributes, functions, classes."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield getattr(node, "id", None) or node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


@pytest.mark.parametrize("path", [*SOURCES, *NOTEBOOKS], ids=name)
def test_words_are_those_of_the_notation(path):
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    else:
        text = path.read_text(encoding="utf-8")
    found = sorted(set(defined(ast.parse(text))) & FOREIGN)
    assert not found, f"{name(path)} defines {found}; notation.md has the names for these here"


def test_the_notation_tells_the_words_it_forbids():
    """And the names that it gives are those of the library's own code."""
    text = (ROOT / "notation.md").read_text(encoding="utf-8")
    rows = [line[1:-1].split("|") for line in text.split("\n") if line.startswith("| `")]
    ours, elsewhere = (
        {word for row in rows for words in re.findall(r"`([^`]+)`", "|".join(row[columns])) for word in words.split()}
        for columns in (slice(0, 1), slice(3, 6))
    )
    assert len(ours) > 50, "the tables of notation.md could not be read"
    assert FOREIGN <= elsewhere, f"notation.md does not say what {sorted(FOREIGN - elsewhere)} is called here"
    assert not FOREIGN & ours
    written = {word for path in SOURCES for word in defined(ast.parse(path.read_text(encoding="utf-8")))}
    assert ours <= written, f"nothing in lmkit is called {sorted(ours - written)}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_modules_stay_small(path):
    lines = sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").split("\n"))
    assert lines <= MOST_LINES, f"{name(path)} has {lines} lines, past {MOST_LINES}: two ideas in one room?"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_that_runs_what_it_reads(path):
    """No pickle, no torch.load, no eval, exec or shell: files and readers' text are data."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{name(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            assert not (getattr(node, "module", None) == "joblib" and {"load", "dump"} & names), where
            assert not {"pickle", "marshal", "shelve", "dill"} & names, where
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            forbidden = {"eval", "exec", "compile", "torch.load", "torch.save", "os.system", "np.load", "numpy.load"}
            forbidden |= {"joblib.load", "joblib.dump"}
            assert called not in forbidden, f"{where} calls {called}"


def tracked():
    """Every text file under version control, or that soon will be; nothing where this is no checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    paths = [ROOT / line for line in done.stdout.splitlines() if not line.startswith("assets/vendor/")]
    return [path for path in paths if path.is_file() and path.suffix not in {".safetensors", ".png", ".woff"}]


def test_no_path_of_one_machine_and_no_registry():
    """Nobody else has these paths; and which registry to install from is the reader's choice, not ours."""
    machine = re.compile(r"(?<![\w.~])/(?:work|root|opt|home/(?!me/)[a-z]|Users/[a-z])\w*/")
    registry = re.compile(r"pypi\.org|pythonhosted\.org|download\.pytorch|npmjs|anaconda\.org")
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
            if path != Path(__file__) and (hit := machine.search(line) or registry.search(line)):
                found.append(f"{path.relative_to(ROOT)}:{number}: {hit.group()}")
    assert not found, "\n".join(found)
