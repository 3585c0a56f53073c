"""From a name to a component, from a component to its name, and to its source."""

import inspect
from collections.abc import Callable
from functools import partial


def choose(choice: str | dict | Callable, options: dict[str, Callable]) -> Callable:
    """Return the option of that name, or `choice` itself if it can be called; ValueError if there is none.

    A dict is a name with options of its own: {"name": "rope", "theta": 5e5} is partial(Rope, theta=5e5).
    """
    if callable(choice):
        return choice
    if isinstance(choice, dict):
        how = {key: value for key, value in choice.items() if key != "name"}
        return partial(choose(choice.get("name"), options), **how)
    if not isinstance(choice, str) or choice not in options:
        raise ValueError(f"{choice!r} is not one of {sorted(options)}; give one of these, or a class of your own")
    return options[choice]


def name_of(choice: str | dict | Callable, options: dict[str, Callable]) -> str | dict:
    """Return what JSON can hold and `choose` turns back into `choice`; ValueError if it stands in no menu."""
    if not callable(choice):
        choose(choice, options)  # raises for a name that there is not
        return choice
    component, how = (choice.func, choice.keywords) if isinstance(choice, partial) else (choice, {})
    plain = all(value is None or isinstance(value, bool | int | float | str) for value in how.values())
    for name, option in options.items():
        if option is component and plain and not getattr(choice, "args", ()):
            return {"name": name, **how} if how else name
    raise ValueError(f"{choice!r} has no name; add it to the menu to save this Config")


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
