"""A known-bad backend, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from typing import Any, Literal

from tallystick import Backend

from . import servers as given_servers
from .clauses import CLAUSES, family
from .target import MakeBackend, Target

Fate = Literal["killed", "survived", "hung", "crashed"]

_EVERYWHERE = frozenset({"RECORD"})
"""Families whose sentences are about every call, so that they count for a mutant of any family."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A backend with one bug.

    Args:
        name: What the bug is called, in a few words.
        clause: The id of the clause that it breaks, or its family (`CLAIM`); where the kit has no such family, any
            clause kills it.
        make: The broken class; or a function that opens a client of the store of the namespace that it is given; or one
            without parameters that returns either, called once in each process, which is its own, so that it may patch
            things. A class or function inside a function will do: other processes find the mutant by its name in its
            module's `MUTANTS`.
        bug: One sentence on what it does wrong.
        source: Where such a bug was seen: its id in the kit's list of bugs that real backends shipped.
        url: A URL for the class; `{folder}` in it becomes an empty folder, `{postgres}` the URL of the server of that
            name, without which the mutant is left out. Options may follow: `{postgres}?schema=other`.
    """

    name: str
    clause: str
    make: type[Backend] | MakeBackend | Callable[[], type[Backend] | MakeBackend]
    bug: str = ""
    source: str = ""
    url: str = "memory://"

    @property
    def backend(self) -> str:
        """The scheme of its URL, or the name of its server."""
        return given_servers.store(self.url)

    @property
    def servers(self) -> set[str]:
        """The names of the servers that it needs."""
        return given_servers.needed(self.url)

    def filled(self, folder: str, servers: Mapping[str, str]) -> str:
        """Return its URL, with the folder and the servers' URLs in place of their names."""
        return given_servers.filled(self.url, folder, servers)

    def target(self, folder: str, servers: Mapping[str, str] | None = None) -> Target:
        """Break the backend, and return it as a target of the kit; what it keeps in files goes into `folder`."""
        return self.opened_at(self.filled(folder, servers or {}))

    def opened_at(self, url: str) -> Target:
        """Break the backend, and return it as a target at a URL without placeholders."""
        make: Any = self.make
        if isinstance(make, type):
            return Target.from_class(make, url)
        if signature(make).parameters:
            return Target(make, self.name)
        made = _broken(make)
        opened = partial(_open_broken, make, url)
        return Target(opened, self.name, url, made) if isinstance(made, type) else Target(opened, self.name)

    def counts(self, clause_id: str) -> bool:
        """Say whether a violation of a clause kills it: its own, one of the same family, or one about every call."""
        families = {family(id) for id in CLAUSES}
        return family(self.clause) not in families or family(clause_id) in {family(self.clause), *_EVERYWHERE}


@cache
def _broken(make: Callable[[], type[Backend] | MakeBackend]) -> type[Backend] | MakeBackend:
    """Break what a function breaks, once in each process."""
    return make()


def _open_broken(make: Callable[[], type[Backend] | MakeBackend], url: str, namespace: str) -> Backend:
    """Open a client of what a function breaks, here or in another process, which then breaks it too."""
    made = _broken(make)
    return Target.from_class(made, url).make(namespace) if isinstance(made, type) else made(namespace)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant; `by` are the clauses that were violated, and a crash is no violation."""

    mutant: Mutant
    fate: Fate
    by: tuple[str, ...] = ()
    detail: str = ""
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether a violation that counts was found."""
        return self.fate == "killed"
