"""The tasks that the clauses enqueue. The project needs a backend `default` with the queue `default`."""

from typing import Any

from django.tasks import TaskContext, task


class Declined(Exception):
    """The error of the task `fail`."""


@task
def echo(value: object) -> object:
    """Return the argument."""
    return value


@task
def other(value: object) -> object:
    """Return the argument, as `echo` does."""
    return value


@task
def types_of(*args: object, **kwargs: object) -> dict[str, list[str]]:
    """Return the names of the types of the arguments."""
    return {
        "args": [type(value).__name__ for value in args],
        "kwargs": [f"{name}: {type(value).__name__}" for name, value in sorted(kwargs.items())],
    }


@task
def fail(reason: str) -> None:
    """Raise an exception of a project, with a cause."""
    raise Declined(reason) from KeyError("the cause")


@task
def leave() -> None:
    """Raise SystemExit, as `sys.exit` does."""
    raise SystemExit("the task leaves")


@task
def return_object() -> object:
    """Return a value that JSON does not have."""
    return object()


@task
def return_tuple() -> tuple[int, tuple[int, ...]]:
    """Return a value that JSON has in another form."""
    return (1, (2, 3))


@task(takes_context=True)
def see_context(context: TaskContext, value: object) -> dict[str, Any]:
    """Return the parts of the context."""
    return {
        "type": type(context).__name__,
        "attempt": context.attempt,
        "id": context.task_result.id,
        "status": str(context.task_result.status),
        "value": value,
    }
