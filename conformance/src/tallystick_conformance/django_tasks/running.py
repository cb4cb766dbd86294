"""Tests of the run of a task: its value, its times, its error, its context and its signals."""

from threading import Lock
from typing import Any

from django.tasks.base import TaskResultStatus
from django.tasks.signals import task_finished, task_started

from .registry import checks
from .subject import NotApplicable, Subject, expect, expect_raises
from .tasks import Declined, echo, fail, leave, return_object, return_tuple, see_context


@checks("DJANGO-06")
def successful(subject: Subject) -> None:
    """A value of None is a value, too."""
    for value in (42, None):
        result = subject.run(echo, value)
        expect("status", result.status, TaskResultStatus.SUCCESSFUL)
        expect("is_finished", result.is_finished, True)
        expect("return_value", result.return_value, value)
        expect("errors", result.errors, [])
        expect("attempts", result.attempts, 1)
        expect("the types of worker_ids", [type(id) for id in result.worker_ids], [str])


@checks("DJANGO-07")
def times(subject: Subject) -> None:
    """The one attempt is the first and the latest."""
    result = subject.run(echo, 1)
    moments = [result.enqueued_at, result.started_at, result.last_attempted_at, result.finished_at]
    if None in moments or moments != sorted(moments):
        raise AssertionError(f"the times are {moments}; expected four times in order")


@checks("DJANGO-08")
def value_by_json(subject: Subject) -> None:
    """A tuple becomes a list."""
    expect("return_value of a task that returns (1, (2, 3))", subject.run(return_tuple).return_value, [1, [2, 3]])


@checks("DJANGO-09")
def wrong_value(subject: Subject) -> None:
    """The mistake of a task is an error of this task."""
    result = subject.run(return_object)
    expect("status", result.status, TaskResultStatus.FAILED)
    expect("the classes of errors", [error.exception_class for error in result.errors], [TypeError])


@checks("DJANGO-10")
def failed(subject: Subject) -> None:
    """The traceback has the line that raised, the message and the cause."""
    result = subject.run(fail, "no stock")
    expect("status", result.status, TaskResultStatus.FAILED)
    expect("is_finished", result.is_finished, True)
    expect_raises(ValueError, "return_value of a failed task", lambda: result.return_value)
    expect("the classes of errors", [error.exception_class for error in result.errors], [Declined])
    text = result.errors[0].traceback
    for part in ("raise Declined(reason) from", "Declined: no stock", "KeyError: 'the cause'"):
        if part not in text:
            raise AssertionError(f"the traceback lacks {part!r}: {text}")


@checks("DJANGO-11")
def system_exit(subject: Subject) -> None:
    """The worker survives it."""
    result = subject.run(leave)
    expect("status", result.status, TaskResultStatus.FAILED)
    expect("the classes of errors", [error.exception_class for error in result.errors], [SystemExit])
    expect("return_value of the next task", subject.run(echo, "next").return_value, "next")


@checks("DJANGO-12")
def context(subject: Subject) -> None:
    """The context is not an argument of the call."""
    result = subject.run(see_context, "value")
    expect("status", result.status, TaskResultStatus.SUCCESSFUL)
    seen = {"type": "TaskContext", "attempt": 1, "id": result.id, "status": "RUNNING", "value": "value"}
    expect("the context that the task saw", result.return_value, seen)
    expect("result.args", result.args, ["value"])


@checks("DJANGO-25")
def signals_of_the_run(subject: Subject) -> None:
    """Each signal comes once, from the class of the backend."""
    if not subject.worker.worker_in_process:
        raise NotApplicable("the worker runs in another process, which has receivers of its own")
    for task, status in ((echo, TaskResultStatus.SUCCESSFUL), (fail, TaskResultStatus.FAILED)):
        with _Signals() as sent:
            result = subject.run(task, "value")
            subject.wait(lambda: len(sent.of(result.id)) >= 2, "task_started and task_finished are sent")  # noqa: B023
        cls = type(subject.backend)
        expected = [("started", cls, TaskResultStatus.RUNNING), ("finished", cls, status)]
        expect("(signal, sender, status) of each signal", sent.of(result.id), expected)


class _Signals:
    """Collects the signals of a run, in any thread, with the status at that moment."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sent: list[tuple[str, str, object, Any]] = []

    def __enter__(self) -> "_Signals":
        task_started.connect(self._started)
        task_finished.connect(self._finished)
        return self

    def __exit__(self, *_: object) -> None:
        task_started.disconnect(self._started)
        task_finished.disconnect(self._finished)

    def of(self, id: str) -> list[tuple[str, object, Any]]:
        """Return the signals of one task."""
        with self._lock:
            return [(name, sender, status) for name, sent, sender, status in self._sent if sent == id]

    def _started(self, sender: object, task_result: Any, **_: object) -> None:
        self._receive("started", sender, task_result)

    def _finished(self, sender: object, task_result: Any, **_: object) -> None:
        self._receive("finished", sender, task_result)

    def _receive(self, name: str, sender: object, result: Any) -> None:
        with self._lock:
            self._sent.append((name, result.id, sender, result.status))
