"""From a name to a component, and from a component to its source."""

import inspect
from collections.abc import Callable
from functools import partial


def choose(choice: str | Callable, options: dict[str, Callable]) -> Callable:
    """Return `choice` itself if it can be called, else the option of that name; ValueError if there is none."""
    if callable(choice):
        return choice
    if choice not in options:
        raise ValueError(f"{choice!r} is not one of {sorted(options)}; give one of these, or a class of your own")
    return options[choice]


class Source:
    """The source of a component, shown with highlighting wherever the notebook is read."""

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.text}\n```"


def show(thing: Callable) -> Source:
    """Return the source of a component: a class, a function, or a `partial` of one (with what it binds)."""
    bound = ""
    while isinstance(thing, partial):
        bound += f"# with {', '.join(f'{k}={v!r}' for k, v in thing.keywords.items())}\n"
        thing = thing.func
    return Source(bound + inspect.getsource(thing).rstrip())
