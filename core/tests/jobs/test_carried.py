"""Context variables that jobs carry."""

import asyncio
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from tallystick import Context, InvalidArgument, Runner, State
from tallystick.testing import manual

from ..helpers import LONG, eventually

locale: ContextVar[str] = ContextVar("locale", default="en")
tenant: ContextVar[int | None] = ContextVar("tenant", default=None)


@pytest.fixture
def runner(runner: Runner) -> Runner:
    """Return a runner that carries both variables."""
    runner.carry(locale)
    runner.carry(tenant, key="tenant_id", dump=str, load=int)
    return runner


@pytest.fixture(autouse=True)
def seen(runner: Runner) -> list[tuple[str, int | None]]:
    """Register jobs that note both variables, and return the notes."""
    seen: list[tuple[str, int | None]] = []

    @runner.job("note")
    def note(again: bool, ctx: Context) -> None:
        seen.append((locale.get(), tenant.get()))
        if again:
            runner.enqueue(runner.definitions["note"].job(False))

    @runner.job("note_async")
    async def note_async(payload: None, ctx: Context) -> None:
        await asyncio.sleep(0)
        seen.append((locale.get(), tenant.get()))

    @runner.batch("note_batch")
    def note_batch(payloads: list[None], contexts: list[Context]) -> None:
        seen.extend((locale.get(), None) for _ in contexts)

    return seen


def inside(language: str, number: int | None, *jobs: Any, runner: Runner) -> list[Any]:
    """Enqueue jobs in a context of their own, in which both variables are set."""

    def enqueue() -> list[Any]:
        locale.set(language)
        tenant.set(number)
        return [runner.enqueue(job) for job in jobs]

    return copy_context().run(enqueue)


def test_handlers_see_the_variables(runner: Runner, seen: list[Any]) -> None:
    """Sync and async handlers see the values of the enqueue, also those of jobs that another handler enqueues."""
    kinds = runner.definitions
    jobs = [*inside("de", 7, kinds["note"].job(True), runner=runner), runner.enqueue(kinds["note"].job(False))]
    jobs += inside("fr", None, kinds["note_async"].job(None), runner=runner)
    assert dict(jobs[0].record.meta) == {"locale": "de", "tenant_id": "7"}
    assert dict(jobs[1].record.meta) == {}
    runner.start()
    runner.wait_for_all(jobs, timeout=LONG)
    eventually(lambda: len(seen) == 4)  # a handler enqueues the fourth job
    runner.stop()
    assert sorted(seen, key=str) == [("de", 7), ("de", 7), ("en", None), ("fr", None)]


def test_values_do_not_leak(runner: Runner, seen: list[Any]) -> None:
    """After a handler, the variables have the values that they had before, in a test's own context, too."""
    with manual(runner) as jobs:
        inside("de", 7, runner.definitions["note"].job(False), runner=runner)
        jobs.drain()
        assert (locale.get(), tenant.get()) == ("en", None)
    assert seen == [("de", 7)]


def test_async_enqueue(runner: Runner) -> None:
    """An async enqueue carries the variables of its task."""

    async def enqueue() -> Any:
        locale.set("de")
        return await runner.aenqueue(runner.definitions["note"].job(False))

    assert asyncio.run(enqueue()).record.meta == {"locale": "de"}


def test_own_meta_comes_first(runner: Runner) -> None:
    """A value in `meta=` replaces the value of the variable."""
    context = copy_context()
    context.run(locale.set, "de")
    job = context.run(lambda: runner.enqueue(runner.definitions["note"].job(False), meta={"locale": "it"}))
    assert dict(job.record.meta) == {"locale": "it"}


def test_batch_handlers_see_no_variables(runner: Runner, seen: list[Any]) -> None:
    """The jobs of a batch may have different values, so its handler sees none of them."""
    with manual(runner) as jobs:
        inside("de", None, runner.definitions["note_batch"].job(None), runner=runner)
        jobs.drain()
    assert seen == [("en", None)]


def test_a_value_that_is_no_text(runner: Runner) -> None:
    """A value that cannot be written as text rejects the enqueue, and nothing is stored."""
    broken: ContextVar[Any] = ContextVar("broken")
    runner.carry(broken)
    copied = copy_context()
    copied.run(broken.set, 7)
    job = runner.definitions["note"].job(False)
    with pytest.raises(InvalidArgument, match="'broken' is 7, which is no text"):
        copied.run(runner.enqueue, job)
    runner.carry(broken, dump=lambda value: value, load=str)
    with pytest.raises(InvalidArgument, match="returned 7; it must be a string"):
        copied.run(runner.enqueue, job)
    runner.carry(broken, dump=lambda value: value.missing, load=str)
    with pytest.raises(InvalidArgument, match="dump of the context variable 'broken' failed: AttributeError"):
        copied.run(runner.enqueue, job)
    assert runner.stats().total == 0


def test_a_value_that_cannot_be_read(runner: Runner, seen: list[Any]) -> None:
    """The attempt fails if a value of the meta cannot be loaded, and its handler does not run."""
    job = runner.enqueue(runner.definitions["note"].job(False), meta={"tenant_id": "seven"}, max_attempts=1)
    runner.start()
    record = runner.wait_for(job, timeout=LONG).record
    assert record is not None
    assert record.state is State.DISCARDED
    assert record.last_error is not None
    assert record.last_error.type == "ValueError"
    assert seen == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variable": "locale"}, "must be a contextvars.ContextVar"),
        ({"variable": ContextVar("x"), "dump": str}, "belong together"),
        ({"variable": ContextVar("x"), "dump": 1, "load": 2}, "dump is 1; it must be a function"),
        ({"variable": ContextVar("x"), "key": "locale"}, "another context variable has the key 'locale'"),
        ({"variable": ContextVar("x"), "key": "x" * 65}, "at most 64 characters"),
        ({"variable": ContextVar("x"), "key": 7}, "key"),
    ],
)
def test_wrong_arguments(runner: Runner, arguments: Any, message: str) -> None:
    """A wrong argument is rejected at the call."""
    with pytest.raises(InvalidArgument, match=message):
        runner.carry(**arguments)
