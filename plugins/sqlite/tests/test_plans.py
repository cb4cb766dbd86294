"""The cost of the statements: their plans and the steps of the virtual machine."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tallystick import Complete, Discard, Failure, Filter, NewRecord
from tallystick.backends import calls
from tallystick.backends.times import micros
from tallystick_sqlite import SqliteBackend, listing, matching, rows
from tallystick_sqlite.capabilities import CAPABILITIES
from tallystick_sqlite.queries import Queries, read_all

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

QUERIES = Queries("tallystick")

BY_INDEX = {
    QUERIES.get: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.extend: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.settle: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.cancel: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.requeue: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.delete: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.update: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.list: "sqlite_autoindex_tallystick_jobs_1 (id>? AND id<?)",
    QUERIES.list_by_other_id: "tallystick_other_ids (id<?)",
    QUERIES.list_by_error: "tallystick_errors (id<?)",
    QUERIES.list_by_error_type: "tallystick_error_types (error_type=? AND id<?)",
    QUERIES.list_by_unique_key: "tallystick_unique_keys (unique_key=? AND id<?)",
    QUERIES.list_failed_by_finished_at: "tallystick_failed (finished_at>? AND finished_at<?)",
    QUERIES.list_failed_by_run_at: "tallystick_retrying ((run_at,id)>(?,?))",
    QUERIES.list_by_run_at: "tallystick_waiting (queue=? AND priority=? AND (run_at,id)>(?,?))",
    QUERIES.duplicates: "tallystick_held_keys (held_key=?)",
    QUERIES.free_keys: "tallystick_held_keys (held_key=?)",
    QUERIES.add_payload: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.change_holders: "sqlite_autoindex_tallystick_jobs_1 (id=?)",
    QUERIES.rescue: "tallystick_leases (lease_until<?)",
    QUERIES.purge: "tallystick_finished (state=? AND finished_at>? AND finished_at<?)",
    QUERIES.schedule: "sqlite_autoindex_tallystick_schedules_1 (name=?)",
    QUERIES.due_schedules: "tallystick_schedules_due (next_tick>?)",
    QUERIES.advance_schedules: "sqlite_autoindex_tallystick_schedules_1 (name=?)",
    QUERIES.remove_meters: "PRIMARY KEY (minute<?)",
    QUERIES.next_due: "tallystick_waiting (queue=? AND priority=?)",
    QUERIES.claim: "tallystick_waiting (queue=? AND priority=? AND (run_at,id)>(?,?) AND run_at<?)",
}


@pytest.fixture
def connection(path: Path, backend: SqliteBackend) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def plan(connection: sqlite3.Connection, query: str) -> list[str]:
    parameters = dict.fromkeys(re.findall(r":(\w+)", query))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", parameters)]


def assert_by_index(connection: sqlite3.Connection) -> None:
    for query, index in BY_INDEX.items():
        steps = plan(connection, query)
        assert any(step.endswith(index) for step in steps), steps
        assert not [step for step in steps if "TEMP B-TREE" in step], steps
        assert not [step for step in steps if re.match(r"SCAN (tallystick_jobs|job)\b", step)], steps


def test_frequent_statements_use_an_index(connection: sqlite3.Connection) -> None:
    """Every frequent statement uses its index, without a table scan or a sort."""
    assert_by_index(connection)


def test_statistics_do_not_change_the_plans(connection: sqlite3.Connection, backend: SqliteBackend) -> None:
    """ANALYZE of a store with a single queue and state does not change the plans."""
    backend.insert([NewRecord(kind="k") for _ in range(2_000)])
    connection.execute("ANALYZE")
    connection.execute("ANALYZE sqlite_schema")
    assert_by_index(connection)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (QUERIES.list_by_finished_at, "tallystick_finished (state=? AND finished_at>? AND finished_at<?)"),
        (QUERIES.list_late_by_finished_at, "tallystick_late (finished_at>? AND finished_at<?)"),
    ],
    ids=["all", "late"],
)
def test_a_page_by_finished_at_sorts_equal_times_only(connection: sqlite3.Connection, query: str, index: str) -> None:
    """A page of finished records is read in the order of its index; only records of the same time are sorted."""
    found = plan(connection, query)
    assert any(step.endswith(index) for step in found)
    assert [step for step in found if "TEMP B-TREE" in step] == ["USE TEMP B-TREE FOR RIGHT PART OF ORDER BY"]


def test_waiting_jobs_are_found_by_their_index(connection: sqlite3.Connection) -> None:
    """A page of pending jobs by id reads the index of waiting jobs, and then looks up the page."""
    found = [step for step in plan(connection, QUERIES.list_waiting) if re.search(r"tallystick_jobs|job\b", step)]
    assert found == [
        "SCAN tallystick_jobs USING INDEX tallystick_waiting",
        "SEARCH job USING INTEGER PRIMARY KEY (rowid=?)",
    ]


def test_candidates_are_counted_by_the_indexes_alone(connection: sqlite3.Connection) -> None:
    """Counting candidates looks no record up in the table."""
    indexes = "waiting|leases|retrying|finished|errors|error_types|unique_keys|other_ids|backwards"
    found = [step for step in plan(connection, QUERIES.count_candidates) if re.search(r"tallystick_jobs|job\b", step)]
    assert len(found) == 12
    assert "SEARCH tallystick_jobs USING INDEX tallystick_waiting (queue=?)" in found
    by_id = r"COVERING INDEX sqlite_autoindex_tallystick_jobs_1"
    assert all(re.search(rf"INDEX tallystick_({indexes})\b|{by_id}", step) for step in found), found


@pytest.mark.parametrize(
    "fields", [{"tags": ["t"], "states": ["running"]}, {"queues": ["q"], "states": ["pending"]}], ids=str
)
def test_a_count_costs_the_same_among_many_jobs(
    connection: sqlite3.Connection, backend: SqliteBackend, fields: dict[str, Any]
) -> None:
    """A count reads no job in another state than the rare one of its filter, and none in another queue."""

    def cost() -> int:
        counted = 0

        def count() -> int:
            nonlocal counted
            counted += 1
            return 0

        connection.set_progress_handler(count, 1)
        assert listing.count(connection, QUERIES, call) == 0
        connection.set_progress_handler(None, 1)
        return counted

    call = calls.count(Filter(**fields), CAPABILITIES, at_most=100)
    cost()
    before = cost()
    backend.insert([NewRecord(kind="k", tags=("t",), queue=f"q{n}") for n in range(2_000)])
    assert cost() == before


def test_an_error_text_is_searched_in_the_index(connection: sqlite3.Connection, backend: SqliteBackend) -> None:
    """A search for text reads the table only for the errors that contain it."""
    backend.insert([NewRecord(kind="k") for _ in range(200)])
    claimed = backend.claim(["default"], limit=200, worker="w", lease=HOUR)
    errors = [Failure("E", "rare" if n == 7 else "common", "t" * 9_000) for n in range(200)]
    backend.settle([Discard(job.claim, error) for job, error in zip(claimed, errors, strict=True)])
    for query in (QUERIES.list_by_error, QUERIES.list_failed_by_finished_at):
        assert looked_up(connection, query, Filter(error_text="rare")) == 1


def looked_up(connection: sqlite3.Connection, query: str, filter: Filter) -> int:
    """Return how often a statement reads the state of a record, which no index of errors has."""
    asked = {**matching.parameters(filter), "below": b"\xff" * 17, "after": b"\xff" * 17, "after_time": 2**60}
    query = query.replace("state IN (SELECT value FROM json_each(:states))", "seen(state)")
    read: list[str] = []

    def seen(state: str) -> bool:
        read.append(state)
        return True

    connection.create_function("seen", 1, seen)
    connection.execute(query, {**asked, "finals": '["discarded"]'}).fetchall()
    return len(read)


def test_optional_indexes_are_used(url: str) -> None:
    """With the optional indexes, a page and a count of a rare kind, queue or worker read its records only."""
    with SqliteBackend.from_url(f"{url}?search=true") as backend, closing(sqlite3.connect(Path(url[10:]))) as reader:
        backend.setup()
        assert [step for step in plan(reader, QUERIES.count_candidates_searched) if "INDEX tallystick" in step] == [
            f"SEARCH tallystick_jobs USING COVERING INDEX tallystick_search_{name}s ({name}=?)"
            for name in ("kind", "queue", "worker")
        ]


def steps(connection: sqlite3.Connection, query: str, queues: Sequence[str], limit: int) -> int:
    """Count the virtual machine's steps of a statement, and roll it back."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    names = rows.json_list(queues)
    times = {"now": micros(NOW), "until": micros(NOW + HOUR)}
    parameters = {"queues": names, "limit": limit, "worker": "w", **times}
    connection.execute(query, {**parameters, "queues": "[]"}).fetchall()  # load the schema before counting
    connection.execute("BEGIN IMMEDIATE")
    connection.set_progress_handler(count, 1)
    found = connection.execute(query, parameters).fetchall()
    connection.set_progress_handler(None, 1)
    connection.execute("ROLLBACK")
    assert query != QUERIES.claim or len(found) == limit
    return counted


@pytest.mark.parametrize("query", [QUERIES.claim, QUERIES.next_due], ids=["claim", "next_due"])
def test_claiming_costs_the_same_in_a_full_store(
    connection: sqlite3.Connection, backend: SqliteBackend, query: str
) -> None:
    """The cost of a claim does not grow with backlog, future jobs, finished jobs and other queues."""

    def fill(count: int) -> None:
        backend.insert([NewRecord(kind="k", queue=f"other{i}") for i in range(count)], now=NOW)
        backend.insert([NewRecord(kind="k", queue="done") for _ in range(count)], now=NOW)
        claimed = backend.claim(["done"], limit=count, worker="w", lease=HOUR, now=NOW)
        backend.settle([Complete(record.claim) for record in claimed], now=NOW)
        backend.insert([NewRecord(kind="k", priority=9, run_at=NOW + HOUR) for _ in range(count)], now=NOW)
        backend.insert([NewRecord(kind="k") for _ in range(count)], now=NOW)

    fill(50)
    before = steps(connection, query, ["default"], 10)
    fill(5_000)
    assert steps(connection, query, ["default"], 10) <= before * 1.1


def test_waiting_for_future_jobs_only_costs_the_same(connection: sqlite3.Connection, backend: SqliteBackend) -> None:
    """Finding that no job is due costs the same with many future jobs."""
    backend.insert([NewRecord(kind="k", run_at=NOW + HOUR)], now=NOW)
    before = steps(connection, QUERIES.next_due, ["default"], 1)
    backend.insert([NewRecord(kind="k", run_at=NOW + HOUR) for _ in range(5_000)], now=NOW)
    assert steps(connection, QUERIES.next_due, ["default"], 1) == before


def test_every_statement_documents_its_effect() -> None:
    """Each .sql file begins with its effect, and each statement states its locks and its index too."""
    for name, text in {**read_all("queries"), **read_all("migrations")}.items():
        assert text.startswith("-- Effect: "), name
    for name, text in read_all("queries").items():
        assert "-- Locks: " in text, name
        assert "Index: " in text, name
