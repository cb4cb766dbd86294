"""A backend of `django.tasks`: tasks are jobs. Each queue has a kind of its own, such as `django:task:emails`.

TASKS = {"default": {"BACKEND": "tallystick_django.tasks.TallystickTasks", "QUEUES": ["default", "emails"]}}
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid4

from asgiref.sync import sync_to_async
from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db import transaction
from django.tasks import DEFAULT_TASK_QUEUE_NAME, task_backends
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import Task, TaskContext, TaskError, TaskResult, TaskResultStatus
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist
from django.tasks.signals import task_enqueued, task_finished, task_started
from django.utils import timezone
from django.utils.json import normalize_json
from django.utils.module_loading import import_string
from pydantic import BaseModel
from tallystick import AttemptError, Call, Context, Definition, Handle, Record, State, Status, job

from .conf import database_alias
from .enqueueing import enqueue, open_databases
from .project_runner import ProjectRunner, get_runner

_PREFIX = "django:task:"
_TAG_LENGTH = 255
_MAX_ATTEMPTS = "max_attempts"
_MOST_ATTEMPTS = 1_000_000
_STATUS = {
    State.PENDING: TaskResultStatus.READY,
    State.RETRYING: TaskResultStatus.READY,
    State.RUNNING: TaskResultStatus.RUNNING,
    State.COMPLETED: TaskResultStatus.SUCCESSFUL,
    State.DISCARDED: TaskResultStatus.FAILED,
    State.CANCELLED: TaskResultStatus.FAILED,
}


class TaskCall(BaseModel):
    """The payload: the import path of a task, its arguments, the alias of its backend, and its time."""

    path: str
    args: list[Any]
    kwargs: dict[str, Any]
    backend: str
    run_after: datetime | None = None


def run_task(call: TaskCall, ctx: Context) -> Any:
    """Run a task, and return its value as JSON keeps it."""
    result = _result(ctx.record, call)
    task_started.send(sender=type(task_backends[call.backend]), task_result=result)
    first = [TaskContext(task_result=result)] if result.task.takes_context else []
    return normalize_json(result.task.call(*first, *call.args, **call.kwargs))


@dataclass(frozen=True, slots=True, kw_only=True)
class TallystickTask(Task):
    """A task with options of this backend, as in `@task(max_attempts=5)`."""

    max_attempts: int | None = None
    """How often the task is tried. None: as the option `max_attempts` of the backend says."""


@cache
def definition(queue: str) -> Definition[TaskCall, Any]:
    """Return the job that runs the tasks of a queue. A worker serves the queues of its jobs, so each queue has one."""
    return job(f"{_PREFIX}{queue}", queue=queue, max_attempts=1)(run_task)


class TallystickTasks(BaseTaskBackend):
    """Stores tasks as jobs. The option `max_attempts` (default 1) lets a failed task run again."""

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True
    task_class = TallystickTask

    def validate_task(self, task: Task) -> None:
        """Reject what Django rejects, and a wrong `max_attempts`."""
        super().validate_task(task)
        if wrong := _why_no_attempts(getattr(task, _MAX_ATTEMPTS, None)):
            raise InvalidTask(wrong)

    def enqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Store a task.

        Inside `atomic()`, it is part of the transaction. If the store is not in that database, it is stored after the
        commit.
        """
        result = self._insert(task, args, kwargs)
        task_enqueued.send(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        """Store a task in the thread of Django's sync code, which may have a transaction; then leave that thread."""
        result: TaskResult = await sync_to_async(self._insert)(task, args, kwargs)
        await task_enqueued.asend(type(self), task_result=result)
        return result

    def _insert(self, task: Task, args: Any, kwargs: Any) -> TaskResult:
        self.validate_task(task)
        call = TaskCall(
            path=task.module_path,
            args=normalize_json(args),
            kwargs=normalize_json(kwargs),
            backend=self.alias,
            run_after=task.run_after,
        )
        queue = task.queue_name if task.queue_name in self.queues else DEFAULT_TASK_QUEUE_NAME
        stored = self._store(definition(queue).job(call), self._job_options(task))
        return _result(stored, call) if isinstance(stored, Record) else _unstored(stored, task, call)

    def get_result(self, result_id: str) -> TaskResult:
        """Return the result of a task by the id of its job."""
        try:
            found = get_runner().wait_for(UUID(result_id), timeout=timedelta(0))
        except ValueError:
            raise TaskResultDoesNotExist(result_id) from None
        if found.record is None or not found.record.kind.startswith(_PREFIX):
            raise TaskResultDoesNotExist(result_id)
        result = _result(found.record, _call_of(found.record))
        if found.status is Status.COMPLETED:
            object.__setattr__(result, "_return_value", found.value)  # as Django's own backends do
        return result

    async def aget_result(self, result_id: str) -> TaskResult:
        """Return the result of a task. Its store has connections of its own, so it waits for no sync code of Django."""
        return await asyncio.to_thread(self.get_result, result_id)

    def check(self, **_: Any) -> Iterator[CheckMessage]:
        """Check the settings, as `manage.py check` does."""
        if not apps.is_installed("tallystick_django"):
            hint = 'Add "tallystick_django" to INSTALLED_APPS.'
            yield Error(
                "tallystick_django is not installed, so its worker runs no task.", hint=hint, id="tallystick.E001"
            )
        if unknown := sorted(self.options.keys() - {_MAX_ATTEMPTS}):
            hint = f'The only option is "{_MAX_ATTEMPTS}".'
            yield Error(f"TASKS[{self.alias!r}] has unknown OPTIONS: {unknown}.", hint=hint, id="tallystick.E002")
        if wrong := _why_no_attempts(self.options.get(_MAX_ATTEMPTS)):
            yield Error(f"OPTIONS of TASKS[{self.alias!r}]: {wrong}.", id="tallystick.E003")

    def _job_options(self, task: Task) -> dict[str, Any]:
        attempts = getattr(task, _MAX_ATTEMPTS, None)
        run_at = task.run_after
        if run_at is not None and timezone.is_naive(run_at):
            run_at = timezone.make_aware(run_at)
        return {
            "queue": task.queue_name,
            "priority": task.priority,
            "run_at": run_at,
            "tags": (task.module_path[:_TAG_LENGTH],),
            "max_attempts": self.options.get(_MAX_ATTEMPTS, 1) if attempts is None else attempts,
        }

    def _store(self, call: Call[Any], options: dict[str, Any]) -> Record | UUID:
        """Store a job and return its record, or its id if it is stored when the open transaction commits."""
        if database_alias() is None and (others := open_databases()):
            id = uuid4()
            transaction.on_commit(partial(get_runner().enqueue, call, id=id, **options), using=others[0])
            return id
        handle: Handle[Any] = enqueue(call, **options)
        return handle.record


def _why_no_attempts(value: object) -> str | None:
    if value is None or (type(value) is int and 1 <= value <= _MOST_ATTEMPTS):
        return None
    return f"max_attempts is {value!r}; it must be a whole number from 1 to {_MOST_ATTEMPTS:,}"


def register(runner: ProjectRunner) -> None:
    """Let a runner work tasks, and send Django's signal when one has finished."""
    ours = [backend for backend in task_backends.all() if isinstance(backend, TallystickTasks)]
    for queue in sorted({DEFAULT_TASK_QUEUE_NAME}.union(*(backend.queues for backend in ours)) if ours else ()):
        kind = runner.register(definition(queue))
        runner.on_completed(kind=kind)(_send_finished)
        runner.on_discarded(kind=kind)(_send_finished)
        runner.on_cancelled(kind=kind)(_send_finished)


def _send_finished(record: Record, outcome: object) -> None:
    backend = task_backends[_call_of(record).backend]
    task_finished.send(type(backend), task_result=backend.get_result(str(record.id)))


def _call_of(record: Record) -> TaskCall:
    return TaskCall.model_validate_json(get_runner().read_payload(record))


def _result(record: Record, call: TaskCall) -> TaskResult:
    """Return the result of a task. The record has the worker and the start of the latest attempt only."""
    task = import_string(call.path).using(
        priority=record.priority, queue_name=record.queue, run_after=call.run_after, backend=call.backend
    )
    return TaskResult(
        task=task,
        id=str(record.id),
        status=_STATUS[record.state],
        enqueued_at=record.created_at,
        started_at=record.attempted_at,
        last_attempted_at=record.attempted_at,
        finished_at=record.finished_at,
        args=call.args,
        kwargs=call.kwargs,
        backend=call.backend,
        errors=[_error(error) for error in record.errors],
        worker_ids=[record.worker or ""] * record.attempt,
    )


def _unstored(id: UUID, task: Task, call: TaskCall) -> TaskResult:
    return TaskResult(
        task=task,
        id=str(id),
        status=TaskResultStatus.READY,
        enqueued_at=None,
        started_at=None,
        last_attempted_at=None,
        finished_at=None,
        args=call.args,
        kwargs=call.kwargs,
        backend=call.backend,
        errors=[],
        worker_ids=[],
    )


def _error(entry: AttemptError) -> TaskError:
    name = entry.error.type
    path = name if "." in name else f"builtins.{name}"
    return TaskError(exception_class_path=path, traceback=entry.error.traceback)
