"""The script of `tallystick setup --sql` creates the same store as `setup`."""

import re
from pathlib import Path

import psycopg
import tallystick_postgres
from tallystick import NewRecord
from tallystick_postgres import PostgresBackend
from tallystick_postgres.queries import Queries
from tallystick_postgres.schema import script

CATALOGUE = (
    "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, ordinal_position "
    "FROM information_schema.columns WHERE table_schema = %(schema)s ORDER BY 1, 7",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %(schema)s ORDER BY 2",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace "
    "ORDER BY 1",
    "SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = tgrelid "
    "WHERE relnamespace = %(schema)s::regnamespace AND NOT tgisinternal ORDER BY 1",
    "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace ORDER BY 1",
    "SELECT viewname, definition FROM pg_views WHERE schemaname = %(schema)s ORDER BY 1",
    "SELECT relname, relkind::text, reloptions FROM pg_class WHERE relnamespace = %(schema)s::regnamespace ORDER BY 1",
)


def catalogue(connection: psycopg.Connection, schema: str) -> list[str]:
    """Return the server's description of a schema, with its name replaced."""
    quoted = {"schema": f'"{schema}"'}
    found = [
        str(connection.execute(query, quoted if "::reg" in query else {"schema": schema}).fetchall())
        for query in CATALOGUE
    ]
    return [re.sub(rf'"?\b{re.escape(schema)}\b"?', "SCHEMA", text) for text in found]


def test_both_make_the_same(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """The script and `setup` create the same tables, indexes, constraints, triggers, functions and views."""
    expected = catalogue(connection, schema)
    assert all("SCHEMA" in text or text.count("(") > 2 for text in expected)
    backend.teardown()
    connection.execute(backend.script())
    assert catalogue(connection, schema) == expected
    backend.setup()
    assert catalogue(connection, schema) == expected
    assert backend.insert([NewRecord(kind="k")])[0].created
    backend.teardown()
    assert connection.execute("SELECT to_regnamespace(%s)", [f'"{schema}"']).fetchone() == (None,)


def test_the_dump_is_up_to_date() -> None:
    """`schema.sql` is the script for the default schema, written by `python docs/generate.py`."""
    dump = Path(tallystick_postgres.__file__).with_name("schema.sql").read_text("utf-8")
    assert dump.partition("\n\n")[2] == script(Queries("tallystick"))
