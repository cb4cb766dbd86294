"""The command `tallystick bench`."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tallystick import Backend, ConfigurationError, NewRecord
from tallystick.bench import stores, workers
from tallystick.bench.session import Session
from tallystick.bench.works import WORKS, Work
from tallystick.cli.bench import lines_at_intervals
from tallystick_memory import MemoryBackend
from tallystick_memory.backend import _stores

from .conftest import Cli

TINY = ("--jobs", 20, "--rounds", 1, "--depth", 5)


def others(url: str) -> list[str]:
    """Return the namespaces of a store in memory that still have records."""
    name = url.removeprefix("memory://")
    return [other for other, store in _stores.items() if other.startswith(f"{name}.") and store.records]


def test_every_work_on_memory(cli: Cli) -> None:
    """The table has a row for each work that the store allows, and fits 80 columns; nothing is left."""
    result = cli("bench", *TINY)
    assert result.code == 0
    for work in WORKS:
        assert (f"\n{work.name} " in f"\n{result.out}") == (work.processes == 1)
    assert max(map(len, result.out.splitlines())) <= 80
    assert others(cli.url) == []


def test_json(cli: Cli) -> None:
    """The keys are those of the help; a result has a figure for each round, and its share of its limit."""
    result = cli("bench", *TINY, "--rounds", 2, "--only", "enqueue one", "--json", "-")
    document = result.json
    text = " ".join(cli("bench", "--help").out.replace("│", " ").split())
    keys = re.search(r"With --json: an object with the keys ([\w, ]+)\.", text)
    assert keys
    assert list(document) == re.split(r", | and ", keys[1])
    assert document["backend"] == "memory"
    own, limit = document["results"]
    assert own["name"] == "enqueue one by one"
    assert own["unit"] == "jobs/s"
    assert len(own["rounds"]) == 2
    assert own["lowest"] <= own["median"] <= own["highest"]
    assert own["limit"] == limit["name"]
    assert own["share_of_limit"] > 0
    assert limit["share_of_limit"] is None


def test_files(cli: Cli, tmp_path: Path) -> None:
    """The chart is well-formed, has a bar for each row, and colours for light and dark."""
    json_file, svg_file = tmp_path / "bench.json", tmp_path / "bench.svg"
    assert cli("bench", *TINY, "--only", "pick-up", "--json", json_file, "--svg", svg_file).code == 0
    names = [result["name"] for result in json.loads(json_file.read_text())["results"]]
    assert names == ["pick-up p50", "pick-up p95", "pick-up p99"]
    text = svg_file.read_text()
    labels = [element.text for element in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text")]
    assert [name for name in names if name not in labels] == []
    assert "prefers-color-scheme: dark" in text


def test_processes(cli: Cli, tmp_path: Path) -> None:
    """On a store of processes, workers are processes, and no file is left."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    result = cli("bench", url, *TINY, "--only", "drain by 2")
    assert result.code == 0
    assert "drain by 2 workers" in result.out
    assert list(tmp_path.iterdir()) == []


def test_jobs_that_exist_are_not_touched(cli: Cli, store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend whose `namespaced` returns the same store is rejected, and keeps its jobs."""
    store.insert([NewRecord(kind="k")])
    monkeypatch.setattr(MemoryBackend, "namespaced", lambda url, namespace: url)
    result = cli("bench", *TINY)
    assert result.code == 2
    assert "has 1 jobs in 1 queues; the benchmark does not touch them" in result.err
    assert store.stats().total == 1


@pytest.mark.parametrize(
    ("stop", "code"), [(lambda: signal.raise_signal(signal.SIGINT), 130), (lambda: os.kill(os.getpid(), 15), 143)]
)
def test_interruption(cli: Cli, monkeypatch: pytest.MonkeyPatch, stop: Callable[[], None], code: int) -> None:
    """After Ctrl-C or SIGTERM in the middle of a work, no store is left, also of those that live for all rounds."""

    def interrupted(session: Session) -> list[float]:
        with session.backend() as backend:
            backend.insert([NewRecord(kind="k")])
            assert len(others(cli.url)) == 2
            stop()
        raise AssertionError

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    kept = next(work for work in WORKS if work.name == "depth: among due jobs")
    monkeypatch.setattr("tallystick.bench.works.chosen", lambda only: [kept, Work("interrupted", interrupted)])
    try:
        assert cli("bench", *TINY).code == code
    finally:
        signal.signal(signal.SIGINT, before)
    assert others(cli.url) == []


def test_unknown_work(cli: Cli) -> None:
    """The error lists the works."""
    result = cli("bench", "--only", "drian")
    assert result.code == 2
    assert "'drain by 1 worker'" in result.err


def test_a_folder_that_is_missing(cli: Cli, tmp_path: Path) -> None:
    """A file that could not be written is rejected before the measurements."""
    result = cli("bench", *TINY, "--svg", tmp_path / "missing" / "bench.svg")
    assert result.code == 2
    assert "create the folder first" in result.err


def test_no_store(cli: Cli) -> None:
    """Without a URL the error says what to pass."""
    assert "tallystick bench sqlite:///bench.db" in cli("bench", TALLYSTICK_BACKEND=None).err


def test_progress_without_a_terminal() -> None:
    """A line is printed at once, and then at most one every five seconds."""
    now, lines = 0.0, list[str]()
    report = lines_at_intervals(lines.append, lambda: now)
    for now in (0.0, 1.0, 4.9, 5.0, 6.0, 11.0):
        report(f"at {now}")
    assert lines == ["at 0.0", "at 5.0", "at 11.0"]


def test_a_store_is_removed_after_an_error(url: str) -> None:
    """An error in the block removes the store, too."""

    def fail() -> None:
        with stores.new_store(url) as own, MemoryBackend.from_url(own) as backend:
            backend.insert([NewRecord(kind="k")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert others(url) == []


def test_a_worker_that_cannot_start() -> None:
    """The benchmark ends with an error if a worker process does, and does not wait for it."""

    def start() -> None:
        with workers.ready_workers("nosuch://", 1, shared=True):
            pass

    with pytest.raises(ConfigurationError, match="could not start"):
        start()
