"""A backend with a known bug, and the kit's verdict on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from typing import Any, Literal

from tallystick import Backend

from ..contract.clauses import CLAUSES, family
from ..subject.target import MakeBackend, Target
from . import servers as given_servers

Fate = Literal["killed", "survived", "hung", "crashed"]

_EVERYWHERE = frozenset({"RECORD"})
"""Families about every call: a violation of theirs kills a mutant of any family."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A backend with one bug.

    Args:
        name: A short name for the bug.
        clause: The id of the clause that it breaks, or its family (`CLAIM`). If the kit has no such family, any
            clause kills it.
        make: The broken class, or a function that opens a client of the store of a given namespace. It may also be a
            function without parameters that returns either. The kit calls such a function once in each process, so it
            may patch anything. A class or function inside a function works too: other processes find the mutant by
            its name in its module's `MUTANTS`.
        bug: One sentence that describes the bug.
        source: Where such a bug was seen: its id in the kit's list of bugs from real backends.
        url: A URL for the class. `{folder}` becomes an empty folder, and `{postgres}` the URL of the server of that
            name; without that server the mutant is left out. Options may follow: `{postgres}?schema=other`.
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
        """Return its URL with the placeholders replaced by the folder and the servers' URLs."""
        return given_servers.filled(self.url, folder, servers)

    def target(self, folder: str, servers: Mapping[str, str] | None = None) -> Target:
        """Return the broken backend as a target; its files are stored in `folder`."""
        return self.opened_at(self.filled(folder, servers or {}))

    def opened_at(self, url: str) -> Target:
        """Return the broken backend as a target at a URL without placeholders."""
        make: Any = self.make
        if isinstance(make, type):
            return Target.from_class(make, url)
        if signature(make).parameters:
            return Target(make, self.name)
        made = _broken(make)
        opened = partial(_open_broken, make, url)
        return Target(opened, self.name, url, made) if isinstance(made, type) else Target(opened, self.name)

    def counts(self, clause_id: str) -> bool:
        """Return whether a violation of a clause kills it: its own clause, its family's, or one about every call."""
        families = {family(id) for id in CLAUSES}
        return family(self.clause) not in families or family(clause_id) in {family(self.clause), *_EVERYWHERE}


@cache
def _broken(make: Callable[[], type[Backend] | MakeBackend]) -> type[Backend] | MakeBackend:
    """Call the function once in each process."""
    return make()


def _open_broken(make: Callable[[], type[Backend] | MakeBackend], url: str, namespace: str) -> Backend:
    """Open a client of the broken backend, in this process or in another one."""
    made = _broken(make)
    return Target.from_class(made, url).make(namespace) if isinstance(made, type) else made(namespace)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The kit's verdict on a mutant. `by` lists the violated clauses; a crash is not a violation."""

    mutant: Mutant
    fate: Fate
    by: tuple[str, ...] = ()
    detail: str = ""
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether the kit found a violation that counts for this mutant."""
        return self.fate == "killed"
