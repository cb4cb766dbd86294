"""Tests of the features that a backend may have: async tasks, a later time and priorities."""

from datetime import timedelta
from importlib import import_module

from django.tasks import task
from django.tasks.base import TaskResultStatus
from django.tasks.exceptions import InvalidTask
from django.utils import timezone

from .registry import checks
from .subject import Subject, expect, expect_raises
from .tasks import echo


async def coroutine(value: object) -> object:
    """Return the argument. It becomes a task only in a test, because a backend may reject it."""
    return value


@checks("DJANGO-15")
def async_task(subject: Subject) -> None:
    """Without the flag, the definition of the task fails."""
    if not subject.backend.supports_async_task:
        expect_raises(InvalidTask, "the definition of an async task", lambda: task(backend=subject.alias)(coroutine))
        return
    echo_later = import_module(".async_tasks", __package__).echo_later
    result = subject.run(echo_later, "value")
    expect("status", result.status, TaskResultStatus.SUCCESSFUL)
    expect("return_value", result.return_value, "value")


@checks("DJANGO-16")
def run_after(subject: Subject) -> None:
    """A task of the past runs at once, a task of the next hour waits, and the result has the time."""
    past, later = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(hours=1)
    if not subject.backend.supports_defer:
        expect_raises(InvalidTask, "using(run_after=...)", lambda: subject.on(echo, run_after=later))
        return
    waits = subject.on(echo, run_after=later).enqueue("later")
    runs = subject.on(echo, run_after=past).enqueue("past")
    expect("result.task.run_after", waits.task.run_after, later)
    subject.finish(runs, subject.on(echo).enqueue("now"))
    waits.refresh()
    expect("status of a task of the next hour", waits.status, TaskResultStatus.READY)
    expect("its run_after after refresh", subject.backend.get_result(waits.id).task.run_after, later)


@checks("DJANGO-18")
def priority(subject: Subject) -> None:
    """The tasks wait in the opposite order."""
    if not subject.backend.supports_priority:
        expect_raises(InvalidTask, "using(priority=1)", lambda: subject.on(echo, priority=1))
        return
    subject.waiting(echo, "first")
    results = [subject.on(echo, priority=priority).enqueue(priority) for priority in (-100, -1, 0, 1, 100)]
    subject.finish(*results)
    started = [result.started_at for result in reversed(results)]
    expect("whether the tasks started by priority", started == sorted(started), True)
    for result in results:
        expect("result.task.priority", result.task.priority, result.return_value)
