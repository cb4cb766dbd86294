"""Known-bad backends, and whether the kit catches each by the clause that it breaks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from inspect import signature
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Literal

from tallystick import Backend

from . import servers as given_servers
from .clauses import CLAUSES, family
from .engine import run_examples, run_programs
from .first_look import looked_at
from .profiles import PROFILES, Profile, ProfileName
from .report import Result
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
            things; other processes have to find it in its module.
        bug: One sentence on what it does wrong.
        source: Where such a bug was seen: its id in the kit's list of bugs that real backends shipped.
        url: A URL for the class; `{folder}` in it becomes an empty folder, `{postgres}` the URL of the server of that
            name, without which the mutant is left out.
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
        return self.url.partition(":")[0].strip("{}")

    @property
    def servers(self) -> set[str]:
        """The names of the servers that it needs."""
        return given_servers.needed(self.url)

    def target(self, folder: str, servers: Mapping[str, str] | None = None) -> Target:
        """Break the backend, and return it as a target of the kit; what it keeps in files goes into `folder`."""
        make: Any = self.make
        url = given_servers.filled(self.url, folder, servers or {})
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


def judge(mutant: Mutant, profile: ProfileName = "quick", servers: Mapping[str, str] | None = None) -> Verdict:
    """Run a mutant in this process: first under its own clause, then under its family, then under every other.

    Args:
        mutant: The mutant.
        profile: How much of the kit is run.
        servers: The URLs of the servers that there are, by name; those of the environment unless given.
    """
    started = perf_counter()
    with TemporaryDirectory(prefix="mutant", ignore_cleanup_errors=True) as folder:
        target = mutant.target(folder, given_servers.given() if servers is None else servers)
        for ids in _stages(mutant):
            for result in _violated(target, PROFILES[profile]._replace(shrink=False), ids):
                fate: Fate = "killed" if mutant.counts(result.clause_id) else "survived"
                return Verdict(mutant, fate, (result.clause_id,), result.detail, perf_counter() - started)
    return Verdict(mutant, "survived", seconds=perf_counter() - started)


def _stages(mutant: Mutant) -> Iterator[list[str]]:
    named = [id for id in CLAUSES if id == mutant.clause]
    relatives = [id for id in CLAUSES if id not in named and mutant.counts(id)]
    yield named
    yield relatives
    yield [id for id in CLAUSES if id not in named and id not in relatives]


def _violated(target: Target, profile: Profile, ids: Collection[str]) -> Iterator[Result]:
    """Yield the results that are violations; what crashes is passed over."""
    capabilities = looked_at(target).capabilities
    armed = [id for id in ids if CLAUSES[id].tier == "model"]
    for id in ids:
        yield from _violations([run_examples(id, target, profile, capabilities)])
    if armed:
        with suppress(Exception):
            yield from _violations(run_programs(target, profile, armed))


def _violations(results: Iterable[Result]) -> Iterator[Result]:
    return (result for result in results if result.violation is not None)
