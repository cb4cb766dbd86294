"""Messages for a wrong argument in place of a job."""

from collections.abc import Collection
from typing import Any

from .definition import Call, Definition
from .job import Job
from .safe_repr import safe_repr


def not_registered(job: object, registered: Collection[type[Job[Any]]]) -> str:
    """Return why a value cannot be enqueued, and how to enqueue it."""
    if isinstance(job, Job):
        return _unregistered(type(job), registered)
    if isinstance(job, Call):
        kind = job.definition.kind
        return f"the job {kind!r} is not registered with this runner, or was redefined after its registration"
    if isinstance(job, Definition):
        return f"the job {job.kind!r} was passed without its payload; write runner.enqueue({job.call})"
    return f"{safe_repr(job)} is not a job; {_instead(job)}"


def _unregistered(job: type[Job[Any]], registered: Collection[type[Job[Any]]]) -> str:
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
