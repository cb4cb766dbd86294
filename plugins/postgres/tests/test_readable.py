"""The view that makes payloads and results readable in psql."""

from datetime import timedelta

import psycopg
import pytest
from tallystick import Complete, NewRecord
from tallystick_postgres import PostgresBackend


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ('{"name": "Äda ☃",  "n": 1e3}'.encode(), '{"name": "Äda ☃",  "n": 1e3}'),
        (b'"nul \\u0000 and \\ud800"', '"nul \\u0000 and \\ud800"'),
        (b"null", "null"),
        (b"", ""),
        (b"plain words", "plain words"),
        (b"back\\slash", "back\\\\slash"),
        (b"\x00\x01\xff{}", "\\000\x01\\377{}"),
        (b'"\xed\xa0\x80"', '"\\355\\240\\200"'),
        (b"[" * 100_000, "[" * 100_000),
        (bytes(range(256)), None),
    ],
    ids=range(10),
)
def test_any_bytes_are_shown(
    backend: PostgresBackend, connection: psycopg.Connection, schema: str, stored: bytes, shown: str | None
) -> None:
    """The view shows JSON unchanged and other bytes escaped, and never fails; the stored bytes stay unchanged."""
    backend.insert([NewRecord(kind="k", payload=stored)])
    [record] = backend.claim(["default"], limit=1, worker="w", lease=timedelta(minutes=1))
    backend.settle([Complete(record.claim, stored)])
    row = connection.execute(f'SELECT payload, result, state FROM "{schema}".jobs_readable').fetchone()
    assert row is not None
    assert row[0] == row[1]
    assert row[2] == "completed"
    if shown is not None:
        assert row[0] == shown
    assert backend.get([record.id])[record.id].payload == stored


def test_a_missing_result(backend: PostgresBackend, connection: psycopg.Connection, schema: str) -> None:
    """A missing result is NULL, not an empty text."""
    backend.insert([NewRecord(kind="k")])
    assert connection.execute(f'SELECT result FROM "{schema}".jobs_readable').fetchone() == (None,)
