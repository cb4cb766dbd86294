"""The messages of violations."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tallystick import Claim, Complete, Filter, NewRecord, State
from tallystick_conformance import Violation
from tallystick_conformance.contract.model import Model
from tallystick_conformance.subject.rendering import call, render


def test_a_violation_reads_as_a_sentence() -> None:
    """The message has the clause, the expected and observed values, and the program."""
    violation = Violation("CLAIM-02", "no job", [], ["backend.claim(...)"])

    assert str(violation) == (
        "CLAIM-02 is broken: No job is claimed before its run_at.\n"
        "  expected: no job\n"
        "  observed: []\n"
        "  after:\n"
        "    backend.claim(...)"
    )


def test_of_two_records_the_difference_is_told() -> None:
    """Equal fields of two records are not shown."""
    record = Model().insert(NewRecord(kind="k", id=UUID(int=1)), datetime(2001, 1, 1, tzinfo=UTC)).record
    violation = Violation("SETTLE-02", record, record._replace(priority=3, state=State.RETRYING))

    assert violation.expected == f"the record {UUID(int=1)} with priority=0, state=State.PENDING"
    assert violation.observed == f"the record {UUID(int=1)} with priority=3, state=State.RETRYING"


def test_a_call_is_written_as_python() -> None:
    """Times, delays, ids, states and values are rendered as runnable Python; long ones are shortened."""
    at = datetime.fromisoformat
    filter = Filter(states=[State.RUNNING])

    assert call("cancel", (filter,), {"limit": 1, "now": at("2001-01-01T00:00:00+00:00")}) == (
        'backend.cancel(Filter(states=(State.RUNNING,)), limit=1, now=at("2001-01-01T00:00:00+00:00"))'
    )
    assert render(timedelta(days=1, seconds=2)) == "timedelta(days=1, seconds=2)"
    assert render(Complete(Claim(UUID(int=1), 2))) == f'Complete(claim=Claim(id=UUID("{UUID(int=1)}"), attempt=2))'
    assert render(b"x" * 1000).endswith("... (1,000 long)")
