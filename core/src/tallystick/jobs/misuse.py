"""Reject wrong arguments of the runner's methods, and explain what to write."""

from collections.abc import Collection, Iterable
from typing import Any, cast

from ..contract import validation
from ..errors import DefinitionError, InvalidArgument
from ..messages.safe_repr import safe_repr
from .declaration import Call, Declaration
from .job_base import Job

MISSING: Any = object()
"""Marks a missing argument, as when a decorator is written without it or with empty parentheses."""


def check_class(job: object) -> None:
    """Reject `@runner.register()`."""
    if job is MISSING:
        raise DefinitionError("@runner.register() takes no parentheses; write @runner.register above the class")


def check_kind(kind: object, decorator: str) -> None:
    """Reject a decorator without a kind."""
    if kind is MISSING or callable(kind):
        name = getattr(kind, "__name__", "generate")
        raise DefinitionError(f'@{decorator} needs the job\'s kind; write @{decorator}("{name}")')
    validation.name(cast("str", kind), "kind")


def check_callback(callback: object, decorator: str) -> None:
    """Reject a decorator of a callback with parentheses."""
    if callback is MISSING:
        raise DefinitionError(f"@runner.{decorator}() takes no parentheses; write @runner.{decorator}")


def check_rule(rule: object) -> None:
    """Reject `@runner.schedule` without parentheses."""
    if callable(rule):
        raise InvalidArgument('@runner.schedule needs a rule; write @runner.schedule("*/5 * * * *")')


def check_alone(more: tuple[object, ...]) -> None:
    """Reject a second positional argument of `enqueue`, such as the payload."""
    if more:
        raise InvalidArgument(
            f"enqueue got a second positional argument, {safe_repr(more[0])}; put the payload into the job: "
            "runner.enqueue(generate.job(payload)) or runner.enqueue(SendWelcome(user_id=7))"
        )


def check_time_first(first: object, options: Iterable[str], call: str) -> None:
    """Reject a job before its time, and a second time."""
    if isinstance(first, Job | Call):
        raise InvalidArgument(f"the job was passed as the first argument; write {call}")
    if "run_at" in options:
        raise InvalidArgument(f"run_at was passed to {call}, which already sets the time; use enqueue(job, run_at=...)")


def not_registered(job: object, registered: Collection[type[Job[Any]]]) -> str:
    """Return why a value cannot be enqueued, and how to enqueue it."""
    if isinstance(job, Job):
        return not_registered_class(type(job), registered)
    if isinstance(job, Call):
        kind, name = job.definition.kind, job.definition.call.partition(".")[0]
        return (
            f"the job {kind!r} is not registered with this runner, or was redefined after its registration; write "
            f"runner.register({name}), or runner.include(module) for all jobs of a module"
        )
    if isinstance(job, Declaration):
        return f"the job {job.kind!r} was passed without its payload; write runner.enqueue({job.call})"
    return f"{safe_repr(job)} is not a job; {_instead(job)}"


def not_registered_class(job: type[Job[Any]], registered: Collection[type[Job[Any]]]) -> str:
    """Return why an instance of a class cannot be enqueued, and how to register the class."""
    name = job.__name__
    if parent := next((parent for parent in job.__mro__[1:] if parent in registered), None):
        return (
            f"{name} is not registered with this runner, only its base class {parent.__name__}; give {name} its own "
            "kind and register it"
        )
    return (
        f"{name} is not registered with this runner, or was redefined after its registration; write @runner.register "
        "above the class"
    )


def _instead(job: object) -> str:
    match job:
        case type() if issubclass(job, Job):
            return f"it is a class; enqueue an instance: runner.enqueue({job.__name__}(...))"
        case str():
            return "to enqueue by kind and encoded payload, write runner.enqueue_raw(kind, payload)"
        case _ if callable(job):
            return 'decorate it with @runner.job("kind"), and enqueue the return value of its .job(payload)'
        case _:
            return "enqueue an instance of a Job class, or the return value of .job(payload)"
