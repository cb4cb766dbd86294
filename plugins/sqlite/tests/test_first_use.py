"""The first use of a store inside the caller's own transaction."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tallystick import InvalidArgument, NotSetUp, Runner, declare


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_first_use_in_the_callers_transaction_is_rejected_at_once(path: Path, begin: str) -> None:
    """A setup would wait for the caller's lock, so the error says to set up before. Then the same call works."""
    send = declare("emails:send", int)
    url = f"sqlite:///{path}?busy_timeout=3600"  # a wait would fail the test by its timeout
    with closing(sqlite3.connect(path, isolation_level=None)) as caller, closing(Runner(url)) as runner:
        caller.execute(begin)
        caller.execute("CREATE TABLE orders (id)")
        with pytest.raises(NotSetUp, match=r"wait for your open transaction.*before BEGIN, call runner\.start"):
            runner.enqueue(send.job(1), transaction=caller)
        caller.commit()
        _ = runner.backend
        caller.execute(begin)
        runner.enqueue(send.job(1), transaction=caller)
        caller.commit()
        assert runner.stats().total == 1


def test_a_first_use_in_a_transaction_of_a_store_that_is_set_up(path: Path) -> None:
    """The first call of a process can be in the caller's transaction if the store exists."""
    send = declare("emails:send", int)
    with Runner(f"sqlite:///{path}"):
        pass
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as caller,
        closing(Runner(f"sqlite:///{path}?busy_timeout=3600")) as runner,
    ):
        caller.execute("BEGIN IMMEDIATE")
        runner.enqueue(send.job(1), transaction=caller)
        caller.commit()
        assert runner.stats().total == 1


def test_a_first_use_in_a_transaction_elsewhere(path: Path, tmp_path: Path) -> None:
    """A transaction in another file does not hinder a setup, and is rejected by the call itself."""
    send = declare("emails:send", int)
    with (
        closing(sqlite3.connect(tmp_path / "other.db", isolation_level=None)) as caller,
        closing(Runner(f"sqlite:///{path}")) as runner,
    ):
        caller.execute("BEGIN IMMEDIATE")
        with pytest.raises(InvalidArgument, match="it must be one to"):
            runner.enqueue(send.job(1), transaction=caller)
        assert runner.stats().total == 0
