"""The clauses of a backend of `django.tasks`, from the reference of Django 6.1. The id of a clause never changes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaskClause:
    """One testable statement of Django's documentation."""

    id: str
    text: str
    source: str
    """The name in Django's reference that makes the statement."""


_ALL = (
    TaskClause("DJANGO-01", "enqueue returns a result with the task, its arguments and its backend.", "enqueue"),
    TaskClause("DJANGO-02", "The id of each result is a different string, of 1 to 63 characters.", "TaskResult.id"),
    TaskClause(
        "DJANGO-03",
        "A task that waits is READY, without start, end, error and attempt; return_value raises ValueError.",
        "TaskResultStatus.READY",
    ),
    TaskClause("DJANGO-04", "A task receives its arguments as a round trip through JSON leaves them.", "Task.enqueue"),
    TaskClause("DJANGO-05", "An argument that JSON does not have raises TypeError; no task exists.", "Task.enqueue"),
    TaskClause(
        "DJANGO-06",
        "A task that returns is SUCCESSFUL, with its return_value, no error and one attempt.",
        "TaskResultStatus.SUCCESSFUL",
    ),
    TaskClause(
        "DJANGO-07",
        "The times are in order: enqueued_at, started_at, last_attempted_at, finished_at.",
        "TaskResult.enqueued_at",
    ),
    TaskClause("DJANGO-08", "return_value is the value as a round trip through JSON leaves it.", "return_value"),
    TaskClause("DJANGO-09", "A task whose value JSON does not have is FAILED, with a TypeError.", "return_value"),
    TaskClause(
        "DJANGO-10",
        "A task that raises is FAILED, with the class and the traceback of its error; return_value raises ValueError.",
        "TaskError",
    ),
    TaskClause(
        "DJANGO-11", "A task that raises SystemExit is FAILED, and the next task runs.", "TaskResultStatus.FAILED"
    ),
    TaskClause(
        "DJANGO-12",
        "takes_context passes a TaskContext: attempt 1, and the result of this task, which is RUNNING.",
        "TaskContext",
    ),
    TaskClause(
        "DJANGO-13", "enqueue rejects a task whose queue is not in QUEUES, with InvalidTask.", "Task.queue_name"
    ),
    TaskClause("DJANGO-14", "enqueue rejects a priority that is not a whole number from -100 to 100.", "Task.priority"),
    TaskClause(
        "DJANGO-15", "An async task runs; without supports_async_task, it is an InvalidTask.", "supports_async_task"
    ),
    TaskClause(
        "DJANGO-16",
        "A task with run_after runs then, not before; without supports_defer, it is an InvalidTask.",
        "supports_defer",
    ),
    TaskClause("DJANGO-17", "enqueue rejects a run_after without a time zone if USE_TZ is on.", "Task.run_after"),
    TaskClause(
        "DJANGO-18",
        "Waiting tasks start by priority, the highest first; without supports_priority, one is an InvalidTask.",
        "supports_priority",
    ),
    TaskClause(
        "DJANGO-19",
        "get_result returns an equal result in any thread; without supports_get_result, NotImplementedError.",
        "supports_get_result",
    ),
    TaskClause(
        "DJANGO-20", "get_result raises TaskResultDoesNotExist for an unknown id of any form.", "TaskResultDoesNotExist"
    ),
    TaskClause("DJANGO-21", "Task.get_result raises TaskResultMismatch for another task's id.", "TaskResultMismatch"),
    TaskClause("DJANGO-22", "A result changes only with refresh, which sets every attribute.", "TaskResult.refresh"),
    TaskClause("DJANGO-23", "aenqueue, aget_result and arefresh do as their sync variants.", "aenqueue"),
    TaskClause("DJANGO-24", "The backend's class sends task_enqueued once, with the result.", "task_enqueued"),
    TaskClause(
        "DJANGO-25",
        "The backend's class sends task_started once, with RUNNING, and task_finished once, with the final status.",
        "task_finished",
    ),
    TaskClause(
        "DJANGO-26",
        "A task enqueued by transaction.on_commit runs after a commit, and never after a rollback.",
        "enqueue",
    ),
    TaskClause("DJANGO-27", "A task and its result are the same after pickle, from Django 6.1 on.", "TaskResult"),
)

CLAUSES = {clause.id: clause for clause in _ALL}
