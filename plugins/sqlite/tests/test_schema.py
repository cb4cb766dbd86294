"""Ownership of the file, and versions of its schema."""

import sqlite3
import stat
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tallystick import BackendError, Filter, ForeignStore, NewRecord, NotSetUp, Unavailable
from tallystick_sqlite import SqliteBackend

NAMES_TAKEN = [
    "CREATE TABLE tallystick_jobs (x)",
    "CREATE TABLE Tallystick_Queues (x)",
    "CREATE TABLE tallystick_migrations (id, name)",
    "CREATE TABLE tallystick_migrations (version, mark)",
    "CREATE INDEX tallystick_waiting ON t (x)",
    "CREATE VIEW tallystick_leases AS SELECT x FROM t",
    "CREATE TRIGGER tallystick_finished AFTER INSERT ON t BEGIN SELECT 1; END",
]


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def schema_of(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def fingerprint(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        file.name: (sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in folder.iterdir()
        if not file.name.endswith("-shm") and not (file.name.endswith("-wal") and file.stat().st_size == 0)
    }


def open_at(path: Path) -> list[Path]:
    """Return this process's open file descriptors of a file, on systems that list them."""
    shown = Path("/proc/self/fd")
    return [fd for fd in shown.iterdir() if fd.is_symlink() and fd.readlink() == path] if shown.exists() else []


def assert_rejected_unchanged(url: str, path: Path, error: type[BackendError]) -> None:
    before = fingerprint(path.parent)
    with SqliteBackend.from_url(url) as backend:
        for call in (backend.setup, backend.teardown, backend.queues):
            with pytest.raises(error, match=path.name) as raised:
                call()
            assert not open_at(path), f"held open while {raised} is"
    assert fingerprint(path.parent) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize("statement", NAMES_TAKEN)
def test_names_of_others_are_unchanged(url: str, path: Path, statement: str, mode: str) -> None:
    """A table, index, view or trigger with a name of the store is rejected, and no byte of the file changes."""
    execute(path, f"PRAGMA journal_mode = {mode}", "CREATE TABLE t (x)", statement)
    assert_rejected_unchanged(url, path, ForeignStore)


def test_a_foreign_log_is_not_recovered(url: str, path: Path) -> None:
    """If a name is taken, the write-ahead log of a crashed program stays unchanged."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE tallystick_jobs (x)")
    wal = path.with_name(path.name + "-wal")
    main_bytes, wal_bytes = path.read_bytes(), wal.read_bytes()
    other.close()
    path.write_bytes(main_bytes)
    wal.write_bytes(wal_bytes)
    assert_rejected_unchanged(url, path, ForeignStore)


def test_a_journal_next_to_another_file_is_unchanged(url: str, path: Path) -> None:
    """A file that is not a database is rejected, and a file next to it that looks like its journal stays."""
    path.write_bytes(b"x" * 10_000)
    path.with_name(path.name + "-journal").write_bytes(b"y" * 10_000)
    assert_rejected_unchanged(url, path, ForeignStore)


@pytest.mark.parametrize("content", [b"hello", b"x" * 10_000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_other_files_are_unchanged(url: str, path: Path, content: bytes) -> None:
    """A file that is not a database is rejected, and no byte of it changes."""
    path.write_bytes(content)
    assert_rejected_unchanged(url, path, ForeignStore)


def test_an_empty_file_can_be_set_up(url: str, path: Path) -> None:
    """An empty file, as created by tempfile, can be set up."""
    path.touch()
    with SqliteBackend.from_url(url) as backend:
        with pytest.raises(NotSetUp, match="tallystick setup"):
            backend.queues()
        backend.setup()
        assert backend.queues() == []


def test_a_newer_schema_is_rejected(url: str, path: Path, backend: SqliteBackend) -> None:
    """A newer schema is rejected and unchanged, and the error names both versions."""
    newer = len(backend._queries.migrations) + 1
    backend.close()
    execute(path, backend._queries.add_migration)
    before = fingerprint(path.parent)
    with SqliteBackend.from_url(url) as late:
        for call in (late.setup, late.queues, late.teardown):
            with pytest.raises(NotSetUp, match=rf"schema version {newer}.* up to {newer - 1}"):
                call()
    assert fingerprint(path.parent) == before


def test_without_setup(url: str, path: Path) -> None:
    """Using a missing store raises an error that says what to do, and creates nothing."""
    with SqliteBackend.from_url(url) as backend:
        with pytest.raises(NotSetUp, match="tallystick setup"):
            backend.insert([NewRecord(kind="k")])
        backend.teardown()
    assert not path.exists()


def test_no_directory(tmp_path: Path) -> None:
    """A file in a missing directory is Unavailable, and the directory is not created."""
    with SqliteBackend.from_url(f"sqlite:///{tmp_path}/missing/jobs.db") as backend:
        for call in (backend.setup, backend.queues):
            with pytest.raises(Unavailable, match=r"no directory .*missing"):
                call()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """A directory in place of the file is Unavailable, and the error names the path."""
    with SqliteBackend.from_url(f"sqlite:///{tmp_path}") as backend:
        for call in (backend.setup, backend.queues):
            with pytest.raises(Unavailable, match=tmp_path.name):
                call()


def test_an_unreadable_file(url: str, path: Path, backend: SqliteBackend) -> None:
    """A file without read permission is Unavailable, and the error names the path."""
    backend.close()
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        with SqliteBackend.from_url(url) as late, pytest.raises(Unavailable, match=path.name):
            late.queues()
    else:
        pytest.skip("this user may read every file")
    finally:
        path.chmod(stat.S_IMODE(mode))


def test_setup_again_changes_nothing(path: Path, backend: SqliteBackend) -> None:
    """A second setup keeps every record and every table."""
    [inserted] = backend.insert([NewRecord(kind="k")])
    before = schema_of(path)
    backend.setup()
    assert schema_of(path) == before
    assert backend.list(Filter(), limit=9) == [inserted.record]


def test_each_step_of_migration_leads_to_the_same_schema(path: Path, backend: SqliteBackend) -> None:
    """Setup after a teardown, and setup of any earlier version, give the same schema as a new store."""
    new = schema_of(path)
    backend.teardown()
    backend.setup()
    assert schema_of(path) == new
    for version in range(1, len(backend._queries.migrations)):
        older = path.with_name(f"{version}.db")
        with SqliteBackend.from_url(f"sqlite:///{older}") as early:
            del early._queries.migrations[version:]
            early.setup()
        with SqliteBackend.from_url(f"sqlite:///{older}") as late:
            late.setup()
        assert schema_of(older) == new


def test_a_migration_that_fails_leaves_nothing(url: str, path: Path) -> None:
    """A setup that fails halfway is rolled back, and the next one starts afresh."""
    with SqliteBackend.from_url(url) as broken:
        broken._queries.migrations.append("CREATE TABLE t (x);\nCREATE NONSENSE;\n")
        with pytest.raises(Unavailable, match="NONSENSE"):
            broken.setup()
    assert schema_of(path) == []
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
        assert backend.queues() == []


def test_teardown_keeps_foreign_tables(url: str, path: Path, backend: SqliteBackend) -> None:
    """`teardown` keeps an application's tables in the file, and `setup` can follow."""
    execute(path, "CREATE TABLE orders (id)", "INSERT INTO orders VALUES (1)")
    backend.insert([NewRecord(kind="k")])
    backend.teardown()
    assert [name for name, _ in schema_of(path)] == ["orders"]
    backend.setup()
    assert backend.list(Filter(), limit=9) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (1,)


def test_teardown_under_an_open_client(url: str, backend: SqliteBackend) -> None:
    """After another client's teardown, an open client raises NotSetUp, and works again after a setup."""
    backend.insert([NewRecord(kind="k")])
    with SqliteBackend.from_url(url) as other:
        other.teardown()
    for call in (lambda: backend.insert([NewRecord(kind="k")]), backend.stats):
        with pytest.raises(NotSetUp, match="tallystick setup"):
            call()
    backend.setup()
    backend.insert([NewRecord(kind="k")])
    assert backend.stats().total == 1


@pytest.mark.parametrize("options", ["", "?journal_mode=wal&prefix=mail"])
def test_the_script_makes_the_store_that_setup_makes(path: Path, tmp_path: Path, options: str) -> None:
    """In a file that exists, the script does the same as `setup`, which then has nothing to do."""
    other = tmp_path / "other.db"
    for file in (path, other):
        execute(file, "CREATE TABLE orders (id)")
    with SqliteBackend.from_url(f"sqlite:///{path}{options}") as backend:
        backend.setup()
        with closing(sqlite3.connect(other)) as connection:
            connection.executescript(backend.script())
    assert dump_of(path) == dump_of(other)
    with SqliteBackend.from_url(f"sqlite:///{other}{options}") as another:
        another.setup()
        assert another.stats().total == 0
    assert dump_of(path) == dump_of(other)


def dump_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [*connection.execute("PRAGMA journal_mode").fetchone(), *connection.iterdump()]


def test_setup_leaves_the_file_open(path: Path) -> None:
    """After setup, the client has the file open, so the end of setup did not copy the log to the file."""
    log = path.with_name(f"{path.name}-wal")
    with SqliteBackend.from_url(f"sqlite:///{path}") as backend:
        backend.setup()
        assert log.exists()
    assert not log.exists()


def test_an_interrupted_setup_is_finished_by_the_next(tmp_path: Path) -> None:
    """A file that a setup switched to WAL, but gave no tables, is deleted by the teardown of its next store."""
    path = tmp_path / "jobs.db"
    execute(path, "PRAGMA journal_mode = WAL")
    with SqliteBackend.from_url(f"sqlite:///{path}") as backend:
        backend.setup()
        backend.teardown()
    assert not path.exists()


def test_an_interrupted_teardown_is_finished_by_the_next(tmp_path: Path) -> None:
    """A file that a teardown emptied, but did not delete, is deleted by the teardown of its next store."""
    path = tmp_path / "jobs.db"
    with SqliteBackend.from_url(f"sqlite:///{path}") as backend:
        backend.setup()
    with closing(sqlite3.connect(path)) as connection:
        for name in ("jobs", "payloads", "tags", "queues", "schedules", "workers", "meters", "migrations"):
            connection.execute(f"DROP TABLE IF EXISTS tallystick_{name}")
        connection.execute("PRAGMA journal_mode = DELETE")
    with SqliteBackend.from_url(f"sqlite:///{path}") as backend:
        backend.setup()
        backend.teardown()
    assert not path.exists()
