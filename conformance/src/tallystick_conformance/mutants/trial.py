"""Try a mutant: first under the clause that it breaks, then under its family, then under every clause."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory
from time import perf_counter

from ..contract.clauses import CLAUSES
from ..harness.profiles import PROFILES, Profile, ProfileName
from ..reports.result import Result, Status
from ..running.run_clauses import run_examples, run_programs
from ..subject.first_look import looked_at
from ..subject.target import Target
from ..tiers.programs.judge import Judge
from . import servers as given_servers
from .discovery import Found
from .mutant import Fate, Mutant, Verdict


def try_mutant(
    mutant: Mutant | Found, profile: ProfileName = "quick", servers: Mapping[str, str] | None = None
) -> Verdict:
    """Run the kit on a mutant in this process until a clause is violated.

    Args:
        mutant: The mutant. Pass it with its module if other processes must find a class or function that is defined
            inside a function.
        profile: How much to test.
        servers: The URLs of the available servers by name; by default those in the environment.
    """
    started = perf_counter()
    known = given_servers.given() if servers is None else servers
    one = mutant.mutant if isinstance(mutant, Found) else mutant
    with TemporaryDirectory(prefix="mutant", ignore_cleanup_errors=True) as folder:
        trial = _Trial(one, mutant.target(folder, known), PROFILES[profile]._replace(shrink=False))
        for clause_id, detail in trial.violated():
            fate: Fate = "killed" if one.counts(clause_id) else "survived"
            return Verdict(one, fate, (clause_id,), detail, perf_counter() - started)
    return Verdict(one, "survived", (), trial.untested, perf_counter() - started)


class _Trial:
    """One mutant under every clause. Generated programs run once, and also note violations of unarmed clauses."""

    def __init__(self, mutant: Mutant, target: Target, profile: Profile) -> None:
        self._mutant, self._target, self._profile = mutant, target, profile
        self._capabilities = looked_at(target).capabilities
        self._programs: Judge | None = None
        self.untested = ""
        """Why the mutant's own clause was not tested, if it was not."""

    def violated(self) -> Iterator[tuple[str, str]]:
        """Yield each violated clause and its violation, the mutant's own clause first; skip clauses that crash."""
        for ids in self._stages():
            for id in ids:
                yield from self._by_examples(id)
            if self._programs is None:
                yield from self._by_programs([id for id in ids if CLAUSES[id].tier == "model"])
            noted = self._programs.unarmed if self._programs else ()
            yield from ((id, f"{id} is broken") for id in noted if id in ids)

    def _stages(self) -> Iterator[Sequence[str]]:
        named = [id for id in CLAUSES if id == self._mutant.clause]
        relatives = [id for id in CLAUSES if id not in named and self._mutant.counts(id)]
        yield named
        yield relatives
        yield [id for id in CLAUSES if id not in named and id not in relatives]

    def _by_examples(self, id: str) -> Iterator[tuple[str, str]]:
        result = run_examples(id, self._target, self._profile, self._capabilities)
        if id == self._mutant.clause and result.status not in (Status.PASSED, Status.VIOLATED):
            self.untested = f"{id} was {result.status}: {result.detail}"
        yield from self._violations(result)

    def _by_programs(self, armed: Sequence[str]) -> Iterator[tuple[str, str]]:
        if not armed:
            return
        self._programs = Judge(armed)
        with suppress(Exception):
            for result in run_programs(self._target, self._profile, armed, self._programs):
                yield from self._violations(result)

    @staticmethod
    def _violations(result: Result) -> Iterator[tuple[str, str]]:
        if result.violation is not None:
            yield result.clause_id, result.detail
