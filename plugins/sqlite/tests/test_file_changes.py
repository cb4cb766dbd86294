"""Notice writes to the files of a store."""

import gc
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from support import PATIENCE
from tallystick import NewRecord
from tallystick_sqlite import SqliteBackend, file_changes
from tallystick_sqlite.file_changes import FileChanges, Pauses


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The short pauses, which take no time."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


def _write(path: Path) -> None:
    """Write once, so that inotify reports once."""
    with path.open("ab", buffering=0) as file:
        file.write(b"x")


def _fall_asleep(pauses: Pauses) -> None:
    while pauses._next <= file_changes._SHORT_SECONDS:
        pauses.sleep(1)


def test_a_write_ends_a_long_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slept: list[float]) -> None:
    """Without writes, a pause lasts until the next write, to the database or to its log; short pauses follow."""
    database, log = tmp_path / "x.db", tmp_path / "x.db-wal"
    monkeypatch.setattr(file_changes, "_LONGEST_SECONDS", PATIENCE)
    for path in (database, log):
        path.touch()
        pauses = FileChanges(database).pauses()
        _fall_asleep(pauses)
        pauses._next = PATIENCE
        with ThreadPoolExecutor(1) as pool:
            sleeping = pool.submit(pauses.sleep, PATIENCE)
            began = time.monotonic()
            _write(path)
            sleeping.result()
        assert time.monotonic() - began < PATIENCE
        slept.clear()
        _fall_asleep(pauses)
        assert slept == [0.001, 0.002, 0.004, 0.008]


def test_writes_do_not_shorten_short_pauses(tmp_path: Path, slept: list[float]) -> None:
    """If other clients write all the time, the pauses grow to 8 ms and stay there."""
    path = tmp_path / "x.db"
    path.touch()
    pauses = FileChanges(path).pauses()
    for _ in range(6):
        _write(path)
        pauses.sleep(1)
    assert slept == [0.001, 0.002, 0.004, 0.008, 0.008, 0.008]


def test_a_pause_is_no_longer_than_asked(tmp_path: Path, slept: list[float]) -> None:
    """A pause ends when the next job is due, or the time is over."""
    pauses = FileChanges(tmp_path / "x.db").pauses()
    pauses.sleep(0.0005)
    pauses.sleep(1)
    assert slept == [0.0005, 0.002]


def test_the_next_wait_goes_on_with_long_pauses(tmp_path: Path, slept: list[float]) -> None:
    """An idle worker waits again and again. Its short pauses begin again only after a write, or for a new file."""
    database, log = tmp_path / "x.db", tmp_path / "x.db-wal"
    database.touch()
    log.touch()
    changes = FileChanges(database)
    _fall_asleep(changes.pauses())
    assert changes.pauses()._next > file_changes._SHORT_SECONDS
    _write(database)
    changes.pauses().sleep(PATIENCE)
    _fall_asleep(changes.pauses())
    assert slept == 2 * [0.001, 0.002, 0.004, 0.008]
    log.rename(tmp_path / "old")
    log.touch()
    _fall_asleep(changes.pauses())
    assert slept == 3 * [0.001, 0.002, 0.004, 0.008]
    changes.close()
    assert changes.pauses()._next == file_changes._SHORTEST_SECONDS


def test_each_wait_begins_with_short_pauses_if_a_file_is_not_watched(tmp_path: Path, slept: list[float]) -> None:
    """Linux watches no file that does not exist, and none if the user watches too many. Its writes are not reported."""
    path = tmp_path / "x.db"
    path.touch()
    changes = FileChanges(path)
    for _ in range(2):
        _fall_asleep(changes.pauses())
    assert slept == 2 * [0.001, 0.002, 0.004, 0.008]


def test_without_inotify_all_pauses_are_short(
    monkeypatch: pytest.MonkeyPatch, url: str, backend: SqliteBackend, slept: list[float]
) -> None:
    """On other systems, `wait` looks a hundred times a second, and finds jobs of other clients."""
    monkeypatch.setattr(file_changes._Inotify, "open", lambda: None)
    assert not backend.wait(["default"], timeout=timedelta(milliseconds=50))
    assert max(slept) == 0.010
    with SqliteBackend.from_url(url) as other, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(backend.wait, ["default"], timeout=timedelta(hours=1))
        other.insert([NewRecord(kind="k")])
        assert waiting.result(PATIENCE)


def test_another_thread_read_the_write(tmp_path: Path) -> None:
    """A thread that finds nothing to read, because another one has read it, looks at the store all the same."""
    path = tmp_path / "x.db"
    path.touch()
    changes = FileChanges(path)
    pauses = changes.pauses()
    _write(path)
    assert pauses._is_written(PATIENCE)
    pauses._poller = type("Poller", (), {"poll": lambda *_: [(0, 0)]})()
    assert pauses._is_written(PATIENCE)


def test_close_frees_the_instance_of_inotify(tmp_path: Path) -> None:
    """A user has few instances, so `close` frees it, once no thread waits."""
    changes = FileChanges(tmp_path / "x.db")
    pauses = changes.pauses()
    assert pauses._inotify
    fd = pauses._inotify.fd
    changes.close()
    os.fstat(fd)
    del pauses
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
