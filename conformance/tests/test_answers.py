"""Backends that return malformed results: the kit reports a violation, never a traceback."""

from typing import Any, NoReturn, cast

import pytest
from tallystick import Backend
from tallystick_conformance import Status, Target, conform
from tallystick_conformance.contract.clauses import family
from tallystick_memory import MemoryBackend


class ReturnsNothing(MemoryBackend):
    """Returns None instead of records."""

    def claim(self, *args: Any, **options: Any) -> Any:
        """Return None."""
        super().claim(*args, **options)


class Yields(MemoryBackend):
    """Returns a generator instead of a sequence."""

    def insert(self, records: Any, **options: Any) -> Any:
        """Yield the records."""
        yield from super().insert(records, **options)


class ReturnsIds(MemoryBackend):
    """Returns ids instead of records."""

    def claim(self, *args: Any, **options: Any) -> Any:
        """Return ids."""
        return [record.id for record in super().claim(*args, **options)]


class CannotList(MemoryBackend):
    """Raises when the kit reads the store."""

    def list(self, *args: Any, **options: Any) -> NoReturn:
        """Fail."""
        raise ZeroDivisionError


class CountsNothing(MemoryBackend):
    """Omits a queue from the stats."""

    def stats(self, **options: Any) -> Any:
        """Return no queue."""
        return super().stats(**options)._replace(by_queue=cast("Any", None))


@pytest.mark.usefixtures("few_programs")
@pytest.mark.parametrize(
    ("backend", "clause"),
    [
        (ReturnsNothing, "CALL-02"),
        (Yields, "CALL-02"),
        (ReturnsIds, "CALL-02"),
        (CannotList, "CALL-01"),
        (CountsNothing, "CALL-02"),
    ],
)
def test_what_is_no_answer_is_a_violation(backend: type[Backend], clause: str) -> None:
    """A malformed result violates a clause on results, wherever the kit notices it."""
    report = conform(Target.from_class(backend, "memory://answers"), only=["CALL", "CLAIM-02", "STATS-01"])
    status = {result.clause_id: result.status for result in report.results}

    assert "CALL" in {family(result.clause_id) for result in report.failures}
    assert status[clause] in (Status.VIOLATED, Status.NOT_JUDGED)
