"""The books of `tallystick demo`."""

from pathlib import Path
from uuid import uuid4

import pytest
from tallystick import LEASE_EXPIRED, AttemptError, Record, State
from tallystick.demo import Books, died_attempts, digest

from ..helpers import NOW, stored
from .conftest import Cli


def completed(number: int, result: int | None = None, died: int = 0) -> Record:
    """Return the record of a completed job, some of whose attempts died."""
    encoded = f'"{digest(number if result is None else result)}"'.encode()
    errors = tuple(AttemptError(attempt + 1, NOW, LEASE_EXPIRED) for attempt in range(died))
    return stored()._replace(state=State.COMPLETED, result=encoded, attempt=died + 1, errors=errors)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Return the path of a ledger that does not exist."""
    return tmp_path / "ledger"


def test_the_books_balance(ledger: Path) -> None:
    """Each job has completed with its result and ended once; attempts that died are no loss."""
    records = [completed(0), completed(1, died=2)]
    ledger.write_text(f"{records[0].id}\n")  # a process may die before it writes its line
    books = Books.of({record.id: number for number, record in enumerate(records)}, records, ledger)
    assert books.balance
    assert books.enqueued == 2
    assert books.died == records[1:]
    assert died_attempts(books.died[0]) == [1, 2]


def test_a_lost_job_is_found(ledger: Path) -> None:
    """A job without a record is lost, and so is one that has not completed."""
    waiting, missing = stored(), uuid4()
    books = Books.of({waiting.id: 0, missing: 1}, [waiting], ledger)
    assert books.lost == [waiting.id, missing]
    assert not books.balance


def test_a_wrong_result_is_found(ledger: Path) -> None:
    """The result is computed again."""
    record = completed(0, result=1)
    books = Books.of({record.id: 0}, [record], ledger)
    assert books.wrong == [record.id]
    assert not books.balance


def test_a_second_end_is_found(ledger: Path) -> None:
    """Two lines about one job in the ledger are two ends."""
    record = completed(0)
    ledger.write_text(f"{record.id}\n{record.id}\n")
    books = Books.of({record.id: 0}, [record], ledger)
    assert books.twice == [record.id]
    assert not books.balance


def test_a_store_of_one_process_is_rejected(cli: Cli) -> None:
    """The error says to choose another store, or the demo in one process."""
    result = cli("demo", "--backend", "memory://")
    assert result.code == 2
    assert "tallystick demo --files" in result.err
