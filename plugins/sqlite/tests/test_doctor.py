"""Each finding of the doctor, provoked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tallystick import Finding, NewRecord, Severity
from tallystick_sqlite import SqliteBackend, doctor


def found(backend: SqliteBackend, name: str) -> Finding:
    return next(finding for finding in backend.diagnose() if finding.name == name)


def test_a_healthy_file(backend: SqliteBackend) -> None:
    """A healthy file has only findings that are OK, without advice."""
    findings = backend.diagnose()
    assert [finding.name for finding in findings] == [
        "schema version",
        "journal mode",
        "synchronous",
        "search indexes",
        "integrity",
        "file size",
    ]
    assert {(finding.severity, finding.advice) for finding in findings} == {(Severity.OK, "")}


def test_not_set_up(url: str, path: Path) -> None:
    """A missing file, and one without our tables, are faults, and neither is changed."""
    with SqliteBackend.from_url(url) as backend:
        [finding] = backend.diagnose()
        assert (finding.name, finding.severity) == ("schema version", Severity.FAULT)
        assert "tallystick setup" in finding.advice
        assert not path.exists()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE orders (id)")
        before = path.read_bytes()
        [finding] = backend.diagnose()
        assert finding.severity is Severity.FAULT
        assert path.read_bytes() == before


def test_no_write_ahead_log(url: str) -> None:
    """A file without a write-ahead log is a warning, and its advice is the statement and the option that change it."""
    with SqliteBackend.from_url(f"{url}?journal_mode=delete") as backend:
        backend.setup()
        finding = found(backend, "journal mode")
        assert (finding.severity, finding.found) == (Severity.WARNING, "delete")
        assert "PRAGMA journal_mode = WAL" in finding.advice
        assert "journal_mode=wal" in finding.advice
        assert found(backend, "synchronous").severity is Severity.OK
    with SqliteBackend.from_url(f"{url}?synchronous=FULL") as backend:
        assert found(backend, "synchronous").severity is Severity.WARNING
    with SqliteBackend.from_url(f"{url}?journal_mode=wal") as backend:
        backend.setup()
        assert found(backend, "journal mode").severity is Severity.OK


def test_a_damaged_file(backend: SqliteBackend, path: Path) -> None:
    """An overwritten page is a fault, found by quick_check."""
    backend.insert([NewRecord(kind="k", payload=bytes(3000)) for _ in range(200)])
    backend.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[-40_000:-20_000] = b"\xff" * 20_000
    path.write_bytes(content)
    with SqliteBackend.from_url(f"sqlite:///{path}") as other:
        assert found(other, "integrity").severity is Severity.FAULT


def test_synchronous_normal(backend: SqliteBackend, url: str) -> None:
    """synchronous=NORMAL is a warning."""
    with SqliteBackend.from_url(f"{url}?synchronous=NORMAL") as other:
        assert found(other, "synchronous").severity is Severity.WARNING


def test_much_free_space(backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of mostly free pages is a warning, and its advice mentions VACUUM."""
    monkeypatch.setattr(doctor, "MUCH_FREE", 100_000)
    backend.insert([NewRecord(kind="k", payload=bytes(3000)) for _ in range(200)])
    assert found(backend, "file size").severity is Severity.OK
    with closing(sqlite3.connect(backend._location.path)) as connection, connection:
        connection.execute("DELETE FROM tallystick_jobs")
    finding = found(backend, "file size")
    assert (finding.severity, "VACUUM" in finding.advice) == (Severity.WARNING, True)


def test_search_indexes(url: str, path: Path) -> None:
    """The doctor reports whether the optional indexes exist; some of them are a warning."""
    with SqliteBackend.from_url(f"{url}?search=true") as backend:
        backend.setup()
        assert found(backend, "search indexes").found == "all exist, with the ledger of counts"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP INDEX tallystick_search_kinds")
        finding = found(backend, "search indexes")
        assert (finding.severity, finding.found) == (Severity.WARNING, "3 of 4 exist, and none is used")
        backend.setup()
        assert found(backend, "search indexes").severity is Severity.OK
