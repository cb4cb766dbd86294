"""The status of the runner, its definitions, the counts and the recent jobs: the document of `GET /jobs`."""

from typing import Any

from pydantic import BaseModel, Field
from tallystick import Definition, Settings, State

from ..permissions import User
from .counts import JobCount
from .documents import JobDocument
from .jobs import recent
from .overview import QueueDocument, queues_of
from .plane import ControlPlane

RECENT = 20


class RunnerDocument(BaseModel):
    """The runner of the dashboard's process. Workers in other processes are in `/api/workers`."""

    running: bool
    worker: str
    queues: list[str] | None
    concurrency: int
    counts: dict[str, int] = Field(description="What its worker does now, and its attempts since the start.")


class DefinitionDocument(BaseModel):
    """A registered kind."""

    kind: str
    type: str = Field(description="The handler: its module and name.")
    queue: str
    priority: int
    max_attempts: int
    timeout: float | None = Field(description="Seconds.")
    raw: bool
    payload_schema: dict[str, Any] | None = Field(description="The JSON schema of the payload. None for a raw kind.")


class Status(BaseModel):
    """The runner, its definitions, the counts of the store and the newest jobs."""

    runner: RunnerDocument
    definitions: list[DefinitionDocument]
    by_state: dict[State, JobCount]
    queues: list[QueueDocument]
    recent: list[JobDocument]


def status(plane: ControlPlane, user: User) -> Status:
    """Return the status."""
    snapshot = plane.snapshot()
    return Status(
        runner=_runner(plane),
        definitions=definitions(plane),
        by_state=dict(snapshot.by_state),
        queues=queues_of(snapshot),
        recent=recent(plane, user, RECENT),
    )


def _runner(plane: ControlPlane) -> RunnerDocument:
    runner = plane.runner
    counts = runner.snapshot()._asdict()
    return RunnerDocument(
        running=runner.running,
        worker=runner.settings.worker,
        queues=None if runner.settings.queues is None else list(runner.settings.queues),
        concurrency=runner.settings.concurrency,
        counts={name: int(value) for name, value in counts.items() if name != "running"},
    )


def definitions(plane: ControlPlane) -> list[DefinitionDocument]:
    """Return the registered kinds, sorted by name."""
    settings = plane.runner.settings
    return [definition_document(each, settings) for _, each in sorted(plane.runner.definitions.items())]


def definition_document(definition: Definition[Any, Any], settings: Settings) -> DefinitionDocument:
    """Return the document of a registered kind."""
    options, handler = definition.options, definition.handler
    timeout = settings.timeout_of(options, options.queue)
    name = f"{getattr(handler, '__module__', '')}.{getattr(handler, '__qualname__', type(handler).__name__)}"
    return DefinitionDocument(
        kind=definition.kind,
        type=name.strip("."),
        queue=options.queue,
        priority=options.priority,
        max_attempts=settings.max_attempts_of(options),
        timeout=None if timeout is None else timeout.total_seconds(),
        raw=definition.payloads is None,
        payload_schema=definition.payload_schema(),
    )
