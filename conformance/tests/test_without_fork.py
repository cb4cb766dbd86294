"""On a platform without fork, such as Windows, the kit starts new interpreters and tests as much as it can."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MASK = """
import multiprocessing, os, signal, time

MISSING = {os: ["fork", "forkpty", "setsid", "killpg"], signal: ["alarm", "pthread_sigmask"], time: ["tzset"]}
for module, names in MISSING.items():
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
multiprocessing.get_all_start_methods = lambda: ["spawn"]
"""

CLAUSES = ["RACE-10", "RACE-11", "SETUP-07", "CRASH-02", "CRASH-05", "TIME-10", "LEAK-03", "SCHED-01", "WAIT-05"]


@pytest.mark.kit
def test_what_needs_processes_is_tested_without_fork(tmp_path: Path) -> None:
    """Every clause on processes and crashes passes with `spawn`; only the clauses about forks are not run."""
    (tmp_path / "sitecustomize.py").write_text(MASK)
    arguments = [f"sqlite:///{tmp_path}/x.db", "--json", *(f"--only={id}" for id in CLAUSES)]
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.cli", "conform", *arguments],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    clauses = {clause["id"]: clause for clause in json.loads(done.stdout)["clauses"]}
    assert {id: clause["status"] for id, clause in clauses.items()} == {
        id: "not run" if id == "RACE-11" else "passed" for id in CLAUSES
    }
    assert clauses["TIME-10"]["notice"] == "not run: this platform cannot change the time zone of a process"
