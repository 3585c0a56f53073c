"""Which code decided a result: a hash over the sources that a run reaches, so that a row knows when it is too old."""

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable
from functools import cache, partial
from types import ModuleType

import torch

from ..choose import choose
from ..config import Config
from ..heads import LM
from ..init import INITS
from ..objectives import OBJECTIVES
from ..optimizers import OPTIMIZERS
from ..schedules import SCHEDULES


def code_hash(settings: dict, *more: Callable) -> str:
    """sha256 over what a run of these settings executes in lmkit, and `more`: comments and docstrings do not count.

    Followed from the classes inside the model and the functions named in the settings, by name, through all that they
    mention. A new component beside those in use therefore changes nothing.
    """
    with torch.device("meta"):
        model = LM(Config.from_dict(settings["model"] | {"vocab_size": settings["model"].get("vocab_size", 8)}))
    menus = dict(objective=OBJECTIVES, optimizer=OPTIMIZERS, schedule=SCHEDULES)
    chosen = [choose(settings[name], menu) for name, menu in menus.items()]
    return hash_of([*{type(m) for m in model.modules()}, choose(model.config.init, INITS), *chosen, *more])


def hash_of(things: Iterable[Callable]) -> str:
    whole = hashlib.sha256()
    for source in sorted(reached(things).values()):  # wherever it stands: code that moves is the same code
        whole.update(f"{source}\n".encode())
    return whole.hexdigest()[:16]


def reached(things: Iterable[Callable]) -> dict[str, str]:
    """What `things` mention, by name, as far as it is code of lmkit: {name: source without comments and docstrings}."""
    found, todo = {}, list(things)
    while todo:
        thing = todo.pop()
        while isinstance(thing, partial) or hasattr(thing, "__wrapped__"):
            thing = thing.func if isinstance(thing, partial) else thing.__wrapped__
        home = getattr(thing, "__module__", None) or ""
        if home.partition(".")[0] != "lmkit" or not (inspect.isclass(thing) or inspect.isfunction(thing)):
            thing = type(thing)  # an object of a class of ours
            if thing.__module__.partition(".")[0] != "lmkit":
                continue
        name = f"{thing.__module__}.{thing.__qualname__}"
        if name not in found and "<" not in name:
            found[name], mentioned = read(thing)
            todo += mentioned
    return found


@cache
def read(thing: Callable) -> tuple[str, tuple]:
    """The source of a class or function as a tree, and the things of its module that it mentions."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    home, mentioned = vars(sys.modules[thing.__module__]), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and callable(there := home.get(node.id)):
            mentioned.append(there)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if isinstance(module := home.get(node.value.id), ModuleType) and module.__name__.startswith("lmkit"):
                mentioned.append(getattr(module, node.attr, None))
    return repr(plain(tree)), (*mentioned, *(thing.__mro__[1:] if inspect.isclass(thing) else ()))


def plain(node) -> list | str:
    """A tree as lists, the same in every version of Python: newer ones know more fields, which are empty."""
    if isinstance(node, ast.AST):
        there = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
        return [type(node).__name__, *([name, plain(value)] for name, value in there)]
    return [plain(value) for value in node] if isinstance(node, list) else repr(node)
