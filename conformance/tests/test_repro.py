"""Scripts and traces reproduce a violation on their own."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from support import PATIENCE
from tallystick import ConfigurationError
from tallystick_conformance import CLAUSES, Report, Status, Target, conform
from tallystick_conformance.repros.replay import replay
from tallystick_conformance.repros.traces import Trace

BROKEN = """
from dataclasses import replace

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


class CannotGet(MemoryBackend):
    def get(self, ids):
        raise RuntimeError("boom")


class NeverWaits(MemoryBackend):
    def wait(self, queues, *, timeout):
        return False
"""

PROGRAMS = {
    "StripsNul": "PAYLOAD-01",
    "CorrectsLimits": "REFUSE-01",
    "ForgetsRunAt": "INSERT-02",
    "DeletesNothing": "DELETE-02",
    "NeverResumes": "QUEUE-02",
    "RescuesOne": "RESCUE-05",
    "ListsOldestFirst": "QUERY-02",
    "CannotGet": "CALL-01",
}
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


def _run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize(("name", "clause"), PROGRAMS.items())
def test_a_script_fails_alone_in_the_same_way(broken: Any, tmp_path: Path, name: str, clause: str) -> None:
    """The script fails with the clause's sentence on the broken backend, and succeeds on a correct one."""
    repro = _conform(getattr(broken, name), clause).results[0].repro
    assert repro is not None
    script = tmp_path / "repro.py"
    script.write_text(repro.script)

    fails = _run(script, "--backend", f"broken_backends:{name}", "memory://")
    holds = _run(script, "memory://")

    assert "tallystick_conformance" not in repro.script
    assert fails.returncode == 1, fails
    assert f"AssertionError: {clause} is broken: {CLAUSES[clause].text}\n  expected: " in fails.stderr
    assert (holds.returncode, holds.stdout) == (0, "the clause holds\n"), holds


def test_what_no_program_shows_is_run_again_by_the_kit(broken: Any, tmp_path: Path) -> None:
    """If a clause tests real time, the script runs it with the kit, and states this."""
    repro = _conform(broken.NeverWaits, "WAIT-02").results[0].repro
    assert repro is not None
    script = tmp_path / "repro.py"
    script.write_text(repro.script)

    fails = _run(script, "--backend", "broken_backends:NeverWaits", "memory://")

    assert "runs the clause with the kit" in repro.script
    assert fails.returncode == 1
    assert "WAIT-02 is broken: " in fails.stdout
    assert _run(script, "memory://").returncode == 0


def test_a_script_leaves_nothing_behind(broken: Any, tmp_path: Path) -> None:
    """The script uses its own store next to the one at the URL, and removes it even when it fails."""
    repro = _conform(broken.StripsNul, "PAYLOAD-01").results[0].repro
    assert repro is not None
    script, stores = tmp_path / "repro.py", tmp_path / "stores"
    stores.mkdir()
    script.write_text(repro.script)

    assert _run(script, f"sqlite:///{stores}/x.db").returncode == 0
    assert list(stores.iterdir()) == []


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


def test_a_generated_program_is_replayed_call_by_call(broken: Any) -> None:
    """The calls of a trace show the violation again on the broken backend, and none on a correct one."""
    repro = _conform(broken.ForgetsRunAt, "INSERT-02").results[0].repro
    assert repro is not None
    trace = Trace.from_json(repro.trace.to_json())

    failing = replay(Target.from_class(broken.ForgetsRunAt, "memory://"), trace.steps, "INSERT-02")
    assert failing is not None
    assert failing.violation.clause_id == "INSERT-02"
    assert replay(Target.of("memory://"), trace.steps, "INSERT-02") is None


def test_a_trace_is_json_of_our_own(broken: Any) -> None:
    """A trace survives a round trip through JSON, which has the version, the clause, the observation and the calls."""
    repro = _conform(broken.StripsNul, "PAYLOAD-01").results[0].repro
    assert repro is not None
    data = json.loads(repro.trace.to_json())

    assert (data["schema"], data["contract"], data["clause"]) == (1, 1, "PAYLOAD-01")
    assert [step["call"] for step in data["steps"]] == ["insert"]
    assert Trace.from_json(repro.trace.to_json()) == repro.trace


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 2}', '{"schema": 1, "contract": 1, "clause": "X-1", "steps": []}']
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    """An unreadable trace is an error that names the file, and nothing is tested."""
    (tmp_path / "trace-X.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"this kit cannot replay .*trace-X\.json"):
        conform("memory://", only=["CAP-01"], traces=tmp_path)
