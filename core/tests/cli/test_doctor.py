from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tallystick import Backend, Finding, NewRecord, NotSetUp, Severity, Unavailable
from tallystick_memory import MemoryBackend

from .conftest import Cli

FINDINGS = [
    Finding("clock", Severity.OK, "0.01 s off"),
    Finding("pool", Severity.WARNING, "pool_size is 1", "raise pool_size"),
    Finding("indexes", Severity.FAULT, "jobs_waiting is \x1b[31mgone", "make it again"),
]


def _diagnosing(monkeypatch: pytest.MonkeyPatch, findings: Sequence[Finding]) -> list[int | None]:
    asked: list[int | None] = []

    def diagnose(self: MemoryBackend, *, concurrency: int | None = None) -> Sequence[Finding]:
        asked.append(concurrency)
        return findings

    monkeypatch.setattr(MemoryBackend, "diagnose", diagnose)
    return asked


def test_a_fault_is_told_with_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for each finding, printable, and exit code 1."""
    asked = _diagnosing(monkeypatch, FINDINGS)
    answer = cli("doctor", cli.url, "--concurrency", 50)
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert lines == [
        "check found what to do",
        "clock ok 0.01 s off",
        "pool warning pool_size is 1 raise pool_size",
        "indexes fault jobs_waiting is \\x1b[31mgone make it again",
    ]
    assert (answer.code, asked) == (1, [50])


def test_without_a_fault_the_exit_code_is_0(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings are none; the URL may come from the environment, and the answer be JSON."""
    _diagnosing(monkeypatch, FINDINGS[:2])
    answer = cli("doctor", "--json")
    assert answer.code == 0
    assert answer.json[1] == {
        "name": "pool",
        "severity": "warning",
        "found": "pool_size is 1",
        "advice": "raise pool_size",
    }


def test_a_store_with_nothing_to_examine(cli: Cli) -> None:
    """Memory has nothing that can go wrong by itself."""
    assert cli("doctor").out == "this store has nothing to check\n"
    assert cli("doctor", "--json").json == []


def test_a_queue_that_no_worker_serves(cli: Cli, store: Backend) -> None:
    """It is reported beside what the backend says of itself, in any store; a warning leaves the exit code at 0."""
    store.insert([NewRecord(kind="mail", queue="urgent")], now=datetime.now(UTC) - timedelta(hours=3))
    answer = cli("doctor", "--json")
    assert answer.code == 0
    [finding] = answer.json
    assert (finding["name"], finding["severity"]) == ("queue urgent", "warning")
    assert "none is running" in finding["found"]
    assert "start a worker" in finding["advice"]


@pytest.mark.parametrize("diagnosed", [True, False])
def test_a_store_that_is_not_set_up(cli: Cli, monkeypatch: pytest.MonkeyPatch, diagnosed: bool) -> None:
    """Where the backend reports it, that is the finding; else it is the error, with exit code 3."""
    _diagnosing(monkeypatch, FINDINGS[2:] if diagnosed else [])

    def stats(self: MemoryBackend) -> object:
        raise NotSetUp("not set up")

    monkeypatch.setattr(MemoryBackend, "stats", stats)
    answer = cli("doctor")
    assert (answer.code, answer.err) == ((1, "") if diagnosed else (3, "error: not set up\n"))


@pytest.mark.parametrize("error", [Unavailable, NotSetUp])
def test_a_store_that_cannot_be_reached(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """As with every command: one line, and exit code 3."""

    def diagnose(self: MemoryBackend, *, concurrency: int | None = None) -> Sequence[Finding]:
        raise error("down")

    monkeypatch.setattr(MemoryBackend, "diagnose", diagnose)
    answer = cli("doctor")
    assert (answer.code, answer.out, answer.err) == (3, "", "error: down\n")
