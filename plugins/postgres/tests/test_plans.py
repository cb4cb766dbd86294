"""The cost of the statements: their plans, and the pages and rows that they touch."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from tallystick import Claim, Complete, Discard, Failure, Filter, NewRecord, NewSchedule, Order, Progress, State
from tallystick.backends import calls
from tallystick_postgres import PostgresBackend, listing, matching, settling
from tallystick_postgres.capabilities import CAPABILITIES
from tallystick_postgres.location import Location
from tallystick_postgres.queries import Queries
from tallystick_postgres.rows import Row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMIT = 10
BATCH = 200
CLAIM = {"limit": LIMIT, "worker": "w", "lease": HOUR, "now": NOW, "look": LIMIT, "taken": []}
NO_FILTER = matching.parameters(Filter())
PURGE = {"states": ["completed"], "since": None, "before": NOW, "kinds": None, "except_kinds": [], "limit": 100}


@pytest.fixture
def queries(url: str) -> Queries:
    return Location.parse(url).queries


def explain(connection: psycopg.Connection, query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a statement, roll it back, and return its plan with the actual numbers."""
    with connection.transaction(force_rollback=True):
        found = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {query}", parameters).fetchone()
    assert found is not None
    plan: dict[str, Any] = found[0][0]["Plan"]
    return plan


def explain_function(connection: psycopg.Connection, query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Execute a statement that calls a function, roll it back, and return the plan of the statement in the function."""
    messages: list[str] = []

    def keep(diagnostic: psycopg.errors.Diagnostic) -> None:
        messages.append(diagnostic.message_primary or "")

    connection.add_notice_handler(keep)
    connection.execute("LOAD 'auto_explain'")
    with connection.transaction(force_rollback=True):
        for setting in ("min_duration = 0", "analyze = on", "buffers = on", "format = json", "nested_statements = on"):
            connection.execute(f"SET LOCAL auto_explain.log_{setting}")
        connection.execute("SET LOCAL client_min_messages = log")
        connection.execute(query, parameters)
    connection.remove_notice_handler(keep)
    [found] = [message for message in messages if '"Plan"' in message and "WITH RECURSIVE" in message]
    plan: dict[str, Any] = json.loads(found.partition("plan:")[2])["Plan"]
    return plan


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def pages(plan: Mapping[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def scans(plan: Mapping[str, Any]) -> set[str]:
    """Return the tables that a plan scans sequentially."""
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}


def sorted_rows(plan: Mapping[str, Any]) -> int:
    return max([node["Actual Rows"] for node in nodes(plan) if node["Node Type"] == "Sort"], default=0)


def fill(backend: PostgresBackend, count: int) -> None:
    """Insert a backlog, future jobs of higher priority, other queues, and finished jobs."""
    backend.insert([NewRecord(kind="k", queue=f"other{n}") for n in range(count)], now=NOW)
    backend.insert([NewRecord(kind="k", queue="done") for _ in range(count)], now=NOW)
    claimed = backend.claim(["done"], limit=count, worker="w", lease=HOUR, now=NOW)
    backend.settle([Complete(record.claim) for record in claimed], now=NOW)
    backend.insert([NewRecord(kind="k", priority=9, run_at=NOW + HOUR) for _ in range(count)], now=NOW)
    backend.insert([NewRecord(kind="k") for _ in range(count)], now=NOW)


@pytest.mark.parametrize("analyzed", [False, True], ids=["never analyzed", "analyzed"])
def test_a_claim_costs_the_same_in_a_full_store(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries, schema: str, analyzed: bool
) -> None:
    """Backlog, future jobs, history and other queues do not make a claim more expensive; it scans and sorts nothing."""
    parameters = {**CLAIM, "queues": ["default"]}
    fill(backend, 50)
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    before = pages(explain_function(connection, queries.claim, parameters))
    fill(backend, 5_000)
    if analyzed:
        connection.execute(f'ANALYZE "{schema}".jobs')
    plan = explain_function(connection, queries.claim, parameters)
    assert pages(plan) <= before * 2
    assert scans(plan) == set()
    assert sorted_rows(plan) <= LIMIT


def test_queues_cost_an_index_search_each(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries
) -> None:
    """A claim from fifty queues reads at most `limit` jobs of each."""
    backend.insert([NewRecord(kind="k", queue=f"q{n % 50}") for n in range(10_000)], now=NOW)
    names = [f"q{n}" for n in range(50)]
    plan = explain_function(connection, queries.claim, {**CLAIM, "queues": names})
    assert "jobs" not in scans(plan)
    assert max(node["Actual Rows"] for node in nodes(plan)) <= 50 * LIMIT


def test_waiting_costs_the_same_among_future_jobs(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries
) -> None:
    """Finding that no job is due costs the same with many future jobs."""
    backend.insert([NewRecord(kind="k", run_at=NOW + HOUR) for _ in range(1_000)], now=NOW)
    before = pages(explain_function(connection, queries.next_due, {"queues": ["default"]}))
    backend.insert([NewRecord(kind="k", run_at=NOW + HOUR) for _ in range(20_000)], now=NOW)
    plan = explain_function(connection, queries.next_due, {"queues": ["default"]})
    assert scans(plan) == set()
    assert pages(plan) <= before + 5


def claims(backend: PostgresBackend, count: int) -> Sequence[Claim]:
    return [record.claim for record in backend.claim(["default"], limit=count, worker="w", lease=HOUR, now=NOW)]


def test_batches_use_an_index(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries, schema: str
) -> None:
    """Statements for a batch of jobs find them by index, without a sequential scan."""
    fill(backend, 5_000)
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    held = claims(backend, 500)
    both = {"ids": [claim.id for claim in held], "attempts": [claim.attempt for claim in held]}
    new = {"payload": [b""] * len(held), "tags": ["{}"] * len(held), "run_at": [NOW] * len(held)}
    ended = {**settling.columns([Complete(claim) for claim in held]), "now": NOW}
    for query, parameters in (
        (queries.extend, {**both, "lease": HOUR, "now": NOW}),
        (queries.settle, ended),
        (queries.get, both),
        (queries.duplicates, {"ids": both["ids"], "keys": ["a", "b"], "now": NOW}),
        (queries.lock_holders, {"keys": ["a", "b"]}),
        (queries.free_keys, {"keys": ["a", "b"], "now": NOW}),
        (queries.change_holders, {**both, **new, "meta": None, "now": NOW}),
        (queries.rescue, {"limit": 100, "now": NOW, "error": "{}", "error_type": "E"}),
        (queries.purge, PURGE),
        (queries.list, {**NO_FILTER, "after": None, "limit": 50}),
        (queries.list, {**NO_FILTER, "after": uuid4(), "limit": 50}),
        (queries.list, {**NO_FILTER, "states": ["running"], "after": None, "limit": 50}),
        (queries.cancel, {**NO_FILTER, "ids": both["ids"], "limit": 50, "now": NOW}),
        (queries.requeue, {**NO_FILTER, "ids": both["ids"], "limit": 50, "now": NOW}),
        (queries.delete, {**NO_FILTER, "ids": both["ids"], "limit": 50}),
    ):
        assert scans(explain(connection, query, parameters)) == set(), query


@pytest.mark.parametrize("analyzed", ["when none ran", "when most ran", "never"])
@pytest.mark.parametrize("query", ["extend", "settle"])
def test_a_batch_costs_the_same_among_running_jobs(
    connection: psycopg.Connection,
    backend: PostgresBackend,
    schema: str,
    query: str,
    analyzed: str,
) -> None:
    """Extending or settling a batch reads no more rows with many other running jobs, whatever the statistics."""
    statement, analyze = getattr(backend._queries, query), f'VACUUM ANALYZE "{schema}".jobs'
    backend.insert([NewRecord(kind="k") for _ in range(4_000)], now=NOW)
    if analyzed == "when none ran":
        connection.execute(analyze)
    held = claims(backend, BATCH)
    claims(backend, 3_000)
    if analyzed == "when most ran":
        connection.execute(analyze)
    columns = settling.columns([Complete(claim) for claim in held])
    plan = explain(connection, statement, {**columns, "lease": HOUR, "now": NOW})
    assert max(node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan)) <= BATCH


def fail(backend: PostgresBackend, count: int, type_: str, kind: str = "k") -> None:
    """Insert jobs, and discard them with an error."""
    backend.insert([NewRecord(kind=kind, queue="failing") for _ in range(count)], now=NOW)
    claimed = backend.claim(["failing"], limit=count, worker="w", lease=HOUR, now=NOW)
    backend.settle([Discard(record.claim, Failure(type_, "words")) for record in claimed], now=NOW)


def crowd(backend: PostgresBackend, count: int, now: datetime, ids: Sequence[UUID] | None = None) -> None:
    """Insert waiting and finished jobs without errors, in five queues."""
    made = iter(ids or [uuid4() for _ in range(2 * count)])
    backend.insert([NewRecord(kind="k", queue=f"q{n % 5}", run_at=now, id=next(made)) for n in range(count)], now=now)
    backend.insert([NewRecord(kind="k", queue="done", id=next(made)) for _ in range(count)], now=now)
    claimed = backend.claim(["done"], limit=count, worker="w", lease=HOUR, now=now)
    backend.settle([Complete(record.claim) for record in claimed], now=now)


def explain_page(connection: psycopg.Connection, queries: Queries, order: Order, **fields: Any) -> dict[str, Any]:
    plans: list[dict[str, Any]] = []

    def execute(query: LiteralString, parameters: Mapping[str, Any]) -> Sequence[Row]:
        plans.append(explain(connection, query, parameters))
        is_ledger = query in (queries.count_ledger, queries.count_ledger_by_state)
        return connection.execute(query, parameters).fetchall() if is_ledger else []

    listing.page(execute, queries, calls.list(Filter(**fields), CAPABILITIES, limit=LIMIT, order=order))
    return plans[-1] if plans else {"Node Type": "none", "Shared Hit Blocks": 0, "Shared Read Blocks": 0}


def indexes(plan: Mapping[str, Any]) -> set[str]:
    return {node["Index Name"] for node in nodes(plan) if "Index Name" in node and node["Actual Loops"]}


def rows_read(plan: Mapping[str, Any]) -> int:
    """Return the rows that the scans of a plan read from the table of jobs, with those that a filter removed."""
    kinds = ("Index Scan", "Bitmap Heap Scan", "Seq Scan")
    read = [node for node in nodes(plan) if node["Node Type"] in kinds and node["Relation Name"] == "jobs"]
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in read
        if node["Actual Loops"]
    )


FILTERS: dict[str, dict[str, Any]] = {
    "empty": {},
    "type": {"error_types": ["Rare"]},
    "text": {"error_text": "words"},
    "key": {"unique_keys": ["key"]},
    "retrying": {"states": [State.RETRYING]},
}


@pytest.mark.parametrize("order", ["id", "finished_at", "run_at"])
@pytest.mark.parametrize("fields", FILTERS.values(), ids=FILTERS)
def test_a_page_costs_the_same_in_a_full_store(
    connection: psycopg.Connection,
    backend: PostgresBackend,
    schema: str,
    order: Order,
    fields: dict[str, Any],
) -> None:
    """Other jobs do not make a page more expensive, in any order, for the filters that have an index."""
    crowd(backend, 50, NOW)
    fail(backend, 20, "Rare")
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    before = pages(explain_page(connection, backend._queries, order, **fields))
    crowd(backend, 5_000, NOW - HOUR if order == "finished_at" else NOW + HOUR)
    connection.execute(
        f"""UPDATE "{schema}".jobs SET finished_at = finished_at - hashtext(id::text) * interval '1 microsecond'
        WHERE state = 'completed'"""
    )
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    plan = explain_page(connection, backend._queries, order, **fields)
    assert "jobs" not in scans(plan)
    assert pages(plan) <= before * 2 + 20


def test_a_page_of_one_type_of_errors_reads_its_index(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries, schema: str
) -> None:
    """A page of a common type of errors reads no record of another type, even if all its records are old."""
    fail(backend, 3_000, "Old")
    fail(backend, 3_000, "New")
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    plan = explain_page(connection, queries, "id", error_types=["Old"])
    assert max(node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in nodes(plan)) <= LIMIT


RANGES = {
    "id": {"jobs_pkey", "jobs_other_ids"},
    "finished_at": {"jobs_finished", "jobs_late"},
    "run_at": {"jobs_waiting", "jobs_other_ids"},
}


@pytest.mark.parametrize("order", ["id", "finished_at", "run_at"])
def test_a_page_of_a_range_of_times_reads_the_range(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, order: Order
) -> None:
    """A page of the jobs that were created in an hour reads few others, although created_at has no index."""
    for hours in range(5):
        moment = NOW - hours * HOUR
        crowd(backend, 1_000, moment, [uuid7(moment) for _ in range(2_000)])
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    times = {"created_since": NOW - 3.5 * HOUR, "created_until": NOW - 2.5 * HOUR}
    plan = explain_page(connection, backend._queries, order, **times)
    assert indexes(plan) <= RANGES[order]
    assert rows_read(plan) <= (LIMIT if order == "id" else 2_000)


def test_a_page_of_pending_jobs_reads_no_finished_job(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str
) -> None:
    """The last page of pending jobs by id does not read the older jobs, which have finished."""
    backend.insert([NewRecord(kind="k", queue="done", id=uuid7(NOW - HOUR)) for _ in range(5_000)], now=NOW)
    claimed = backend.claim(["done"], limit=5_000, worker="w", lease=HOUR, now=NOW)
    backend.settle([Complete(record.claim) for record in claimed], now=NOW)
    backend.insert([NewRecord(kind="k", id=uuid7(NOW)) for _ in range(LIMIT - 1)], now=NOW)
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    plan = explain_page(connection, backend._queries, "id", states=[State.PENDING])
    assert indexes(plan) == {"jobs_waiting", "jobs_pkey"}
    assert rows_read(plan) < LIMIT


@pytest.mark.parametrize(
    "fields",
    [{"kinds": ["rare"]}, {"kinds": ["unknown"]}, {"kinds": ["k", "rare"], "states": [State.DISCARDED]}],
    ids=str,
)
def test_a_page_of_a_rare_kind_reads_only_the_states_that_it_has(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, fields: dict[str, Any]
) -> None:
    """A page of a kind with few jobs, or none, does not read the many jobs in other states."""
    crowd(backend, 5_000, NOW)
    fail(backend, 3, "E", kind="rare")
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    plan = explain_page(connection, backend._queries, "id", **fields)
    assert rows_read(plan) <= 3


def uuid7(moment: datetime) -> UUID:
    """Return an id as a client would create it at a moment."""
    return UUID(int=int(moment.timestamp() * 1_000) << 80 | uuid4().int & (1 << 80) - 1)


@pytest.mark.parametrize("order", ["id", "finished_at"])
def test_an_error_text_is_searched_in_the_index(
    connection: psycopg.Connection, backend: PostgresBackend, schema: str, order: Order
) -> None:
    """A search for text reads the table only for the errors that contain it."""
    fail(backend, 3_000, "Common")
    fail(backend, 3, "Rare")
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    plan = explain_page(connection, backend._queries, order, error_text="Rare")
    assert "jobs" not in scans(plan)
    assert rows_read(plan) <= 3


@pytest.mark.parametrize("order", ["id", "finished_at"])
@pytest.mark.parametrize("fields", [{"kinds": ["rare"]}, {"queues": ["rare"]}, {"workers": ["rare"]}], ids=str)
def test_optional_indexes_are_used(
    connection: psycopg.Connection, url: str, schema: str, order: Order, fields: dict[str, Any]
) -> None:
    """With the optional indexes, a page of a rare kind, queue or worker reads its records only."""
    with PostgresBackend.from_url(f"{url}&search=true") as backend:
        backend.setup()
        backend.insert([NewRecord(kind="rare", queue="rare") for _ in range(3)], now=NOW)
        done = backend.claim(["rare"], limit=3, worker="rare", lease=HOUR, now=NOW)
        backend.settle([Complete(record.claim) for record in done], now=NOW)
        crowd(backend, 5_000, NOW)
        connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
        plan = explain_page(connection, backend._queries, order, **fields)
        [name] = fields
        assert f"jobs_search_{name}" in indexes(plan)
        assert rows_read(plan) <= 9  # it searches the index once for each final state


def test_registers_cost_the_same_with_many_jobs(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries, schema: str
) -> None:
    """The schedules that fire next are read by index, and without the table of jobs."""
    new = [
        NewSchedule(name=f"s{n}", rule="every hour", kind="k", after=NOW + n * timedelta(seconds=1))
        for n in range(2_000)
    ]
    backend.put_schedules(new)
    connection.execute(f'VACUUM ANALYZE "{schema}".schedules')
    plan = explain(connection, queries.due_schedules, {"limit": LIMIT})
    assert scans(plan) == set()
    assert max(node["Actual Rows"] for node in nodes(plan)) <= LIMIT


def test_a_purge_reads_no_record_from_before_its_range(
    connection: psycopg.Connection, backend: PostgresBackend, queries: Queries, schema: str
) -> None:
    """A purge that keeps some kinds does not read the kept records that finished before `since`."""
    fill(backend, 5_000)
    connection.execute(f'VACUUM ANALYZE "{schema}".jobs')
    since = NOW + timedelta(microseconds=1)
    plan = explain(connection, queries.purge, {**PURGE, "since": since, "before": NOW + HOUR, "except_kinds": ["k"]})
    assert pages(plan) <= 20


def test_every_statement_is_declared() -> None:
    """`Queries` declares an attribute for each .sql file."""
    folder = files("tallystick_postgres") / "queries"
    assert {f"{name}.sql" for name in Queries.__annotations__} == {file.name for file in folder.iterdir()}


def test_every_statement_documents_its_effect() -> None:
    """Each .sql file begins with its effect, its locks and its index."""
    for folder in ("queries", "migrations"):
        for file in (files("tallystick_postgres") / folder).iterdir():
            if file.name.endswith(".sql"):
                head = file.read_text("utf-8").split("\n\n")[0]
                assert head.startswith("-- Effect: ")
                assert folder == "migrations" or ("-- Locks: " in head and "Index: " in head), file.name


def test_a_report_of_progress_writes_no_index(
    backend: PostgresBackend, connection: psycopg.Connection, queries: Queries, schema: str
) -> None:
    """Its update is heap-only, and finds the jobs by the primary key."""
    backend.insert([NewRecord(kind="k") for _ in range(LIMIT)], now=NOW)
    claims = [record.claim for record in backend.claim(["default"], limit=LIMIT, worker="w", lease=HOUR, now=NOW)]
    parameters = {
        "ids": [claim.id for claim in claims],
        "attempts": [claim.attempt for claim in claims],
        "entries": [Progress.json_without_time(0.5, "half")] * LIMIT,
        "now": NOW + HOUR,
    }
    with connection.transaction():
        connection.execute(queries.report_progress, parameters)
        updated = connection.execute(
            "SELECT pg_stat_get_xact_tuples_updated(%(table)s::regclass), "
            "pg_stat_get_xact_tuples_hot_updated(%(table)s::regclass)",
            {"table": f"{schema}.jobs"},
        ).fetchone()
    assert updated == (LIMIT, LIMIT)
    stored = backend.get([claim.id for claim in claims]).values()
    assert {record.progress for record in stored} == {Progress(0.5, "half", NOW + HOUR)}
