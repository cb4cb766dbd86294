"""A violation shows an unexpected exception, and the clients of its program."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tallystick import Queue, Record
from tallystick_conformance import Target, conform, reports
from tallystick_conformance.reports.terminal import described
from tallystick_memory import MemoryBackend

LONG = "x" * 300


class FailsInAHelper(MemoryBackend):
    """Raises from a helper, with a cause and a note, in every claim that returns a job."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        """Claim, and fail."""
        return [_look_at(record) for record in super().claim(queues, **options)]


def _look_at(record: Record) -> Record:
    try:
        return dict[str, Record]()[record.kind]
    except KeyError as exc:
        error = ValueError(f"no such kind: {LONG}")
        error.add_note("look at the migration")
        raise error from exc


class SeesItsOwnPausesOnly(MemoryBackend):
    """Does not see another client's pause."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._mine: set[str] = set()

    def pause(self, queue: str) -> None:
        """Pause, and remember it."""
        super().pause(queue)
        self._mine.add(queue)

    def queues(self) -> Sequence[Queue]:
        """Return queues that other clients paused as open."""
        return [queue._replace(paused=queue.name in self._mine) for queue in super().queues()]


@pytest.mark.usefixtures("short_programs")
@pytest.mark.parametrize("clause", ["CLAIM-07", "CALL-01", "SCHED-01", "HISTORY-03", "RACE-01"])
def test_an_unexpected_exception_is_shown_whole(clause: str, tmp_path: Path) -> None:
    """Terminal, report, summary and JUnit show the exception's text, note, cause, and the backend's file and line."""
    report = conform(Target.from_class(FailsInAHelper, "memory://"), only=[clause])
    reports.write(report, tmp_path)
    [entry] = json.loads((tmp_path / "report.json").read_text())["clauses"]
    line = next(n for n, text in enumerate(Path(__file__).read_text().splitlines(), 1) if "raise error from" in text)

    for text in (
        described(report),
        entry["raised"],
        (tmp_path / "summary.md").read_text(),
        (tmp_path / "junit.xml").read_text(),
    ):
        assert f"ValueError: no such kind: {LONG}" in text
        assert "look at the migration" in text
        assert f"at {__file__}:{line} in _look_at" in text
        assert "KeyError: 'k'" in text or "KeyError: 'a'" in text


def test_a_program_of_several_clients_names_them() -> None:
    """With several clients, each call has its client's name as a prefix."""
    report = conform(Target.from_class(SeesItsOwnPausesOnly, "memory://"), only=["SETUP-04"])
    [violation] = report.violations

    assert violation.steps[0].startswith("a: backend.")
    assert "b: backend." in "".join(violation.steps)


@pytest.mark.usefixtures("short_programs")
def test_a_program_of_one_client_has_no_names() -> None:
    """If one client made every call, the calls have no prefix."""
    [violation] = conform(Target.from_class(FailsInAHelper, "memory://"), only=["CLAIM-07"]).violations

    assert violation.steps[0].startswith("backend.insert(")
