"""Tests of `enqueue`: its result, its arguments, invalid tasks, its signal, and transactions."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.tasks.base import TaskResultStatus
from django.tasks.exceptions import InvalidTask
from django.tasks.signals import task_enqueued

from .registry import checks
from .subject import NotApplicable, Subject, expect, expect_raises
from .tasks import echo, types_of


@checks("DJANGO-01")
def result_of_enqueue(subject: Subject) -> None:
    """The result describes the call."""
    task = subject.on(types_of)
    result = task.enqueue(1, "two", three=[3])
    expect("result.task", result.task, task)
    expect("result.args", result.args, [1, "two"])
    expect("result.kwargs", result.kwargs, {"three": [3]})
    expect("result.backend", result.backend, subject.alias)


@checks("DJANGO-02")
def ids(subject: Subject) -> None:
    """Two results of equal calls have two ids."""
    first, second = subject.enqueue(echo, 1).id, subject.enqueue(echo, 1).id
    for id in (first, second):
        expect("the type of result.id", type(id), str)
        expect(f"whether {id!r} has 1 to 63 characters", 1 <= len(id) <= 63, True)
    expect("whether two results have different ids", first != second, True)


@checks("DJANGO-03")
def ready(subject: Subject) -> None:
    """No worker has run, so nothing has happened."""
    result = subject.waiting(echo, 1)
    expect("status", result.status, TaskResultStatus.READY)
    expect("is_finished", result.is_finished, False)
    expect("attempts", result.attempts, 0)
    expect("errors", result.errors, [])
    times = (result.started_at, result.last_attempted_at, result.finished_at)
    expect("(started_at, last_attempted_at, finished_at)", times, (None, None, None))
    expect_raises(ValueError, "return_value of a waiting task", lambda: result.return_value)


@checks("DJANGO-04")
def arguments(subject: Subject) -> None:
    """A tuple becomes a list. Text, numbers and nested values stay as they are."""
    value = {
        "text": 'gr\u00fcn \U0001f600 "\\ \u2028',
        "numbers": [0, -1, 2**53, 0.1, 1e300],
        "none": None,
        "": [[], {}, True],
    }
    result = subject.run(echo, value)
    expect("the value of a task that returns its argument", _value(result), value)
    result = subject.run(types_of, (1, 2), "text", 1, 1.5, True, None, key=(1,), other={"a": (1,)})
    expect(
        "the types of the arguments",
        _value(result),
        {"args": ["list", "str", "int", "float", "bool", "NoneType"], "kwargs": ["key: list", "other: dict"]},
    )


@checks("DJANGO-05")
def wrong_argument(subject: Subject) -> None:
    """The error is raised where the mistake is, and `task_enqueued` is not sent."""
    with _Enqueued() as sent:
        for value in (datetime.now(UTC), object(), {1, 2}):
            expect_raises(TypeError, f"enqueue({value!r})", partial(subject.enqueue, echo, value))
            expect_raises(TypeError, f"enqueue(value={value!r})", partial(subject.enqueue, echo, value=value))
    expect("the number of enqueued tasks", len(sent.results), 0)


@checks("DJANGO-13")
def unknown_queue(subject: Subject) -> None:
    """The task was valid for other settings, so only `enqueue` can find it."""
    if not subject.backend.queues:
        raise NotApplicable("QUEUES is empty, so each queue is valid")
    task = subject.invalid(echo, queue_name="no-such-queue")
    expect_raises(InvalidTask, "enqueue on the queue 'no-such-queue'", lambda: task.enqueue(1))


@checks("DJANGO-14")
def priorities(subject: Subject) -> None:
    """The limits themselves are valid."""
    for priority in (-101, 101, 3.5):
        task = subject.invalid(echo, priority=priority)
        expect_raises(InvalidTask, f"enqueue with the priority {priority}", partial(task.enqueue, 1))
    if subject.backend.supports_priority:
        for priority in (-100, 100):
            result = subject.on(echo, priority=priority).enqueue(1)
            expect("result.task.priority", result.task.priority, priority)


@checks("DJANGO-17")
def naive_time(subject: Subject) -> None:
    """A time without a zone could mean two moments."""
    if not settings.USE_TZ:
        raise NotApplicable("USE_TZ is off")
    task = subject.invalid(echo, run_after=datetime(2001, 1, 1))  # noqa: DTZ001  # that is the mistake
    expect_raises(InvalidTask, "enqueue with a naive run_after", lambda: task.enqueue(1))


@checks("DJANGO-24")
def signal_of_enqueue(subject: Subject) -> None:
    """A receiver can record each task by its id."""
    with _Enqueued() as sent:
        result = subject.enqueue(echo, 1)
    expect("the ids that task_enqueued sent", [each.id for each in sent.results], [result.id])
    expect("the sender of task_enqueued", sent.senders, [type(subject.backend)])


@checks("DJANGO-26")
def on_commit(subject: Subject) -> None:
    """Django's documentation shows this use of `on_commit`."""
    with _Enqueued() as sent:
        with transaction.atomic():
            transaction.on_commit(partial(subject.enqueue, echo, "committed"))
            expect("the number of tasks before the commit", len(sent.results), 0)
        with transaction.atomic():
            transaction.on_commit(partial(subject.enqueue, echo, "rolled back"))
            transaction.set_rollback(True)
    expect("the number of tasks after a commit and a rollback", len(sent.results), 1)
    expect("return_value", _value(subject.finish(*sent.results)), "committed")


def _value(result: Any) -> object:
    if result.status != TaskResultStatus.SUCCESSFUL:
        raise AssertionError(f"the task is {result.status}; its errors are {result.errors!r}")
    return result.return_value


class _Enqueued:
    """Collects what `task_enqueued` sends."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.senders: list[object] = []

    def __enter__(self) -> "_Enqueued":
        task_enqueued.connect(self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        task_enqueued.disconnect(self._receive)

    def _receive(self, sender: object, task_result: Any, **_: object) -> None:
        self.senders.append(sender)
        self.results.append(task_result)
