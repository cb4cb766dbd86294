"""Tests of `get_result` and `refresh`, also in their async variants."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import uuid4

import django
from asgiref.sync import async_to_sync
from django.db import connections
from django.tasks.base import TaskResult, TaskResultStatus
from django.tasks.exceptions import TaskResultDoesNotExist, TaskResultMismatch

from .registry import checks
from .subject import NotApplicable, Subject, expect, expect_raises
from .tasks import echo, fail, other

T = TypeVar("T")


@checks("DJANGO-19")
def get_result(subject: Subject) -> None:
    """Each call of `get_result` returns what the others do, before and after the run."""
    result = subject.on(echo).enqueue("value")
    if not subject.backend.supports_get_result:
        expect_raises(NotImplementedError, "get_result", lambda: subject.backend.get_result(result.id))
        return
    _compare(subject, result)
    subject.finish(result)
    expect("return_value", _compare(subject, result).return_value, "value")


def _compare(subject: Subject, result: TaskResult) -> TaskResult:
    by_task, by_backend = subject.on(echo).get_result(result.id), subject.backend.get_result(result.id)
    in_thread: TaskResult = _in_thread(lambda: subject.backend.get_result(result.id))
    for found in (by_task, by_backend, in_thread):
        expect("the result of get_result", found, by_task)
        expect("its task", found.task, result.task)
        expect("(id, args, backend)", (found.id, found.args, found.backend), (result.id, ["value"], subject.alias))
    return in_thread


@checks("DJANGO-20")
def unknown_id(subject: Subject) -> None:
    """An id comes from a request, so it may be any text."""
    _needs_results(subject)
    for id in (str(uuid4()), "0" * 32, "no-such-id", "123", ""):
        expect_raises(TaskResultDoesNotExist, f"get_result({id!r})", lambda: subject.backend.get_result(id))  # noqa: B023
        expect_raises(TaskResultDoesNotExist, f"Task.get_result({id!r})", lambda: subject.on(echo).get_result(id))  # noqa: B023


@checks("DJANGO-21")
def result_of_another_task(subject: Subject) -> None:
    """Two tasks with equal functions are two tasks."""
    _needs_results(subject)
    result = subject.enqueue(other, 1)
    expect_raises(TaskResultMismatch, "get_result of another task", lambda: subject.on(echo).get_result(result.id))
    expect("result.task", subject.on(other).get_result(result.id).task, result.task)


@checks("DJANGO-22")
def refresh(subject: Subject) -> None:
    """A result is a snapshot."""
    _needs_results(subject)
    for task, status in ((echo, TaskResultStatus.SUCCESSFUL), (fail, TaskResultStatus.FAILED)):
        stale = subject.waiting(task, "value")
        fresh = subject.finish(subject.backend.get_result(stale.id))
        expect("status before refresh", stale.status, TaskResultStatus.READY)
        expect("attempts before refresh", stale.attempts, 0)
        stale.refresh()
        expect("status after refresh", stale.status, status)
        expect("the refreshed result", stale, fresh)


@checks("DJANGO-23")
def async_variants(subject: Subject) -> None:
    """The calls run on an event loop."""

    async def enqueued() -> TaskResult:
        return await subject.on(echo).aenqueue("value")

    async def found(result: TaskResult) -> tuple[TaskResult, TaskResult]:
        by_task = await subject.on(echo).aget_result(result.id)
        await result.arefresh()
        return by_task, await subject.backend.aget_result(result.id)

    result = async_to_sync(enqueued)()
    expect("(args, backend)", (result.args, result.backend), (["value"], subject.alias))
    subject.finish(result)
    expect("return_value", result.return_value, "value")
    if subject.backend.supports_get_result:
        for each in async_to_sync(found)(result):
            expect("the result of aget_result", each, subject.backend.get_result(result.id))
        expect_raises(TaskResultDoesNotExist, "aget_result('123')", lambda: async_to_sync(_missing)(subject))


@checks("DJANGO-27")
def pickled(subject: Subject) -> None:
    """A cache or another process can keep them."""
    if django.VERSION < (6, 1):
        raise NotApplicable("Django 6.0 cannot pickle a task")
    result = subject.run(echo, "value")
    for value, what in ((result.task, "the task"), (result, "the result")):
        expect(f"{what} after pickle", pickle.loads(pickle.dumps(value)), value)  # noqa: S301  # our own bytes


async def _missing(subject: Subject) -> TaskResult:
    return await subject.backend.aget_result("123")


def _needs_results(subject: Subject) -> None:
    if not subject.backend.supports_get_result:
        raise NotApplicable("supports_get_result is False")


def _in_thread(call: Callable[[], T]) -> T:
    """Make a call in another thread, and close the connections that it opened there."""

    def run() -> T:
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(run).result()
