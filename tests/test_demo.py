"""`tallystick demo`, as a new user runs it."""

import subprocess
import sys
from pathlib import Path

from support import PATIENCE
from tallystick import Filter, State, open_backend


def test_the_demo_kills_a_process_and_balances_its_books(shared_url: str, tmp_path: Path) -> None:
    """Every job completes once with the right result, although a process was killed, and its attempts are listed."""
    jobs = 100 if shared_url.startswith("mongodb:") else 4_000
    command = [sys.executable, "-m", "tallystick.cli", "demo", "--jobs", str(jobs), "--backend", shared_url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {name.strip(): count for name, _, count in (row.rpartition(" ") for row in done.stdout.splitlines()[1:7])}
    assert counts["completed"] == f"{jobs:,}"
    assert counts["lost"] == counts["ended twice"] == counts["with a wrong result"] == "0"
    assert "The books balance." in done.stdout
    if counts["attempts that died with a process"] != "0":
        assert "killed worker process" in done.stderr
        assert "died at attempt" in done.stdout
    with open_backend(shared_url) as backend:
        assert backend.stats().by_state[State.COMPLETED] == jobs


def test_the_demo_works_a_tree_and_leaves_its_results(shared_url: str, tmp_path: Path) -> None:
    """The demo completes good files, discards a bad one after three attempts, and leaves the store to inspect."""
    source = tmp_path / "source"
    (source / "pkg").mkdir(parents=True)
    (source / "good.py").write_text("def one():\n    return 1\n")
    (source / "pkg" / "more.py").write_text("def two():\n    x = 2\n    return x\n")
    (source / "bad.py").write_text("def (:\n")
    command = [
        sys.executable,
        "-m",
        "tallystick.cli",
        "demo",
        "--files",
        "--path",
        str(source),
        "--backend",
        shared_url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert "longest function: two in pkg/more.py, 3 lines" in done.stdout
    assert "tallystick jobs show" in done.stdout
    with open_backend(shared_url) as backend:
        stats = backend.stats()
        [bad] = backend.list(Filter(states=[State.DISCARDED]), limit=10)
    assert (stats.by_state[State.COMPLETED], stats.by_state[State.DISCARDED]) == (2, 1)
    assert bad.attempt == 3
    assert bad.last_error is not None
    assert "SyntaxError" in bad.last_error.traceback or "TokenError" in bad.last_error.traceback
