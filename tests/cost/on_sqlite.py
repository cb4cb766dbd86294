"""The counters of SQLite: statements by the trace of each connection, commits and pages in the write-ahead log."""

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from cost import plain_path
from cost.ledger import StoreCosts
from tallystick import open_backend

_LOG_HEADER, _FRAME_HEADER = 32, 24


def measure() -> StoreCosts:
    """Return the costs in a new file."""
    statements: list[str] = []
    with (
        TemporaryDirectory() as folder,
        patch("sqlite3.connect", _traced(statements)),
        open_backend(f"sqlite:///{folder}/jobs.db") as backend,
    ):
        backend.setup()

        def read() -> dict[str, int]:
            return {"statements": len(statements), **_logged(Path(folder) / "jobs.db-wal")}

        return plain_path.measure(backend, read)


def _traced(statements: list[str]) -> Any:
    """Return a `connect` whose connections report each statement, and never write the log back to the database."""
    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.set_trace_callback(statements.append)
        return connection

    return traced


def _logged(path: Path) -> dict[str, int]:
    """Count the frames of a write-ahead log: a frame is a page, and the last page of a commit is marked.

    Source: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
    """
    log = path.read_bytes()
    size = _FRAME_HEADER + int.from_bytes(log[8:12], "big")
    frames = range(_LOG_HEADER, len(log), size)
    return {"commits": sum(any(log[at + 4 : at + 8]) for at in frames), "pages_written": len(frames)}
