"""Forks: the child does not inherit SQLite's state of the parent."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from support import in_child
from tallystick import NewRecord, Unavailable, open_backend
from tallystick_sqlite import forking

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")


@contextmanager
def in_transaction(url: str) -> Iterator[None]:
    """Keep another thread in a write transaction during the block."""
    begun, ended = Event(), Event()

    def hold() -> None:
        with open_backend(url) as backend, backend.transaction() as transaction:
            backend.insert([NewRecord(kind="k")], transaction=transaction)
            begun.set()
            ended.wait()

    thread = Thread(target=hold)
    thread.start()
    try:
        assert begun.wait(60)
        yield
    finally:
        ended.set()
        thread.join()


def test_call_that_outlasts_the_patience_of_a_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child forked during a long call gets a clear error for that file at once, and can use another file."""
    monkeypatch.setattr(forking, "_PATIENCE", 0)
    url, other = f"sqlite:///{tmp_path}/jobs.db", f"sqlite:///{tmp_path}/other.db"
    with open_backend(url) as backend:
        backend.setup()
        with in_transaction(url):

            def work() -> object:
                with open_backend(other) as own:
                    own.setup()
                    own.insert([NewRecord(kind="k")])
                return open_backend(url).stats()

            result = in_child(work)
        assert isinstance(result, Unavailable)
        assert "forked while its parent was in a call" in str(result)
        assert backend.stats().total == 1
    assert in_child(lambda: open_backend(url).stats().total) == 1


def test_wait_across_a_fork(tmp_path: Path) -> None:
    """A `wait` that is running during a fork reopens its connection, and returns at the next insert."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    with open_backend(url) as backend:
        backend.setup()
        found: list[bool] = []
        thread = Thread(target=lambda: found.append(backend.wait(["default"], timeout=timedelta(seconds=60))))
        thread.start()
        for _ in range(5):
            assert in_child(lambda: None) is None
        backend.insert([NewRecord(kind="k")])
        thread.join()
    assert found == [True]


def test_log_stays_while_a_child_writes(tmp_path: Path) -> None:
    """A parent that closes its last client does not remove the write-ahead log of a forked child."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    backend = open_backend(url)
    backend.setup()
    backend.stats()
    read_end, write_end = os.pipe()

    def work() -> int:
        with open_backend(url) as own:
            own.insert([NewRecord(kind="k")])
            os.read(read_end, 1)  # wait until the parent has closed its clients
            own.insert([NewRecord(kind="k")])
        return own is not None

    results: list[object] = []
    thread = Thread(target=lambda: results.append(in_child(work)))
    thread.start()
    while backend.stats().total == 0:
        pass
    backend.close()
    os.write(write_end, b"x")
    thread.join()
    assert results == [True]
    with open_backend(url) as again:
        assert again.stats().total == 2
