"""Three ways to break a plugin: patch a SQL statement, edit the source of a function, or put a value in a name.

Each way is a step. A mutant takes its steps once in each process that opens it. Nothing is changed back, because a
mutant has its own processes. A step raises LookupError if the plugin has changed and lacks what the step replaces.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent
from typing import Any

from tallystick import Backend
from tallystick_conformance import Mutant

Make = type[Backend] | Callable[[], type[Backend]]

MIGRATION = "migration"
"""The name of the statements of the first migration."""


class Step(ABC):
    """A change of a plugin."""

    @abstractmethod
    def check(self) -> None:
        """Raise LookupError if the plugin lacks what this step replaces. Change nothing."""

    @abstractmethod
    def take(self) -> None:
        """Change the plugin in this process."""


@dataclass(frozen=True, slots=True)
class Patch(Step):
    """Replace a part of a SQL statement.

    The statements are attributes of the plugin's module `queries`, or of each instance of its class `Queries`. In `old`
    and `new`, placeholders such as `{columns}` are filled as in the SQL files.
    """

    package: str
    statement: str
    old: str
    new: str

    def check(self) -> None:
        """Raise LookupError if the statement lacks the text."""
        queries = self._queries()
        self._patched(queries.Queries("checked") if hasattr(queries, "Queries") else queries)

    def take(self) -> None:
        """Change the statement."""
        self.check()  # so that a wrong patch raises here, and not where a client opens
        queries = self._queries()
        if not hasattr(queries, "Queries"):
            self._patch(queries)
            return
        create = queries.Queries.__init__

        def create_patched(statements: Any, *given: Any) -> None:
            create(statements, *given)
            self._patch(statements)

        queries.Queries.__init__ = create_patched

    def _queries(self) -> Any:
        return import_module(f"{self.package}.queries")

    def _patch(self, statements: Any) -> None:
        text = self._patched(statements)
        if self.statement == MIGRATION:
            statements.migrations[0] = text
        else:
            setattr(statements, self.statement, text)

    def _patched(self, statements: Any) -> str:
        fill: Callable[[str], str] = getattr(statements, "_named", str)
        text = statements.migrations[0] if self.statement == MIGRATION else getattr(statements, self.statement)
        return _replaced(text, fill(self.old), fill(self.new), f"{self.package}: {self.statement}")


@dataclass(frozen=True, slots=True)
class Edit(Step):
    """Replace parts of the source of a function, in place, so that modules that imported the function change too."""

    path: str
    changes: tuple[tuple[str, str], ...]

    def check(self) -> None:
        """Raise LookupError if the source lacks the text, and SyntaxError if the changed source is invalid."""
        compile(self._edited(), self.path, "exec")

    def take(self) -> None:
        """Change the function."""
        owner, name = _found(self.path)
        function = inspect.unwrap(getattr(owner, name))
        made: dict[str, Any] = {}
        exec(self._edited(), function.__globals__, made)  # noqa: S102 - the plugin's own source, except for the change
        function.__code__ = inspect.unwrap(made[name]).__code__

    def _edited(self) -> str:
        owner, name = _found(self.path)
        text = dedent(inspect.getsource(getattr(owner, name)))
        for old, new in self.changes:
            text = _replaced(text, old, new, self.path)
        return text


@dataclass(frozen=True, slots=True)
class Put(Step):
    """Replace the value of a name in a module or class with the result of `change`."""

    path: str
    change: Callable[[Any], object]

    def check(self) -> None:
        """Raise LookupError if there is no such name."""
        _found(self.path)

    def take(self) -> None:
        """Change the value."""
        owner, name = _found(self.path)
        setattr(owner, name, self.change(getattr(owner, name)))


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin to break: its package, the name of its backend's class, and the URL of a mutant's store.

    Names of functions and values are relative to the package: `claiming.claim`, `backend.MongoBackend.claim`.
    """

    package: str
    name: str
    url: str

    def patch(self, statement: str, old: str, new: str) -> Step:
        """Return a step that replaces a part of a SQL statement."""
        return Patch(self.package, statement, old, new)

    def edit(self, function: str, changes: Mapping[str, str]) -> Step:
        """Return a step that replaces parts of the source of a function, one after another."""
        return Edit(f"{self.package}.{function}", tuple(changes.items()))

    def put(self, name: str, change: Callable[[Any], object]) -> Step:
        """Return a step that replaces the value of a name with the result of `change`."""
        return Put(f"{self.package}.{name}", change)

    def patched(  # noqa: PLR0917 - a table is easier to read without keywords
        self, name: str, clause: str, statement: str, old: str, new: str, source: str = "", bug: str = ""
    ) -> Mutant:
        """Return a mutant with `new` in place of `old` in a SQL statement."""
        bug = bug or _becomes(statement.lower(), old, new)
        return self.broken(name, clause, bug, source, self.patch(statement, old, new))

    def edited(  # noqa: PLR0917
        self, name: str, clause: str, function: str, old: str, new: str, source: str = "", bug: str = ""
    ) -> Mutant:
        """Return a mutant with `new` in place of `old` in the source of a function."""
        bug = bug or _becomes(function.replace("_", " "), old, new)
        return self.broken(name, clause, bug, source, self.edit(function, {old: new}))

    def broken(self, name: str, clause: str, bug: str, source: str, *steps: Step) -> Mutant:
        """Return a mutant that takes several steps."""
        return Mutant(name, clause, Broken(self, steps), bug, source, self.url)

    def mutant(self, name: str, clause: str, make: Make, source: str = "", *steps: Step) -> Mutant:
        """Return a mutant for a class, with the first line of its docstring as the bug. It may take steps, too."""
        bug = (make.__doc__ or "").strip().partition("\n")[0]
        broken = Broken(make, steps) if steps and isinstance(make, type) else make
        return Mutant(name, clause, broken, bug, source, self.url)

    def load(self) -> type[Backend]:
        """Return the class of the backend."""
        backend: type[Backend] = getattr(import_module(self.package), self.name)
        return backend


@dataclass(frozen=True, slots=True)
class Broken:
    """Takes steps, and returns the class of the broken backend. The kit calls it once in each process."""

    backend: Plugin | type[Backend]
    steps: tuple[Step, ...]

    def __call__(self) -> type[Backend]:
        """Take the steps."""
        for step in self.steps:
            step.take()
        return self.backend.load() if isinstance(self.backend, Plugin) else self.backend


MEMORY = Plugin("tallystick_memory", "MemoryBackend", "memory://")
SQLITE = Plugin("tallystick_sqlite", "SqliteBackend", "sqlite:///{folder}/mutant.db")
POSTGRES = Plugin("tallystick_postgres", "PostgresBackend", "{postgres}")
MONGO = Plugin("tallystick_mongo", "MongoBackend", "{mongo}")


def _becomes(what: str, old: str, new: str) -> str:
    words = (" ".join(part.split()) or "nothing" for part in (old, new))
    return "{}: {} becomes {}.".format(what, *words)


def _replaced(text: str, old: str, new: str, where: str) -> str:
    if old not in text:
        raise LookupError(f"{where} has no {old!r}; the plugin has changed: adapt this mutant")
    return text.replace(old, new)


def _found(path: str) -> tuple[Any, str]:
    """Return the owner and the name of `package.module.name` or `package.module.Class.name`, which must exist."""
    package, module, *inner, name = path.split(".")
    owner: Any = import_module(f"{package}.{module}")
    for each in inner:
        owner = getattr(owner, each)
    if not hasattr(owner, name):
        raise LookupError(f"there is no {path}; the plugin has changed: adapt this mutant")
    return owner, name
