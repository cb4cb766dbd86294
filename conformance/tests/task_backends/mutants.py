"""Backends of `django.tasks` with one known bug each, by the clause that finds it.

`python -m task_backends.mutants` tests each under its clause, and the two right backends under all. It prints the
statuses as JSON.
"""

import inspect
import json
import sys
from datetime import timedelta
from functools import partial
from threading import Lock
from typing import Any, ClassVar
from uuid import UUID

import django
from django.conf import settings
from django.db import connection
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
from django.tasks.signals import task_enqueued
from django.test import override_settings
from django.utils import timezone
from django.utils.json import normalize_json
from django.utils.module_loading import import_string
from tallystick_conformance.django_tasks.clauses import CLAUSES
from tallystick_conformance.django_tasks.registry import run_check
from tallystick_conformance.django_tasks.subject import NotApplicable, Subject

from .reference import Plain, Reference, change


class WrongAlias(Reference):
    """The result names the default backend."""

    def new(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        result = super().new(task, args, kwargs)
        change(result, backend="default")
        return result


class LongId(Reference):
    """An id has 64 characters."""

    def new_id(self) -> str:
        return super().new_id().ljust(64, "0")


class StartedAtOnce(Reference):
    """A waiting task has a start."""

    def shown(self, result: TaskResult) -> TaskResult:
        shown = super().shown(result)
        change(shown, started_at=shown.started_at or shown.enqueued_at)
        return shown


class PicklesArguments(Reference):
    """A task receives the very objects of the call."""

    given: ClassVar[dict[str, Any]] = {}

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        result = super().enqueue(task, args, kwargs)
        self.given[result.id] = (args, kwargs)
        return result

    def call(self, result: TaskResult) -> Any:
        args, kwargs = self.given[result.id]
        return result.task.call(*args, **kwargs)


class StoresText(Reference):
    """An argument that JSON does not have is stored as text."""

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        return super().enqueue(task, [str(arg) for arg in args], {name: str(value) for name, value in kwargs.items()})


class CountsTwice(Reference):
    """The end of an attempt counts as another one."""

    def finished(self, result: TaskResult) -> None:
        result.worker_ids.append("worker")
        super().finished(result)


class NoLatestAttempt(Reference):
    """last_attempted_at stays empty."""

    def finished(self, result: TaskResult) -> None:
        change(result, last_attempted_at=None)
        super().finished(result)


class PicklesValues(Reference):
    """return_value is the very object that the task returned."""

    def value(self, returned: Any) -> Any:
        return returned


class StoresTextOfValues(Reference):
    """A value that JSON does not have is stored as text."""

    def value(self, returned: Any) -> Any:
        return str(returned)


class MessageOnly(Reference):
    """The traceback has only the message."""

    def error(self, exc: BaseException) -> TaskError:
        return TaskError(exception_class_path=super().error(exc).exception_class_path, traceback=str(exc))


class LeavesWithTheTask(Reference):
    """SystemExit in a task ends the worker."""

    caught = Exception


class EarlyContext(Reference):
    """The context was made before the task started."""

    def call(self, result: TaskResult) -> Any:
        early = self.new(result.task, result.args, result.kwargs)
        change(early, id=result.id)
        return result.task.call(TaskContext(task_result=early), *result.args)


class ChecksNothing(Reference):
    """Whatever comes is stored."""

    def validate_task(self, task: Task) -> None:
        pass


class NeverAwaits(Reference):
    """The value of an async task is lost."""

    def call(self, result: TaskResult) -> Any:
        made = result.task.func(*result.args)
        if inspect.iscoroutine(made):
            made.close()
            return None
        return made


class NeverWaits(Reference):
    """run_after is ignored."""

    def is_due(self, result: TaskResult) -> bool:
        return bool(result.status == TaskResultStatus.READY)


class GuessesZone(Reference):
    """A naive run_after is taken as local time."""

    def validate_task(self, task: Task) -> None:
        if task.run_after is not None and timezone.is_naive(task.run_after):
            return
        super().validate_task(task)


class FirstInFirstOut(Reference):
    """Priorities are ignored."""

    def order(self, results: list[TaskResult]) -> list[TaskResult]:
        return results


class OneThread(Reference):
    """Only the instance that stored a result finds it, and Django creates one for each thread."""

    def __init__(self, alias: str, params: dict[str, Any]) -> None:
        super().__init__(alias, params)
        self.results = {}  # type: ignore[misc]


class MalformedId(Reference):
    """An id of another form is an error of another class."""

    def get_result(self, result_id: str) -> TaskResult:
        return super().get_result(str(UUID(result_id)))


class OneTask(Reference):
    """Each result is one of the task `echo`."""

    def get_result(self, result_id: str) -> TaskResult:
        result = super().get_result(result_id)
        change(result, task=import_string("tallystick_conformance.django_tasks.tasks.echo").using(backend=self.alias))
        return result


class LiveResult(Reference):
    """The caller receives the object that the worker changes."""

    def shown(self, result: TaskResult) -> TaskResult:
        return result


class AsyncWithoutArguments(Reference):
    """aenqueue drops the arguments."""

    async def aenqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        return self.enqueue(task, (), {})


class InstanceAsSender(Reference):
    """The sender of a signal is the instance."""

    def sender(self) -> object:
        return self


class SilentFailure(Reference):
    """A task that failed sends no signal."""

    def finished(self, result: TaskResult) -> None:
        if result.status == TaskResultStatus.SUCCESSFUL:
            super().finished(result)


class LateHook(Reference):
    """A task is stored by a hook of the connection, which it adds while Django runs the hooks."""

    def put(self, result: TaskResult) -> None:
        connection.run_on_commit.append((set(), partial(super().put, result), False))


class WithLock(Reference):
    """The list of workers has a lock, which cannot be pickled."""

    def shown(self, result: TaskResult) -> TaskResult:
        shown = super().shown(result)
        change(shown, worker_ids=_Locked(shown.worker_ids))
        return shown


class _Locked(list[str]):
    def __init__(self, items: list[str]) -> None:
        super().__init__(items)
        self.lock = Lock()


class PlainChecksNothing(Plain):
    """A feature that the backend does not have is ignored."""

    def validate_task(self, task: Task) -> None:
        pass


class PlainWithResults(Plain):
    """get_result works, though the flag says that it does not."""

    def get_result(self, result_id: str) -> TaskResult:
        return self.results[result_id]


class SendsBeforeTheCheck(Reference):
    """task_enqueued is sent for a call that raises TypeError."""

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        task_enqueued.send(type(self), task_result=self.new(task, [], {}))
        return super().enqueue(task, normalize_json(args), normalize_json(kwargs))


MUTANTS: tuple[tuple[str, type[BaseTaskBackend]], ...] = (
    ("DJANGO-01", WrongAlias),
    ("DJANGO-02", LongId),
    ("DJANGO-03", StartedAtOnce),
    ("DJANGO-04", PicklesArguments),
    ("DJANGO-05", StoresText),
    ("DJANGO-05", SendsBeforeTheCheck),
    ("DJANGO-06", CountsTwice),
    ("DJANGO-07", NoLatestAttempt),
    ("DJANGO-08", PicklesValues),
    ("DJANGO-09", StoresTextOfValues),
    ("DJANGO-10", MessageOnly),
    ("DJANGO-11", LeavesWithTheTask),
    ("DJANGO-12", EarlyContext),
    ("DJANGO-13", ChecksNothing),
    ("DJANGO-14", ChecksNothing),
    ("DJANGO-15", NeverAwaits),
    ("DJANGO-15", PlainChecksNothing),
    ("DJANGO-16", NeverWaits),
    ("DJANGO-16", PlainChecksNothing),
    ("DJANGO-17", GuessesZone),
    ("DJANGO-18", FirstInFirstOut),
    ("DJANGO-18", PlainChecksNothing),
    ("DJANGO-19", OneThread),
    ("DJANGO-19", PlainWithResults),
    ("DJANGO-20", MalformedId),
    ("DJANGO-21", OneTask),
    ("DJANGO-22", LiveResult),
    ("DJANGO-23", AsyncWithoutArguments),
    ("DJANGO-24", InstanceAsSender),
    ("DJANGO-25", SilentFailure),
    ("DJANGO-26", LateHook),
    ("DJANGO-27", WithLock),
)


class _Worker:
    """Runs the tasks of the tested backend in this thread, so that no wait is necessary."""

    worker_in_process = True
    patience = timedelta(0)

    def __init__(self) -> None:
        self.subject = Subject("tested", self)

    def work(self) -> None:
        """Run the tasks that are due."""
        self.subject.backend.work()

    def rest(self) -> None:
        """Do nothing: no worker is left."""


def status(clause: str, backend: type[BaseTaskBackend]) -> str:
    """Test one clause on one backend, and return the outcome."""
    tested = {"BACKEND": f"{backend.__module__}.{backend.__qualname__}"}
    default = {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}
    Reference.results.clear()
    with override_settings(TASKS={"default": default, "tested": tested}):
        try:
            run_check(clause, _Worker().subject)
        except NotApplicable as exc:
            return f"not applicable: {exc}"
        except (Exception, SystemExit) as exc:
            return f"failed: {exc}"
    return "passed"


def main() -> None:
    """Print the statuses."""
    settings.configure(
        USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        LOGGING={"version": 1, "loggers": {"django.tasks": {"level": "CRITICAL"}}},
    )
    django.setup()
    right = {cls.__name__: {id: status(id, cls) for id in CLAUSES} for cls in (Reference, Plain)}
    wrong = [(id, cls.__name__, status(id, cls)) for id, cls in MUTANTS]
    json.dump({"right": right, "wrong": wrong}, sys.stdout)


if __name__ == "__main__":
    main()
