"""Scripts and traces: what the kit hands out shows the violation again, alone."""

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
"""Backends with one bug each, and a clause that a plain program shows to be broken."""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The broken backends, in a module that other processes can import too."""
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
    """On the broken backend it fails with the clause's sentence; on a right one it says that the clause holds."""
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
    """Where real time is what was tested, the script runs the clause with the kit, and says so."""
    repro = _conform(broken.NeverWaits, "WAIT-02").results[0].repro
    assert repro is not None
    script = tmp_path / "repro.py"
    script.write_text(repro.script)

    fails = _run(script, "--backend", "broken_backends:NeverWaits", "memory://")

    assert "runs the\nclause again with the kit" in repro.script
    assert fails.returncode == 1
    assert "WAIT-02 is broken: " in fails.stdout
    assert _run(script, "memory://").returncode == 0


def test_a_script_leaves_nothing_behind(broken: Any, tmp_path: Path) -> None:
    """It works in a store of its own beside the one at the URL, and removes it, also where it fails."""
    repro = _conform(broken.StripsNul, "PAYLOAD-01").results[0].repro
    assert repro is not None
    script, stores = tmp_path / "repro.py", tmp_path / "stores"
    stores.mkdir()
    script.write_text(repro.script)

    assert _run(script, f"sqlite:///{stores}/x.db").returncode == 0
    assert list(stores.iterdir()) == []


@pytest.mark.parametrize(("name", "clause"), [("StripsNul", "PAYLOAD-01"), ("NeverWaits", "WAIT-02")])
def test_a_trace_is_replayed_first_until_it_is_fixed(broken: Any, tmp_path: Path, name: str, clause: str) -> None:
    """A kept trace that fails is the clause's violation; one that passes is told, and deleted only when asked."""
    _conform(getattr(broken, name), clause, traces=tmp_path)
    file = tmp_path / f"trace-{clause}.json"
    again = _conform(getattr(broken, name), clause, traces=tmp_path)
    fixed = conform("memory://", only=[clause], traces=tmp_path)

    assert again.results[0].status is Status.VIOLATED
    assert f"seen again: {file.name} was replayed" in again.results[0].detail
    assert (fixed.passed, fixed.fixed, file.exists()) == (True, [file.name], True)
    assert conform("memory://", only=[clause], traces=tmp_path, forget=True).fixed == [file.name]
    assert not file.exists()


def test_a_generated_program_is_replayed_call_by_call(broken: Any) -> None:
    """Its trace holds the calls; they show the violation on the broken backend again, and nothing on a right one."""
    repro = _conform(broken.ForgetsRunAt, "INSERT-02").results[0].repro
    assert repro is not None
    trace = Trace.from_json(repro.trace.to_json())

    failing = replay(Target.from_class(broken.ForgetsRunAt, "memory://"), trace.steps, "INSERT-02")
    assert failing is not None
    assert failing.violation.clause_id == "INSERT-02"
    assert replay(Target.of("memory://"), trace.steps, "INSERT-02") is None


def test_a_trace_is_json_of_our_own(broken: Any) -> None:
    """It has a version, its clause, what was seen and the calls; reading it gives what was written."""
    repro = _conform(broken.StripsNul, "PAYLOAD-01").results[0].repro
    assert repro is not None
    told = json.loads(repro.trace.to_json())

    assert (told["schema"], told["contract"], told["clause"]) == (1, 1, "PAYLOAD-01")
    assert [step["call"] for step in told["steps"]] == ["insert"]
    assert Trace.from_json(repro.trace.to_json()) == repro.trace


@pytest.mark.parametrize(
    "text", ["", "[]", '{"schema": 2}', '{"schema": 1, "contract": 1, "clause": "X-1", "steps": []}']
)
def test_a_file_that_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    """The error names the file, and nothing is tested."""
    (tmp_path / "trace-X.json").write_text(text)

    with pytest.raises(ConfigurationError, match=r"trace-X\.json is no trace"):
        conform("memory://", only=["CAP-01"], traces=tmp_path)
