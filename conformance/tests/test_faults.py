"""Faults of the network: a right client keeps the clauses, and each way to be wrong breaks its own."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tallystick import Backend, Inserted, NewRecord, OutcomeUnknown, Record, Unavailable
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.clauses import CLAUSES

from .served import ServedBackend, serving

FAULTS = [id for id, clause in CLAUSES.items() if clause.tier == "fault"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server."""
    with serving() as url:
        yield url


class Sure(ServedBackend):
    """Says that nothing happened when it cannot know."""

    def _lost(self, exc: Exception) -> Exception:
        return Unavailable(f"the connection was lost: {exc!r}")


class Dead(ServedBackend):
    """Keeps a connection that was lost."""

    def _let_go(self) -> None:
        if self._connection is not None and self._closed:
            super()._let_go()


class Raw(ServedBackend):
    """Raises what its driver raised."""

    def _lost(self, exc: Exception) -> Exception:
        return exc


class Repeats(ServedBackend):
    """Asks again when an answer was lost, for what may not be asked twice: a claim whose jobs nobody then has."""

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._ask(method, *args, **kwargs)
        except Unavailable:
            raise
        except Exception:
            return super()._ask(method, *args, **kwargs)


class Overtakes(ServedBackend):
    """Finds nothing to claim after a try that was lost: the store has not noticed yet, and keeps its jobs for it."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        """Claim, or find nothing."""
        try:
            return super().claim(queues, **options)
        except OutcomeUnknown:
            return []


class Renames(ServedBackend):
    """Inserts under other ids when it is asked again."""

    _asked = False

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        """Insert, or insert others."""
        new = [NewRecord(kind=record.kind) for record in records] if self._asked else records
        self._asked = True
        return super().insert(new, **options)


@pytest.mark.parametrize(
    ("backend", "clause"),
    [
        (Dead, "FAULT-01"),
        (Raw, "FAULT-02"),
        (Sure, "FAULT-03"),
        (Renames, "FAULT-03"),
        (Sure, "FAULT-08"),
        (Raw, "FAULT-04"),
    ],
)
def test_what_a_fault_does_is_found(backend: type[Backend], clause: str, url: str) -> None:
    """A client that misjudges a lost connection, or cannot do without it, breaks the clause on it."""
    report = conform(Target.from_class(backend, url), only=[clause])

    assert [violation.clause_id for violation in report.violations] == [clause]


def test_a_right_client_keeps_every_clause(url: str) -> None:
    """Refused, cut, silent and slow connections, in each call."""
    report = conform(Target.from_class(ServedBackend, url), only=FAULTS)

    assert [result.status for result in report.results] == [Status.PASSED] * len(FAULTS), report.failures


def test_a_lost_try_may_still_hold_its_jobs(url: str) -> None:
    """A claim that asks again may find nothing, as long as the store has not noticed that the first try was lost."""
    report = conform(Target.from_class(Overtakes, url), only=["FAULT-02"])

    assert report.passed, report.failures


def test_without_a_network_nothing_fails() -> None:
    """A store that is not reached over TCP is not run, or not declared, and passes."""
    report = conform("memory://", only=FAULTS)

    assert report.passed
