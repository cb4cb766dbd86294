"""The job in the context of structlog."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture
from tallystick import Context, Runner
from tallystick.observability.structlog import Structlog

from ..helpers import LONG


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    """Return the log lines of this test."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False)
    yield capture.entries
    structlog.configure(**before)


@pytest.fixture
def runner(runner: Runner) -> Runner:
    """Return a runner with the hooks."""
    runner.add_hooks(Structlog())
    return runner


@pytest.mark.parametrize("is_async", [False, True])
def test_lines_of_a_handler_have_the_job(runner: Runner, lines: list[Any], is_async: bool) -> None:
    """Each line of a sync or async handler has the job's fields, beside those that the handler binds."""

    @runner.job("sync", queue="talks")
    def sync(payload: int, ctx: Context) -> None:
        structlog.contextvars.bind_contextvars(tenant=payload)
        structlog.get_logger().info("hello")

    @runner.job("async", queue="talks")
    async def coroutine(payload: int, ctx: Context) -> None:
        structlog.contextvars.bind_contextvars(tenant=payload)
        await asyncio.sleep(0)
        structlog.get_logger().info("hello")

    definition = coroutine if is_async else sync
    jobs = runner.enqueue_batch([definition.job(number) for number in range(5)])
    runner.start()
    runner.wait_for_all(jobs, timeout=LONG)
    runner.stop()
    assert sorted(lines, key=lambda line: int(line["tenant"])) == [
        {
            "event": "hello",
            "log_level": "info",
            "tenant": number,
            "job_id": str(job.id),
            "kind": definition.kind,
            "queue": "talks",
            "attempt": 1,
        }
        for number, job in enumerate(jobs)
    ]


def test_a_batch_has_its_kind_and_queue(runner: Runner, lines: list[Any]) -> None:
    """A line of a batch handler belongs to no single job, so it has the kind and the queue only."""

    @runner.batch("index")
    def index(payloads: list[int], contexts: list[Context]) -> None:
        structlog.get_logger().info("indexed")

    runner.start()
    runner.wait_for_all(runner.enqueue_batch([index.job(1), index.job(2)]), timeout=LONG)
    assert {frozenset(line) for line in lines} == {frozenset({"event", "log_level", "kind", "queue"})}


def test_the_context_of_a_test_is_restored(runner: Runner) -> None:
    """After a handler, the context has the values that it had before."""
    hooks = Structlog()

    @runner.job("note")
    def note(payload: None, ctx: Context) -> None: ...

    ctx = Context(runner.enqueue(note.job(None)).record)
    with structlog.contextvars.bound_contextvars(kind="mine"):
        end = hooks.tallystick_work(ctx)
        assert structlog.contextvars.get_contextvars()["kind"] == "note"
        end()
        assert structlog.contextvars.get_contextvars() == {"kind": "mine"}
