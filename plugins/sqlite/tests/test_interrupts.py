"""Ctrl-C in the middle of a call."""

import contextlib
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tallystick_sqlite
from interrupts import interrupts
from support import PATIENCE
from tallystick import Filter, NewRecord
from tallystick_sqlite import SqliteBackend

_FILES = (str(Path(tallystick_sqlite.__file__).parent), contextlib.__file__)


def _use(backend: SqliteBackend) -> None:
    backend.insert([NewRecord(kind="k", unique_key="k")])
    backend.list(Filter(), limit=1)


@pytest.fixture
def freed() -> Iterator[None]:
    """Free what the interrupts leave, which CPython warns of, and only that: a whole collection would take long."""
    gc.freeze()
    yield
    gc.collect()
    gc.unfreeze()


@pytest.mark.usefixtures("freed")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("call", [_use, SqliteBackend.setup], ids=["use", "setup"])
def test_an_interrupted_call_keeps_no_lock(backend: SqliteBackend, call: Callable[[SqliteBackend], object]) -> None:
    """Wherever Ctrl-C interrupts a call, other threads can go on with the client while the exception exists."""
    number = 0
    with ThreadPoolExecutor(1) as pool:
        for interrupt in interrupts(lambda: call(backend), _FILES):
            number += 1
            pool.submit(_use, backend).result(PATIENCE)
            assert interrupt.__traceback__
    assert number > 50
