"""Break the MongoDB backend by changing the source of a function, or the value of a name in a module."""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from textwrap import dedent
from typing import Any, ClassVar

from tallystick import Backend
from tallystick_conformance import Mutant
from tallystick_mongo import MongoBackend
from tallystick_mongo.location import Location

URL = "{mongo}"

Step = Callable[[], object]


def edited(name: str, clause: str, function: str, old: str, new: str, source: str = "", bug: str = "") -> Mutant:  # noqa: PLR0917 - a table is easier to read without keywords
    """Return a mutant with `new` in place of `old` in the source of one function, such as `claiming.claim`."""
    words = (" ".join(part.split()) or "nothing" for part in (old, new))
    text = bug or "{}: {} becomes {}.".format(function.replace("_", " "), *words)
    return broken(name, clause, text, source, edit(function, {old: new}))


def broken(name: str, clause: str, bug: str, source: str, *steps: Step) -> Mutant:
    """Return a mutant that applies all steps when it is created. It runs in its own process."""

    def make() -> type[Backend]:
        _take(steps)
        return MongoBackend

    return Mutant(name, clause, make, bug, source, URL)


class Broken(MongoBackend):
    """A backend that breaks itself in each process that opens it. Use it for processes that die during a call."""

    steps: ClassVar[tuple[Step, ...]] = ()

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        _take(self.steps)


@cache
def _take(steps: tuple[Step, ...]) -> None:
    for step in steps:
        step()


def mutant(name: str, clause: str, make: type[Broken], source: str = "") -> Mutant:
    """Return a mutant for a class, with its docstring as the bug."""
    return Mutant(name, clause, make, (make.__doc__ or "").strip(), source, URL)


def edit(function: str, changes: Mapping[str, str]) -> Step:
    """Return a step that changes parts of a function in place, so that modules that imported it change too."""

    def step() -> None:
        owner, name = _found(function)
        written = getattr(owner, name)
        text = dedent(inspect.getsource(written))
        for old, new in changes.items():
            if old not in text:
                raise LookupError(f"{function} has no {old!r}; the plugin has changed: adapt this mutant")
            text = text.replace(old, new)
        compiled: dict[str, Any] = {}
        plain = inspect.unwrap(written)
        exec(text, plain.__globals__, compiled)  # noqa: S102 - the plugin's own source, except for the change
        plain.__code__ = inspect.unwrap(compiled[name]).__code__

    return step


def put(path: str, change: Callable[[Any], object]) -> Step:
    """Return a step that replaces the value of a name, such as `queries.due`, with the result of `change`."""

    def step() -> None:
        owner, name = _found(path)
        setattr(owner, name, change(getattr(owner, name)))

    return step


def _found(path: str) -> tuple[Any, str]:
    module, *inner, name = path.split(".")
    owner: Any = import_module(f"tallystick_mongo.{module}")
    for each in inner:
        owner = getattr(owner, each)
    return owner, name
