"""Whose file it is, and which schema it has."""

import sqlite3
import stat
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tallystick import BackendError, Filter, ForeignStore, NewRecord, NotSetUp, Unavailable
from tallystick_sqlite import SqliteBackend, schema


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
        if not file.name.endswith("-shm")
    }


def open_at(path: Path) -> list[Path]:
    """Return this process's descriptors of a file, where the system shows them."""
    shown = Path("/proc/self/fd")
    return [fd for fd in shown.iterdir() if fd.is_symlink() and fd.readlink() == path] if shown.exists() else []


def assert_refused_untouched(url: str, path: Path, error: type[BackendError]) -> None:
    before = fingerprint(path.parent)
    with SqliteBackend.from_url(url) as backend:
        for call in (backend.setup, backend.teardown, backend.queues):
            with pytest.raises(error, match=path.name) as refused:
                call()
            assert not open_at(path), f"held open while {refused} is"
    assert fingerprint(path.parent) == before


def test_a_database_without_our_mark_is_untouched(url: str, path: Path) -> None:
    """A database of another application is refused, and no byte of it changes."""
    execute(path, "CREATE TABLE t (x)")
    assert_refused_untouched(url, path, ForeignStore)


def test_a_database_with_another_mark_is_untouched(url: str, path: Path) -> None:
    """A database that another application has marked is refused, even with tables named like ours."""
    execute(path, "CREATE TABLE tallystick_jobs (x)", "PRAGMA application_id = 7")
    assert_refused_untouched(url, path, ForeignStore)


def test_a_foreign_log_is_not_recovered(url: str, path: Path) -> None:
    """A foreign database whose owner died is not recovered in passing: its log is left where it is."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE t (x)")
    wal = path.with_name(path.name + "-wal")
    main_bytes, wal_bytes = path.read_bytes(), wal.read_bytes()
    other.close()
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    path.write_bytes(main_bytes)
    wal.write_bytes(wal_bytes)
    assert_refused_untouched(url, path, ForeignStore)


@pytest.mark.parametrize("content", [b"hello", b"x" * 10_000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_what_is_not_a_database_is_untouched(url: str, path: Path, content: bytes) -> None:
    """A file of any other kind is refused, and no byte of it changes."""
    path.write_bytes(content)
    assert_refused_untouched(url, path, ForeignStore)


def test_an_empty_file_can_be_set_up(url: str, path: Path) -> None:
    """A file without a byte belongs to nobody, as those that tempfile makes."""
    path.touch()
    with SqliteBackend.from_url(url) as backend:
        with pytest.raises(NotSetUp, match="tallystick setup"):
            backend.queues()
        backend.setup()
        assert backend.queues() == []


def test_a_newer_schema_is_left_alone(url: str, path: Path, backend: SqliteBackend) -> None:
    """A store of a later version is refused with both versions named."""
    newer = len(schema.MIGRATIONS) + 1
    execute(path, f"PRAGMA user_version = {newer}")
    with SqliteBackend.from_url(url) as late:
        for call in (late.setup, late.queues):
            with pytest.raises(NotSetUp, match=rf"schema version {newer}.* up to {newer - 1}"):
                call()
    execute(path, f"PRAGMA user_version = {newer - 1}")
    assert backend.queues() == []


def test_an_unfinished_setup_is_not_used(url: str, path: Path, backend: SqliteBackend) -> None:
    """A store without its write-ahead log, as of a setup that was killed, is not used until setup ends."""
    backend.close()
    execute(path, "PRAGMA journal_mode = DELETE")
    with SqliteBackend.from_url(url) as late:
        with pytest.raises(NotSetUp, match="tallystick setup"):
            late.queues()
        late.setup()
        assert late.queues() == []


def test_without_setup(url: str, path: Path) -> None:
    """A store that is not there is an error that says what to do, and the attempt to use it creates nothing."""
    with SqliteBackend.from_url(url) as backend:
        with pytest.raises(NotSetUp, match="tallystick setup"):
            backend.insert([NewRecord(kind="k")])
        backend.teardown()
    assert not path.exists()


def test_no_directory(tmp_path: Path) -> None:
    """A file in a directory that is missing is unavailable; the directory is not made."""
    with SqliteBackend.from_url(f"sqlite:///{tmp_path}/missing/jobs.db") as backend:
        for call in (backend.setup, backend.queues):
            with pytest.raises(Unavailable, match=r"no directory .*missing"):
                call()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """A directory at the path is unavailable, with the path in the message."""
    with SqliteBackend.from_url(f"sqlite:///{tmp_path}") as backend:
        for call in (backend.setup, backend.queues):
            with pytest.raises(Unavailable, match=tmp_path.name):
                call()


def test_an_unreadable_file(url: str, path: Path, backend: SqliteBackend) -> None:
    """A file that may not be opened is unavailable, with the path in the message."""
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


def test_each_step_of_migration_leads_to_the_same_schema(
    path: Path, backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that was torn down, or set up by any earlier version, gets the schema of a new one from setup."""
    new = schema_of(path)
    backend.teardown()
    backend.setup()
    assert schema_of(path) == new
    for version in range(1, len(schema.MIGRATIONS)):
        older = path.with_name(f"{version}.db")
        with SqliteBackend.from_url(f"sqlite:///{older}") as late:
            with monkeypatch.context() as patch:
                patch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:version])
                late.setup()
            late.setup()
        assert schema_of(older) == new


def test_a_migration_that_fails_leaves_nothing(url: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setup that fails halfway is rolled back, and the next one starts afresh."""
    with SqliteBackend.from_url(url) as backend:
        with monkeypatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, "CREATE TABLE t (x);\nCREATE NONSENSE;\n"))
            with pytest.raises(Unavailable, match="NONSENSE"):
                backend.setup()
        assert schema_of(path) == []
        backend.setup()
        assert backend.queues() == []


def test_teardown_spares_the_tables_of_others(url: str, path: Path, backend: SqliteBackend) -> None:
    """An application may keep its own tables in a store's file: teardown leaves them, and setup can follow."""
    execute(path, "CREATE TABLE orders (id)", "INSERT INTO orders VALUES (1)")
    backend.insert([NewRecord(kind="k")])
    backend.teardown()
    assert [name for name, _ in schema_of(path)] == ["orders"]
    backend.setup()
    assert backend.list(Filter(), limit=9) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (1,)


def test_teardown_under_an_open_client(url: str, backend: SqliteBackend) -> None:
    """A client that was open during teardown gets an error that says so, and works again after setup."""
    backend.insert([NewRecord(kind="k")])
    with SqliteBackend.from_url(url) as other:
        other.teardown()
    for call in (lambda: backend.insert([NewRecord(kind="k")]), backend.stats):
        with pytest.raises(NotSetUp, match="tallystick setup"):
            call()
    backend.setup()
    backend.insert([NewRecord(kind="k")])
    assert backend.stats().total == 1


def test_a_file_that_is_just_being_written_is_looked_at_again(
    url: str, path: Path, backend: SqliteBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks torn without locks, since another process is setting it up, is not told as malformed at once."""
    backend.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    whole = path.read_bytes()
    path.write_bytes(whole[:100] + b"\xff" * 412 + whole[512:])

    monkeypatch.setattr(schema, "sleep", lambda _: path.write_bytes(whole))
    with SqliteBackend.from_url(url) as again:
        again.setup()
        assert again.stats().total == 0


def test_the_script_makes_the_store_that_setup_makes(backend: SqliteBackend, path: Path, tmp_path: Path) -> None:
    """Executed in a new file, it leaves the same tables, indexes and marks; setup finds nothing to do."""
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript(backend.script())
    looked = []
    for file in (path, other):
        with closing(sqlite3.connect(file)) as connection:
            looked.append(
                [
                    connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall(),
                    *(connection.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version")),
                    connection.execute("PRAGMA journal_mode").fetchone(),
                ]
            )
    assert looked[0] == looked[1]
    with SqliteBackend.from_url(f"sqlite:///{other}") as made:
        made.setup()
        assert made.stats().total == 0
