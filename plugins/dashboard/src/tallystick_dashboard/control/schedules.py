"""Schedules: read, add, edit, pause, resume, run and remove them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

from pydantic import BaseModel, Field
from tallystick import InvalidArgument, InvalidPayload, NewSchedule, Schedule, parse_rule

from ..permissions import Permission, User
from ..rejections import Rejection
from .actions import Enqueued, check, encoded
from .masks import read_json
from .plane import ControlPlane
from .queries import Name
from .values import Value, masked_payload, payload_of

TICKS = 5


class ScheduleDocument(BaseModel):
    """A stored schedule."""

    name: str
    rule: str
    explained: str = Field(description="The rule in English words.")
    zone: str
    kind: str
    queue: str
    priority: int
    max_attempts: int
    tags: list[str]
    unique_key: str | None
    payload: Any = Field(description="The JSON value, with masked fields. None if the user may not see payloads.")
    payload_error: str | None = Field(description="Why the codec cannot decode the payload, which is then None.")
    missed: Literal["skip", "last", "all"]
    window: float = Field(description="Seconds.")
    start: datetime | None
    end: datetime | None
    declared: bool = Field(description="Whether code declares the schedule. Edits stay until the declaration changes.")
    paused: bool
    next_tick: datetime | None
    last_tick: datetime | None
    next_ticks: list[datetime] = Field(description="The next five ticks, as if it were not paused.")
    updated_at: datetime


class ScheduleForm(BaseModel):
    """A schedule to store."""

    name: str = Field(min_length=1, max_length=200)
    rule: str = Field(
        min_length=1, max_length=255, description="Cron text, a nickname such as @daily, or every 5 minutes."
    )
    kind: Name
    payload: Any = None
    queue: Name = "default"
    priority: int = Field(default=0, ge=-(2**15), le=2**15 - 1)
    max_attempts: int = Field(default=20, ge=1, le=1_000_000)
    zone: str = Field(default="UTC", max_length=64)
    missed: Literal["skip", "last", "all"] = "last"


class RulePreview(BaseModel):
    """A rule in words, and its next ticks."""

    rule: str
    explained: str
    next_ticks: list[datetime]


def document(plane: ControlPlane, user: User, schedule: Schedule, now: datetime) -> ScheduleDocument:
    """Return the document of a schedule."""
    payload = masked_payload(plane.runner, plane.masks, schedule) if user.can_see_payloads else Value()
    rule = schedule.parsed()
    same = {"name", "rule", "zone", "kind", "queue", "priority", "max_attempts", "unique_key", "missed", "start", "end"}
    return ScheduleDocument(
        **{name: getattr(schedule, name) for name in same},
        explained=rule.explain(),
        tags=list(schedule.tags),
        payload=payload.json,
        payload_error=payload.error,
        window=schedule.window.total_seconds(),
        declared=schedule.declared is not None,
        paused=schedule.paused,
        next_tick=schedule.next_tick,
        last_tick=schedule.last_tick,
        next_ticks=list(islice(rule.ticks(now, _END), TICKS)),
        updated_at=schedule.updated_at,
    )


_END = datetime.max.replace(tzinfo=UTC)


def all_schedules(plane: ControlPlane, user: User) -> list[ScheduleDocument]:
    """Return the stored schedules, sorted by name."""
    now = datetime.now(UTC)
    return [document(plane, user, schedule, now) for schedule in plane.backend.schedules()]


def one(plane: ControlPlane, user: User, name: str) -> ScheduleDocument:
    """Return a schedule; raise a `Rejection` if it does not exist."""
    return document(plane, user, _find(plane, name), datetime.now(UTC))


def _find(plane: ControlPlane, name: str) -> Schedule:
    for schedule in plane.backend.schedules([name]):
        return schedule
    raise Rejection(
        404, "schedule %(name)s was not found: it was never stored, or it was removed; check its name", name=repr(name)
    )


def preview(rule: str, zone: str = "UTC") -> RulePreview:
    """Return a rule in words, and its next ticks; raise `InvalidArgument` if it is not a rule."""
    parsed = parse_rule(rule, zone=zone or "UTC")
    ticks = list(islice(parsed.ticks(datetime.now(UTC), _END), TICKS))
    return RulePreview(rule=str(parsed), explained=parsed.explain(), next_ticks=ticks)


def put(plane: ControlPlane, user: User, form: ScheduleForm) -> ScheduleDocument:
    """Store a schedule, or change the stored one of the same name. Fields that the form lacks stay."""
    check(plane, user, Permission.SCHEDULES, f"schedule={form.name}")
    stored = next(iter(plane.backend.schedules([form.name])), None)
    payload = _payload(plane, user, form, stored)
    kept = {} if stored is None else {name: getattr(stored, name) for name in _KEPT}
    fields = form.model_dump(exclude={"payload"})
    key = _unique_key(plane, form.kind, payload, stored)
    new = NewSchedule(**{**kept, **fields, "payload": payload, "unique_key": key})
    changed = _put(plane, new, None if stored is None else stored.declared)
    plane.audit.record(user, "add schedule" if stored is None else "edit schedule", f"schedule={form.name}", 1)
    plane.shared.forget()
    return document(plane, user, changed, datetime.now(UTC))


def _put(plane: ControlPlane, new: NewSchedule, declared: str | None) -> Schedule:
    """Store a schedule. One that code declares keeps its fingerprint, so that the edit survives the next start.

    A store ignores a put with the same fingerprint, so the first put removes it. A worker that starts between the two
    puts stores its declaration, hence the second try.
    """
    changed = plane.runner.put_schedule(new)
    for _ in range(_TRIES if declared is not None else 0):
        changed = plane.runner.put_schedule(replace(new, declared=declared))
        if changed.rule == new.rule and payload_of(plane.runner, changed).json == read_json(new.payload):
            break
        plane.runner.put_schedule(new)
    return changed


_TRIES = 3
_KEPT = ("tags", "meta", "start", "end", "window")


def _unique_key(plane: ControlPlane, kind: str, payload: bytes, stored: Schedule | None) -> str | None:
    """Return the key of a schedule's jobs: a derived one follows the payload, and any other stays."""
    derived = _derived_key(plane, kind, payload)
    if stored is None:
        return derived
    try:
        before = _derived_key(plane, stored.kind, plane.runner.read_payload(stored))
    except (InvalidArgument, InvalidPayload):
        before = None
    return derived if stored.unique_key == before else stored.unique_key


def _derived_key(plane: ControlPlane, kind: str, payload: bytes) -> str | None:
    definition = plane.runner.definitions.get(kind)
    return None if definition is None else definition.unique_key(payload)


def _payload(plane: ControlPlane, user: User, form: ScheduleForm, stored: Schedule | None) -> bytes:
    if stored is not None and not user.can_see_payloads:
        return plane.runner.read_payload(stored)
    before = None if stored is None else payload_of(plane.runner, stored).json
    payload = encoded(plane.masks.restored(form.payload, before, form.kind))
    if (definition := plane.runner.definitions.get(form.kind)) is not None:
        definition.decode(payload)
    return payload


def set_paused(plane: ControlPlane, user: User, name: str, *, paused: bool) -> ScheduleDocument:
    """Pause or resume a schedule."""
    check(plane, user, Permission.SCHEDULES, f"schedule={name}")
    schedule = plane.runner.pause_schedule(name) if paused else plane.runner.resume_schedule(name)
    plane.audit.record(user, "pause schedule" if paused else "resume schedule", f"schedule={name}", 1)
    plane.shared.forget()
    return document(plane, user, schedule, datetime.now(UTC))


def run_now(plane: ControlPlane, user: User, name: str) -> Enqueued:
    """Enqueue a job of a schedule now."""
    check(plane, user, Permission.SCHEDULES, f"schedule={name}")
    handle = plane.runner.run_schedule(name)
    plane.audit.record(user, "run schedule", f"schedule={name}", 1)
    plane.shared.forget()
    return Enqueued(id=handle.id, created=not handle.duplicate)


def remove(plane: ControlPlane, user: User, name: str) -> None:
    """Remove a schedule; raise a `Rejection` if it does not exist. Its jobs stay."""
    check(plane, user, Permission.SCHEDULES, f"schedule={name}")
    _find(plane, name)
    plane.runner.remove_schedule(name)
    plane.audit.record(user, "remove schedule", f"schedule={name}", 1)
    plane.shared.forget()
