"""Messages for what is given to an enqueue in place of a job."""

from collections.abc import Collection
from typing import Any

from .definition import Call, Definition
from .job import Job
from .validation import shown


def not_registered(job: object, registered: Collection[type[Job[Any]]]) -> str:
    """Return why something cannot be enqueued, and what to write instead."""
    if isinstance(job, Job):
        return _unregistered(type(job), registered)
    if isinstance(job, Call):
        return f"the job {job.definition.kind!r} was not registered with this runner, or was defined again since"
    if isinstance(job, Definition):
        return f"the job {job.kind!r} was given without its payload; write runner.enqueue({job.call})"
    return f"{shown(job)} is no job; {_instead(job)}"


def _unregistered(job: type[Job[Any]], registered: Collection[type[Job[Any]]]) -> str:
    name = job.__name__
    if parent := next((parent for parent in job.__mro__[1:] if parent in registered), None):
        return (
            f"{name} was not registered with this runner, only {parent.__name__}, of which it is a subclass; give it a "
            "kind of its own and register it"
        )
    return (
        f"{name} was not registered with this runner, or was defined again since; write @runner.register above the "
        "class"
    )


def _instead(job: object) -> str:
    match job:
        case type() if issubclass(job, Job):
            return f"it is a class; enqueue an instance: runner.enqueue({job.__name__}(...))"
        case str():
            return "by its kind and encoded payload a job is runner.enqueue_raw(kind, payload)"
        case _ if callable(job):
            return 'decorate it with @runner.job("kind"), and enqueue what its .job(payload) returns'
        case _:
            return "enqueue an instance of a Job class, or what .job(payload) returns"
