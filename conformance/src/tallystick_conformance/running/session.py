"""One pass over the clauses: first the examples of each clause, then generated programs for the clauses still open."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from tallystick import Capabilities

from ..contract.clauses import CLAUSES, family
from ..contract.ways import Way
from ..harness.profiles import Profile
from ..reports.result import Result, Status
from ..subject.target import Target
from ..tiers.programs.judge import Judge
from .known import KnownFailures, applied
from .run_clauses import run_examples, run_programs

_BROKEN = (Status.VIOLATED, Status.ERROR)


@dataclass(slots=True)
class Session:
    """Judges clauses on a target. After a violation, the rest of the clause's family is not judged.

    Args:
        known: The known failures. They do not stop their family from being judged.
        everything: Whether to judge the rest of a family after a violation too.
        on_start: Called with a description of the next test.
    """

    target: Target
    profile: Profile
    capabilities: Capabilities
    known: KnownFailures
    everything: bool
    on_start: Callable[[str], None] = field(default=lambda what: None)
    first: dict[str, str] = field(default_factory=dict)
    """The first violated clause of each family."""
    ways: set[Way] = field(default_factory=set)
    """The transitions of the table of states that generated programs covered."""

    def run(self, ids: Iterable[str]) -> Iterator[Result]:
        """Yield a result for each clause."""
        left = yield from self.run_examples(ids)
        for result in self.programs(left):
            yield applied(self.known, result)

    def run_examples(self, ids: Iterable[str]) -> Generator[Result, None, list[str]]:
        """Yield a result for each clause that its examples decide; return those that generated programs decide."""
        left = []
        for id in ids:
            result = self.examples(id)
            if CLAUSES[id].tier != "model" or result.status in (*_BROKEN, Status.NOT_WRITTEN, Status.NOT_JUDGED):
                yield applied(self.known, result)
            else:
                left.append(id)
        return left

    def examples(self, id: str) -> Result:
        """Judge a clause by its examples."""
        if self._is_left_out(id):
            return self._not_judged(id)
        self.on_start(id)
        return self.noted(run_examples(id, self.target, self.profile, self.capabilities))

    def programs(self, ids: Collection[str]) -> Iterator[Result]:
        """Judge clauses by generated programs."""
        open = self.open(ids)
        numbers, judged = count(1), set()
        judge = Judge(open, lambda: self.on_start(f"generated programs: {next(numbers)}"))
        for result in run_programs(self.target, self.profile, open, judge) if open else ():
            judged.add(result.clause_id)
            yield self.noted(result)
            judge.armed = [id for id in judge.armed if not self._is_left_out(id)]
        self.ways |= judge.ways.taken
        yield from (self._not_judged(id) for id in ids if id not in judged)

    def open(self, ids: Iterable[str]) -> list[str]:
        """Return the clauses that are judged, although some clauses were broken."""
        return [id for id in ids if not self._is_left_out(id)]

    def noted(self, result: Result) -> Result:
        """Remember the clause if it is broken, and return the result."""
        if result.status in _BROKEN and result.clause_id not in self.known:
            self.first.setdefault(family(result.clause_id), result.clause_id)
        return result

    def _is_left_out(self, id: str) -> bool:
        return not self.everything and id not in self.known and self.first.get(family(id), id) != id

    def _not_judged(self, id: str) -> Result:
        return Result(id, Status.NOT_JUDGED, f"not judged: {self.first[family(id)]} failed first")
