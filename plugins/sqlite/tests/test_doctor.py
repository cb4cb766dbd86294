"""Each finding of the doctor, made to happen."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tallystick import Finding, NewRecord, Severity
from tallystick_sqlite import SqliteBackend, doctor


def found(backend: SqliteBackend, name: str) -> Finding:
    return next(finding for finding in backend.diagnose() if finding.name == name)


def test_a_healthy_file(backend: SqliteBackend) -> None:
    """Everything is ok, and there is nothing to do."""
    findings = backend.diagnose()
    assert [finding.name for finding in findings] == [
        "schema version",
        "journal mode",
        "synchronous",
        "integrity",
        "file size",
    ]
    assert {(finding.severity, finding.advice) for finding in findings} == {(Severity.OK, "")}


def test_not_set_up(url: str, path: Path) -> None:
    """No file, and one without the write-ahead log, are faults; neither is touched."""
    with SqliteBackend.from_url(url) as backend:
        [finding] = backend.diagnose()
        assert (finding.name, finding.severity) == ("schema version", Severity.FAULT)
        assert "tallystick setup" in finding.advice
        assert not path.exists()
        backend.setup()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        [finding] = backend.diagnose()
        assert finding.severity is Severity.FAULT


def test_a_damaged_file(backend: SqliteBackend, path: Path) -> None:
    """A page that was overwritten is a fault, as quick_check tells."""
    backend.insert([NewRecord(kind="k", payload=bytes(3000)) for _ in range(200)])
    backend.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[-40_000:-20_000] = b"\xff" * 20_000
    path.write_bytes(content)
    with SqliteBackend.from_url(f"sqlite:///{path}") as other:
        assert found(other, "integrity").severity is Severity.FAULT


def test_no_wait_for_the_disk(backend: SqliteBackend, url: str) -> None:
    """synchronous=NORMAL is a warning."""
    with SqliteBackend.from_url(f"{url}?synchronous=NORMAL") as other:
        assert found(other, "synchronous").severity is Severity.WARNING


def test_much_free_space(backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is mostly free pages is a warning, with the way to give them back."""
    monkeypatch.setattr(doctor, "MUCH_FREE", 100_000)
    backend.insert([NewRecord(kind="k", payload=bytes(3000)) for _ in range(200)])
    assert found(backend, "file size").severity is Severity.OK
    with closing(sqlite3.connect(backend._location.path)) as connection, connection:
        connection.execute("DELETE FROM tallystick_jobs")
    finding = found(backend, "file size")
    assert (finding.severity, "VACUUM" in finding.advice) == (Severity.WARNING, True)
