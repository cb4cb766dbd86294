"""Traces show a violation again: with the command, and at the start of later runs."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from tallystick import CONTRACT_VERSION, ConfigurationError
from tallystick_conformance import CLAUSES, Report, Status, Target, conform
from tallystick_conformance.command.app import conform_app
from tallystick_conformance.harness.trace import SCHEMA, Trace
from typer.testing import CliRunner, Result

BROKEN = """
from dataclasses import replace
from datetime import timedelta

from tallystick_memory import MemoryBackend


class StripsNul(MemoryBackend):
    def insert(self, records, **options):
        return super().insert([replace(r, payload=r.payload.replace(b"\\0", b"")) for r in records], **options)


class CorrectsLimits(MemoryBackend):
    def cancel(self, filter, *, limit, now=None):
        return super().cancel(filter, limit=max(1, limit), now=now)


class ForgetsRunAt(MemoryBackend):
    def insert(self, records, **options):
        return super().insert([replace(r, run_at=None) for r in records], **options)


class DeletesNothing(MemoryBackend):
    def delete(self, filter, *, limit):
        return [r.id for r in self.list(filter, limit=100) if r.state != "running"][:limit]


class NeverResumes(MemoryBackend):
    def resume(self, queue):
        pass


class RescuesOne(MemoryBackend):
    def rescue(self, *, limit, now=None):
        return super().rescue(limit=1, now=now)


class ListsOldestFirst(MemoryBackend):
    def list(self, filter, *, limit, after=None):
        found = super().list(filter, limit=limit, after=after)
        return found if limit > 100 else found[::-1]


class CannotPause(MemoryBackend):
    def pause(self, queue):
        raise RuntimeError("boom")


class NeverWaits(MemoryBackend):
    def wait(self, queues, *, timeout):
        return False


class KeepsDays(MemoryBackend):
    @property
    def capabilities(self):
        return replace(super().capabilities, time_precision=timedelta(days=1))
"""

PROGRAMS = [
    ("StripsNul", "PAYLOAD-01"),
    ("DeletesNothing", "DELETE-02"),
    *(
        pytest.param(*case, marks=pytest.mark.kit)
        for case in [
            ("CorrectsLimits", "REFUSE-01"),
            ("ForgetsRunAt", "INSERT-02"),
            ("NeverResumes", "QUEUE-02"),
            ("RescuesOne", "RESCUE-05"),
            ("ListsOldestFirst", "QUERY-02"),
            ("CannotPause", "CALL-01"),
        ]
    ),
]
"""Backends with one bug each, and a clause that a plain program violates."""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The broken backends, in a module that other processes can import."""
    (tmp_path / "broken_backends.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield import_module("broken_backends")
    del sys.modules["broken_backends"]


def _conform(backend: Any, clause: str, **options: Any) -> Report:
    return conform(Target.from_class(backend, "memory://"), only=[clause], **options)


def _trace(backend: Any, clause: str, folder: Path) -> Path:
    trace = _conform(backend, clause).results[0].trace
    assert trace is not None
    path = folder / trace.file_name
    path.write_text(trace.to_json())
    return path


def _replay(*arguments: object) -> Result:
    return CliRunner().invoke(conform_app, ["replay", *map(str, arguments)])


@pytest.mark.usefixtures("short_programs")
@pytest.mark.parametrize(("name", "clause"), PROGRAMS)
def test_a_trace_shows_the_violation_again(broken: Any, tmp_path: Path, name: str, clause: str) -> None:
    """The command prints the sentence and the calls, and fails on the broken backend but not on a correct one."""
    path = _trace(getattr(broken, name), clause, tmp_path)

    fails = _replay(path, "memory://", "--backend", f"broken_backends:{name}")
    holds = _replay(path, "memory://")

    assert fails.exit_code == 1, fails.output
    assert fails.output.startswith(f"{clause}: {CLAUSES[clause].text}\n  backend.")
    assert f"\n{clause} is broken\n  expected: " in fails.output
    assert holds.exit_code == 0, holds.output
    assert holds.output.endswith("the clause holds\n")


def test_a_clause_without_a_program_is_run_again(broken: Any, tmp_path: Path) -> None:
    """If a clause tests real time, its trace has no calls: the kit runs the clause, and states this."""
    path = _trace(broken.NeverWaits, "WAIT-02", tmp_path)

    fails = _replay(path, "memory://", "--backend", "broken_backends:NeverWaits")

    assert "the trace has no calls" in fails.output
    assert fails.exit_code == 1
    assert "WAIT-02 is broken" in fails.output
    assert _replay(path, "memory://").exit_code == 0


def test_a_replay_leaves_nothing_behind(broken: Any, tmp_path: Path) -> None:
    """A replay uses its own store next to the one at the URL, and removes it."""
    path, stores = _trace(broken.StripsNul, "PAYLOAD-01", tmp_path), tmp_path / "stores"
    stores.mkdir()

    assert _replay(path, f"sqlite:///{stores}/x.db").exit_code == 0
    assert list(stores.iterdir()) == []


@pytest.mark.usefixtures("short_programs")
def test_calls_that_cannot_be_repeated_prove_nothing(broken: Any, tmp_path: Path) -> None:
    """If a store cannot keep the moments of a trace, the command reports this instead of a result."""
    path = _trace(broken.ForgetsRunAt, "INSERT-02", tmp_path)

    result = _replay(path, "memory://", "--backend", "broken_backends:KeepsDays")

    assert result.exit_code == 2
    assert "cannot be repeated" in result.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["missing.json", "memory://"], "this kit cannot replay missing.json"),
        (["trace.json", "nothing://"], "nothing"),
        (["trace.json", "memory://", "--backend", "no_such_module:Class"], "it must be MODULE:CLASS"),
        (["trace.json", "memory://", "--backend", "json"], "it must be MODULE:CLASS"),
    ],
)
def test_a_wrong_argument_is_reported(
    broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    """An unreadable file, an unknown URL and an unknown class exit with 2 and one line."""
    _trace(broken.StripsNul, "PAYLOAD-01", tmp_path).rename(tmp_path / "trace.json")
    monkeypatch.chdir(tmp_path)
    result = _replay(*arguments)

    assert result.exit_code == 2
    assert why in result.output


@pytest.mark.parametrize(("name", "clause"), [("StripsNul", "PAYLOAD-01"), ("NeverWaits", "WAIT-02")])
def test_a_trace_is_replayed_first_until_it_is_fixed(broken: Any, tmp_path: Path, name: str, clause: str) -> None:
    """A trace that fails again is a violation; one that passes is reported, and deleted only with `forget`."""
    _conform(getattr(broken, name), clause, traces=tmp_path)
    file = tmp_path / f"trace-{clause}.json"
    again = _conform(getattr(broken, name), clause, traces=tmp_path)
    fixed = conform("memory://", only=[clause], traces=tmp_path)

    assert again.results[0].status is Status.VIOLATED
    assert f"seen again when {file.name} was replayed" in again.results[0].detail
    assert (fixed.passed, fixed.fixed, file.exists()) == (True, [file.name], True)
    assert conform("memory://", only=[clause], traces=tmp_path, forget=True).fixed == [file.name]
    assert not file.exists()


def test_a_trace_is_json_of_our_own(broken: Any) -> None:
    """A trace survives a round trip through JSON, which has the version, the clause, the observation and the calls."""
    trace = _conform(broken.StripsNul, "PAYLOAD-01").results[0].trace
    assert trace is not None
    data = json.loads(trace.to_json())

    assert (data["schema"], data["contract"], data["clause"]) == (SCHEMA, CONTRACT_VERSION, "PAYLOAD-01")
    assert [call["call"] for call in data["calls"]] == ["insert"]
    assert Trace.from_json(trace.to_json()) == trace


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 1}', '{"schema": 2, "contract": 1, "clause": "X-1", "calls": []}']
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    """An unreadable trace is an error that names the file, and nothing is tested."""
    (tmp_path / "trace-X.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"this kit cannot replay .*trace-X\.json"):
        conform("memory://", only=["CAP-01"], traces=tmp_path)
