"""Network faults: a correct client passes, and each bug violates its clause."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tallystick import Backend, Inserted, NewRecord, OutcomeUnknown, Record, Unavailable
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.contract.clauses import CLAUSES

from .served import ServedBackend, serving

FAULTS = [id for id, clause in CLAUSES.items() if clause.tier == "fault"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Run a server for the tests of this module."""
    with serving() as url:
        yield url


class Sure(ServedBackend):
    """Raises Unavailable when the outcome is unknown."""

    def _lost(self, exc: Exception) -> Exception:
        return Unavailable(f"the connection was lost: {exc!r}")


class Dead(ServedBackend):
    """Keeps using a lost connection."""

    def _let_go(self) -> None:
        if self._connection is not None and self._closed:
            super()._let_go()


class Raw(ServedBackend):
    """Raises the driver's own exceptions."""

    def _lost(self, exc: Exception) -> Exception:
        return exc


class Repeats(ServedBackend):
    """Repeats a claim whose result was lost, so that no worker has the first jobs."""

    def _ask(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super()._ask(method, *args, **kwargs)
        except Unavailable:
            raise
        except Exception:
            return super()._ask(method, *args, **kwargs)


class Overtakes(ServedBackend):
    """Claims nothing after a lost attempt, because the store still reserves the jobs for it."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        """Claim, or return nothing."""
        try:
            return super().claim(queues, **options)
        except OutcomeUnknown:
            return []


class Renames(ServedBackend):
    """Inserts under new ids when it repeats a call."""

    _asked = False

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        """Insert, with new ids in a repetition."""
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
    """A client that handles a lost connection wrongly violates the clause about it."""
    report = conform(Target.from_class(backend, url), only=[clause])

    assert [violation.clause_id for violation in report.violations] == [clause]


def test_a_right_client_keeps_every_clause(url: str) -> None:
    """A correct client passes with refused, cut, silent and slow connections in each call."""
    report = conform(Target.from_class(ServedBackend, url), only=FAULTS)

    assert [result.status for result in report.results] == [Status.PASSED] * len(FAULTS), report.failures


def test_a_lost_try_may_still_hold_its_jobs(url: str) -> None:
    """A repeated claim may return nothing while the store still reserves the jobs for the lost one."""
    report = conform(Target.from_class(Overtakes, url), only=["FAULT-02"])

    assert report.passed, report.failures


def test_without_a_network_nothing_fails() -> None:
    """For a store without TCP, the fault clauses are not run or not declared, and the run passes."""
    report = conform("memory://", only=FAULTS)

    assert report.passed
