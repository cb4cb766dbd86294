"""A store in the application's own database file."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from support import in_child
from tallystick import ConfigurationError, Filter, ForeignStore, NewRecord, NotSetUp, Unavailable
from tallystick_sqlite import SqliteBackend

HEADER = {"page_size": 8192, "application_id": 7, "user_version": 3}

ORDERS = [(1, "tea"), (2, "coffee")]

SETS_UP = """
import sys
from tallystick_sqlite import SqliteBackend

sys.stdin.readline()
with SqliteBackend.from_url(sys.argv[1]) as backend:
    backend.setup()
    print(backend.queues())
"""

ORDERS_AND_ENQUEUES = """
import sqlite3
import sys
from tallystick import NewRecord
from tallystick_sqlite import SqliteBackend

path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
connection = sqlite3.connect(path, isolation_level=None, timeout=600)
sys.stdin.readline()
with SqliteBackend.from_url(f"sqlite:///{path}?busy_timeout=600") as backend:
    for number in range(first, first + count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO orders VALUES (?, 'milk')", [number])
        backend.insert([NewRecord(kind="ship", payload=str(number).encode())], transaction=connection)
        connection.execute("ROLLBACK" if number % 3 == 0 else "COMMIT")
connection.close()
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def go(programs: list[subprocess.Popen[str]]) -> list[tuple[str, str]]:
    """Let programs that wait for a line continue at the same time; return the output and the errors of each."""
    for program in programs:
        assert program.stdin is not None
        program.stdin.write("go\n")
        program.stdin.flush()
    return [program.communicate() for program in programs]


def execute(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [row for statement in statements for row in connection.execute(statement).fetchall()]


def is_killed_in_setup(url: str, statements: int) -> bool:
    """Set up in a forked process that dies after so many statements; return False if it needed no more."""
    connect, left = sqlite3.connect, count(statements, -1)

    def die(_: str) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def traced(*args: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)
        connection.set_trace_callback(die)
        return connection

    def set_up() -> None:
        with patch.object(sqlite3, "connect", traced), SqliteBackend.from_url(url) as backend:
            backend.setup()

    try:
        assert in_child(set_up) is None
    except EOFError:  # the child died before it could return
        return True
    return False


def assert_untouched(path: Path, mode: str) -> None:
    """Require that the application's header, tables and rows are as `application` created them."""
    assert execute(path, "SELECT * FROM orders") == ORDERS
    assert execute(path, *(f"PRAGMA {name}" for name in HEADER)) == [(value,) for value in HEADER.values()]
    assert execute(path, "PRAGMA journal_mode", "PRAGMA integrity_check") == [(mode,), ("ok",)]


def names(path: Path) -> set[str]:
    return {name for (name,) in execute(path, "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'")}


@pytest.fixture(params=["delete", "wal"])
def mode(request: pytest.FixtureRequest) -> str:
    """The journal mode of the application's file."""
    return str(request.param)


@pytest.fixture
def application(path: Path, mode: str) -> Path:
    """The file of an application, with a table and a header of its own."""
    execute(path, *(f"PRAGMA {name} = {value}" for name, value in HEADER.items()), f"PRAGMA journal_mode = {mode}")
    execute(path, "CREATE TABLE orders (number INTEGER PRIMARY KEY, item TEXT)")
    execute(path, "INSERT INTO orders VALUES (1, 'tea'), (2, 'coffee')")
    return path


@pytest.fixture
def shared(url: str, application: Path) -> Iterator[SqliteBackend]:
    """A store in the application's file."""
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
        yield backend


def test_setup_and_teardown_leave_the_application_alone(shared: SqliteBackend, path: Path, mode: str) -> None:
    """`setup` only adds our tables, and `teardown` only removes them; the header and the journal mode stay."""
    assert_untouched(path, mode)
    shared.insert([NewRecord(kind="k")])
    assert shared.stats().total == 1
    shared.teardown()
    shared.teardown()
    assert_untouched(path, mode)
    assert names(path) == {"orders"}


def test_a_file_that_setup_did_not_create_stays(shared: SqliteBackend, path: Path) -> None:
    """`teardown` does not delete a file that `setup` did not create, even if nothing else is in it."""
    execute(path, "DROP TABLE orders")
    shared.teardown()
    assert names(path) == set()
    assert execute(path, "PRAGMA user_version") == [(3,)]


def test_a_file_without_tables_keeps_its_mode(url: str, path: Path, mode: str) -> None:
    """A database without tables is not a new file: it keeps its journal mode, and `teardown` does not delete it."""
    execute(path, f"PRAGMA journal_mode = {mode}", "PRAGMA user_version = 3")
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
        assert execute(path, "PRAGMA journal_mode") == [(mode,)]
        backend.teardown()
    assert execute(path, "PRAGMA user_version") == [(3,)]


@pytest.mark.parametrize("asked", ["delete", "wal"])
def test_the_url_may_choose_the_journal_mode(url: str, path: Path, application: Path, asked: str) -> None:
    """With `journal_mode`, `setup` switches the file, and changes nothing else of it."""
    with SqliteBackend.from_url(f"{url}?journal_mode={asked}") as backend:
        backend.setup()
        assert backend.queues() == []
    assert_untouched(path, asked)


def test_a_new_file_may_be_without_a_log(url: str, path: Path) -> None:
    """With `journal_mode=delete`, a new file has no write-ahead log."""
    with SqliteBackend.from_url(f"{url}?journal_mode=delete") as backend:
        backend.setup()
        backend.insert([NewRecord(kind="k")])
        assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_two_prefixes_are_two_stores(url: str, path: Path, application: Path, mode: str) -> None:
    """Two stores with different prefixes in one file share no job, and each can be removed alone."""
    with (
        SqliteBackend.from_url(f"{url}?prefix=mail") as mail,
        SqliteBackend.from_url(f"{url}?prefix=mail_jobs") as other,
        SqliteBackend.from_url(url) as absent,
    ):
        mail.setup()
        other.setup()
        new = NewRecord(kind="k", queue="q", unique_key="key")
        assert mail.insert([new])[0].created
        assert other.queues() == []
        assert other.insert([new])[0].created
        other.pause("q")
        assert [queue.paused for queue in mail.queues()] == [False]
        other.teardown()
        assert mail.stats().total == 1
        for left in (other, absent):
            with pytest.raises(NotSetUp, match="tallystick setup"):
                left.stats()
    assert_untouched(path, mode)


def test_teardown_by_another_client_with_a_prefix(url: str, application: Path) -> None:
    """After another client's teardown, an open client with a prefix raises NotSetUp, and works again after a setup."""
    with SqliteBackend.from_url(f"{url}?prefix=mail") as mail, SqliteBackend.from_url(f"{url}?prefix=mail") as other:
        mail.setup()
        mail.insert([NewRecord(kind="k")])
        other.teardown()
        for call in (lambda: mail.insert([NewRecord(kind="k")]), mail.stats):
            with pytest.raises(NotSetUp, match="mail_"):
                call()
        other.setup()
        assert mail.stats().total == 0


def test_another_prefix_avoids_taken_names(url: str, path: Path, application: Path) -> None:
    """If an application has a table of our name, the error suggests a prefix, and with a prefix there is a store."""
    execute(path, "CREATE TABLE tallystick_queues (x)")
    with SqliteBackend.from_url(url) as backend, pytest.raises(ForeignStore, match=r"tallystick_queues.*\?prefix="):
        backend.setup()
    with SqliteBackend.from_url(f"{url}?prefix=mail") as backend:
        backend.setup()
        assert backend.queues() == []


def test_every_name_of_the_store_is_checked(shared: SqliteBackend, path: Path) -> None:
    """`taken_names` finds every table and index that `setup` creates."""
    assert {name for (name,) in execute(path, shared._queries.taken_names)} == names(path) - {"orders"}


@pytest.mark.parametrize(
    "prefix", ["", "a" * 33, "1a", "_a", "A", "a-b", "a b", "a'b", "sqlite", "sqlite_a", "ä", "a%0A"]
)
def test_invalid_prefixes_are_rejected(url: str, prefix: str) -> None:
    """A prefix is a short identifier in lower case, and not one that SQLite reserves."""
    with pytest.raises(ConfigurationError, match="1 to 32 characters"):
        SqliteBackend.from_url(f"{url}?prefix={prefix}")


@pytest.mark.parametrize("prefix", ["a", "a" * 32, "jobs", "sqlite3", "sqlitex_1", "select"])
def test_valid_prefixes_work(url: str, prefix: str) -> None:
    """Any other prefix works, even a keyword of SQL."""
    with SqliteBackend.from_url(f"{url}?prefix={prefix}") as backend:
        backend.setup()
        assert backend.insert([NewRecord(kind="k")])[0].created


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_setup_while_the_application_writes(url: str, path: Path, application: Path, mode: str, begin: str) -> None:
    """While the application writes, `setup` waits for busy_timeout, and then raises Unavailable."""
    with (
        SqliteBackend.from_url(f"{url}?busy_timeout=0.01") as backend,
        closing(sqlite3.connect(path, isolation_level=None)) as connection,
    ):
        connection.execute(begin)
        with pytest.raises(Unavailable, match="busy_timeout"):
            backend.setup()
        connection.rollback()
        assert names(path) == {"orders"}
        backend.setup()
        assert backend.queues() == []
    assert_untouched(path, mode)


def test_setup_of_a_read_only_file(url: str, path: Path, application: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`setup` in a file that cannot be written raises Unavailable, which names the file."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **options: connect(file.partition("?")[0] + "?mode=ro", **options)
    )
    with SqliteBackend.from_url(url) as backend, pytest.raises(Unavailable, match=rf"{path.name} cannot be written"):
        backend.setup()
    monkeypatch.undo()
    assert names(path) == {"orders"}


def test_eight_setups_at_once(url: str, path: Path, application: Path, mode: str) -> None:
    """Eight processes that set up at the same moment create one store, and the application's data stays whole."""
    programs = [start(SETS_UP, url) for _ in range(8)]
    assert go(programs) == [("[]\n", "")] * 8
    assert_untouched(path, mode)


def test_a_setup_that_is_killed_leaves_the_application_whole(
    url: str, path: Path, application: Path, mode: str
) -> None:
    """Wherever a setup is killed, the application's data is whole, and the next setup succeeds."""
    content = path.read_bytes()
    killed = 0
    while is_killed_in_setup(url, killed):
        assert_untouched(path, mode)
        with SqliteBackend.from_url(url) as backend:
            backend.setup()
            assert backend.queues() == []
            backend.teardown()
        path.write_bytes(content)
        killed += 1
    assert killed > 15
    assert names(path) > {"orders", "tallystick_jobs"}


def test_setup_recovers_a_crashed_transaction_of_the_application(url: str, path: Path, application: Path) -> None:
    """If the application died in a transaction, `setup` rolls it back, as every client of SQLite does."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE orders SET item = 'lost'")
    connection.executemany("INSERT INTO orders (item) VALUES (?)", [("x" * 9_000,)] * 50)
    files = {file: file.read_bytes() for file in path.parent.iterdir() if not file.name.endswith("-shm")}
    connection.close()
    for file, content in files.items():
        file.write_bytes(content)
    with SqliteBackend.from_url(url) as backend:
        backend.setup()
        assert backend.queues() == []
    assert execute(path, "SELECT * FROM orders") == ORDERS


def test_a_job_is_stored_with_the_applications_rows(shared: SqliteBackend, path: Path) -> None:
    """A job in the application's own transaction is stored if the transaction commits, and only then."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for end in ("COMMIT", "ROLLBACK"):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO orders (item) VALUES ('milk')")
            shared.insert([NewRecord(kind="ship")], transaction=connection)
            connection.execute(end)
    assert execute(path, "SELECT count(*) FROM orders") == [(3,)]
    assert [record.kind for record in shared.list(Filter(), limit=9)] == ["ship"]


def test_two_processes_enqueue_with_their_rows(shared: SqliteBackend, path: Path) -> None:
    """Two processes commit and roll back rows with jobs: each committed row has its job, and no other."""
    programs = [start(ORDERS_AND_ENQUEUES, path, first, 30) for first in (1_000, 2_000)]
    assert go(programs) == [("", "")] * 2
    stored = {int(record.payload) for record in shared.list(Filter(), limit=99)}
    ordered = {number for (number,) in execute(path, "SELECT number FROM orders WHERE item = 'milk'")}
    assert stored == ordered == {n for first in (1_000, 2_000) for n in range(first, first + 30) if n % 3}


def test_the_callers_other_databases_are_not_the_store(path: Path, url: str, backend: SqliteBackend) -> None:
    """Tables of the same names in an attached database are not mistaken for the store of the main one."""
    other = path.with_name("other.db")
    execute(other, "CREATE TABLE t (x)")
    with (
        SqliteBackend.from_url(f"sqlite:///{other}") as absent,
        closing(sqlite3.connect(other, isolation_level=None)) as connection,
    ):
        connection.execute("ATTACH ? AS attached", [str(path)])
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(NotSetUp):
            absent.insert([NewRecord(kind="k")], transaction=connection)


def test_a_forked_child_uses_the_applications_file(shared: SqliteBackend, url: str, path: Path, mode: str) -> None:
    """A forked child opens the same store, and the parent sees its job."""
    shared.insert([NewRecord(kind="parent")])

    def insert() -> bool:
        with SqliteBackend.from_url(url) as own:
            return own.insert([NewRecord(kind="child")])[0].created

    assert in_child(insert) is True
    assert [record.kind for record in shared.list(Filter(), limit=9)] == ["child", "parent"]
    assert_untouched(path, mode)
