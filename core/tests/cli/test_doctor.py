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
    concurrencies: list[int | None] = []

    def diagnose(self: MemoryBackend, *, concurrency: int | None = None) -> Sequence[Finding]:
        concurrencies.append(concurrency)
        return findings

    monkeypatch.setattr(MemoryBackend, "diagnose", diagnose)
    return concurrencies


def test_a_fault_is_shown_with_its_advice(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """`doctor` prints one printable line per finding, and exits with 1."""
    concurrencies = _diagnosing(monkeypatch, FINDINGS)
    result = cli("doctor", cli.url, "--concurrency", 50)
    lines = [" ".join(line.split()) for line in result.out.splitlines()]
    assert lines == [
        "check found what to do",
        "clock ok 0.01 s off",
        "pool warning pool_size is 1 raise pool_size",
        "indexes fault jobs_waiting is \\x1b[31mgone make it again",
    ]
    assert (result.code, concurrencies) == (1, [50])


def test_without_a_fault_the_exit_code_is_0(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Warnings leave the exit code at 0; the URL can come from the environment, and --json prints the findings."""
    _diagnosing(monkeypatch, FINDINGS[:2])
    result = cli("doctor", "--json")
    assert result.code == 0
    assert result.json[1] == {
        "name": "pool",
        "severity": "warning",
        "found": "pool_size is 1",
        "advice": "raise pool_size",
    }


def test_a_store_with_nothing_to_examine(cli: Cli) -> None:
    """A memory store has no findings."""
    assert cli("doctor").out == "this store has nothing to check\n"
    assert cli("doctor", "--json").json == []


def test_a_queue_that_no_worker_serves(cli: Cli, store: Backend) -> None:
    """`doctor` reports an unserved queue in any store, in addition to the backend's findings; the exit code stays 0."""
    store.insert([NewRecord(kind="mail", queue="urgent")], now=datetime.now(UTC) - timedelta(hours=3))
    result = cli("doctor", "--json")
    assert result.code == 0
    [finding] = result.json
    assert (finding["name"], finding["severity"]) == ("queue urgent", "warning")
    assert "none is running" in finding["found"]
    assert "start a worker" in finding["advice"]


@pytest.mark.parametrize("diagnosed", [True, False])
def test_a_store_that_is_not_set_up(cli: Cli, monkeypatch: pytest.MonkeyPatch, diagnosed: bool) -> None:
    """If the backend diagnoses the missing setup, `doctor` shows the finding; otherwise it exits with code 3."""
    _diagnosing(monkeypatch, FINDINGS[2:] if diagnosed else [])

    def stats(self: MemoryBackend) -> object:
        raise NotSetUp("not set up")

    monkeypatch.setattr(MemoryBackend, "stats", stats)
    result = cli("doctor")
    assert (result.code, result.err) == ((1, "") if diagnosed else (3, "error: not set up\n"))


@pytest.mark.parametrize("error", [Unavailable, NotSetUp])
def test_a_store_that_cannot_be_reached(cli: Cli, monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    """An unreachable store is one error line and exit code 3."""

    def diagnose(self: MemoryBackend, *, concurrency: int | None = None) -> Sequence[Finding]:
        raise error("down")

    monkeypatch.setattr(MemoryBackend, "diagnose", diagnose)
    result = cli("doctor")
    assert (result.code, result.out, result.err) == (3, "", "error: down\n")
