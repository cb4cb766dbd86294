"""SQLite and PostgreSQL have the same tree of statements, so that a diff of the two folders shows what differs."""

from importlib.resources import files

import pytest
from tallystick import NewRecord, Record
from tallystick_postgres import rows as postgres_rows
from tallystick_postgres.queries import Queries as PostgresQueries
from tallystick_sqlite import rows as sqlite_rows
from tallystick_sqlite.queries import Queries as SqliteQueries

STORES = {"SQLite": "tallystick_sqlite", "PostgreSQL": "tallystick_postgres"}


def statements(package: str) -> dict[str, str]:
    folder = files(package) / "queries"
    return {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}


@pytest.mark.parametrize(("store", "other"), [("SQLite", "PostgreSQL"), ("PostgreSQL", "SQLite")])
def test_a_statement_of_one_store_only_has_its_reason(store: str, other: str) -> None:
    """A statement has the same file name in both stores, or its head says why only one store has it."""
    alone = {name for name, text in statements(STORES[store]).items() if f"\n-- Only {store}: " in text}
    assert alone == statements(STORES[store]).keys() - statements(STORES[other]).keys()


@pytest.mark.parametrize(("store", "queries"), [("SQLite", SqliteQueries("p")), ("PostgreSQL", PostgresQueries("s"))])
def test_a_statement_has_the_same_name_in_code(store: str, queries: object) -> None:
    """The code names a statement after its file, in both stores."""
    names = {name for name in vars(queries) if not name.startswith("_") and name != "migrations"}
    assert {f"{name}.sql" for name in names} == set(statements(STORES[store]))


def test_the_columns_are_the_fields_of_a_record() -> None:
    """Both stores have one column for each field of `Record`, in order, and insert the fields of `NewRecord`.

    Only `get` reads `errors` and `progress`. No store keeps the fields that say what an insert changes.
    """
    new = set(NewRecord.__dataclass_fields__) - {"on_conflict", "debounce_max"}
    assert (*sqlite_rows.COLUMNS, "errors", "progress") == Record._fields
    assert (*postgres_rows.COLUMNS, "errors", "progress") == Record._fields
    assert set(sqlite_rows.NEW_COLUMNS) == {*postgres_rows.NEW_COLUMNS, "run_at", "tags"} == new
