"""Breaking the MongoDB backend: by a word of one of its functions, or by another value of a name of its modules."""

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


def edited(name: str, clause: str, function: str, old: str, new: str, source: str = "", bug: str = "") -> Mutant:  # noqa: PLR0917 - a table reads better without seven names in each row
    """Return a mutant whose function, such as `claiming.claim`, has `new` in place of `old`."""
    words = (" ".join(text.split()) or "nothing" for text in (old, new))
    told = bug or "{}: {} becomes {}.".format(function.replace("_", " "), *words)
    return broken(name, clause, told, source, edit(function, {old: new}))


def broken(name: str, clause: str, bug: str, source: str, *steps: Step) -> Mutant:
    """Return a mutant that is broken step by step; its process is its own."""

    def make() -> type[Backend]:
        _take(steps)
        return MongoBackend

    return Mutant(name, clause, make, bug, source, URL)


class Broken(MongoBackend):
    """A backend that is broken in each process that opens it, as those are that die in the middle of a call."""

    steps: ClassVar[tuple[Step, ...]] = ()

    def __init__(self, location: Location) -> None:
        super().__init__(location)
        _take(self.steps)


@cache
def _take(steps: tuple[Step, ...]) -> None:
    for step in steps:
        step()


def mutant(name: str, clause: str, make: type[Broken], source: str = "") -> Mutant:
    """Return the mutant of a class, whose docstring says what is wrong with it."""
    return Mutant(name, clause, make, (make.__doc__ or "").strip(), source, URL)


def edit(function: str, changes: Mapping[str, str]) -> Step:
    """Return the step that replaces parts of a function, for whoever has imported it too."""

    def step() -> None:
        owner, name = _found(function)
        written = getattr(owner, name)
        text = dedent(inspect.getsource(written))
        for old, new in changes.items():
            if old not in text:
                raise LookupError(f"{function} has no {old!r}; the plugin has changed, and this mutant must follow")
            text = text.replace(old, new)
        anew: dict[str, Any] = {}
        plain = inspect.unwrap(written)
        exec(text, plain.__globals__, anew)  # noqa: S102 - the plugin's own text, but for a word
        plain.__code__ = inspect.unwrap(anew[name]).__code__

    return step


def put(path: str, change: Callable[[Any], object]) -> Step:
    """Return the step that puts what `change` makes of it in the place of a name, such as `queries.due`."""

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
