"""A search in the text of errors, compared with a search in memory."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tallystick import Discard, Failure, Filter, NewRecord, Record
from tallystick_postgres import PostgresBackend

ERRORS = (
    Failure("ValueError", "plain words", "traceback with plain words"),
    Failure("ValueError", 'quoted "words", a \\ and a /', "t"),
    Failure("E", "line\nnext\ttab\r\x00\x7f\x1b end", "t"),
    Failure("E", "\\n is no line, \\u00e4 no letter", "t"),
    Failure("Ünïcode", "ä \u20ac \U0001f600 e\u0301", "t"),
    Failure("Lone", "\ud83d and \ude00 apart \U0001f601", "t"),
    Failure("E", '", "message": "inside', "t"),
    Failure("E", "100% of (a|b)* [c] {d} ^e$ f.g+h?", "t"),
    Failure("E", "", ""),
    Failure("E" * 300, "m" * 4_000 + "end", "x" * 32_000),
)
TEXTS = (
    "words", "plain words", "Value", "traceback", '"', '", "message": "', '"words"', "\\", "/", "\n", "n", "\\n",
    "\nnext", "\t", "\x00", "\x7f", "\x1b", "u00", "\\u00e4", "00e4", "ä", "Ü", "\u20ac", "\U0001f600", "\ud83d",
    "\ude00", "\udc00", "\ud83d and", "and \ude00", "\ude01", "type", "message", "%", "(a|b)*", "[c]", "{d}", "^e$",
    "f.g", "fxg", "E", "e", "EE", "end", "mend", "\U0001f600" * 255, "ä" * 255, "m" * 255,
)  # fmt: skip


@pytest.fixture
def records(backend: PostgresBackend) -> list[Record]:
    backend.insert([NewRecord(kind="k") for _ in ERRORS])
    claimed = backend.claim(["default"], limit=100, worker="w", lease=timedelta(minutes=1))
    backend.settle([Discard(each.claim, error) for each, error in zip(claimed, ERRORS, strict=True)])
    backend.insert([NewRecord(kind="without")])
    return list(backend.get([each.id for each in claimed]).values())


def expected(filter: Filter, records: list[Record]) -> Iterator[object]:
    return (record.id for record in sorted(records, key=lambda record: record.id, reverse=True) if filter.fits(record))


def test_a_text_is_found_where_python_finds_it(backend: PostgresBackend, records: list[Record]) -> None:
    """The same errors contain a text in the store and in Python: also escapes, NUL, pairs and lone surrogates."""
    for text in TEXTS:
        filter = Filter(error_text=text)
        found = [record.id for record in backend.list(filter, limit=100)]
        assert found == [*expected(filter, records)], text
        assert backend.count(filter) == len(found)


def test_a_type_that_no_filter_can_name(backend: PostgresBackend, records: list[Record]) -> None:
    """A filter finds each type of 1 to 255 characters, and longer types do not disturb it."""
    for type_ in ("ValueError", "Ünïcode", "E", "E" * 255):
        filter = Filter(error_types=[type_])
        assert [record.id for record in backend.list(filter, limit=100)] == [*expected(filter, records)]
