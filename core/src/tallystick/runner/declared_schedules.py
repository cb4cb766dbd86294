"""Schedules that an application declares in code: build, check and store them."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, TypedDict

from pydantic import ValidationError

from ..config.settings import Settings
from ..config.stored_form import stored_payload
from ..contract.backend import Backend
from ..contract.schedules import Missed, NewSchedule, parse_rule
from ..contract.schedules.schedule import TAG
from ..errors import AlreadyStarted, DefinitionError, DuplicateSchedule, InvalidArgument, InvalidPayload
from ..jobs.declaration import Call, Declaration
from ..jobs.job_base import Job
from ..jobs.payload_versions import with_version
from ..messages.advice import unknown_option
from ..messages.safe_repr import safe_repr

_FINGERPRINT = 32


class ScheduleOptions(TypedDict, total=False):
    """The options of a schedule; see `NewSchedule`. An option of its jobs that you leave out comes from the kind.

    Args:
        every: The interval, in place of a rule.
        overlap: False inserts no job at a tick while the job of an earlier tick is unfinished. It is the default for a
            kind with `unique_by`: then no other job with the derived key may be unfinished, either.
    """

    every: timedelta
    name: str
    zone: str
    start: datetime
    end: datetime
    missed: Missed
    window: timedelta
    overlap: bool
    queue: str
    priority: int
    max_attempts: int
    tags: tuple[str, ...]
    meta: Mapping[str, str]


_OF_JOBS = ("queue", "priority", "tags", "meta")
_KNOWN = frozenset(ScheduleOptions.__annotations__)


def new_schedule(
    definition: Declaration[Any, Any],
    settings: Settings,
    payload: bytes,
    rule: str | None,
    options: Mapping[str, Any],
) -> NewSchedule:
    """Return the schedule to store for jobs of a kind. Its name defaults to the kind.

    Raises:
        InvalidArgument: an option does not exist, or its value cannot be stored; or the rule never fires.
        UnknownZone: the time zone is unknown.
    """
    given = {"name": definition.kind, **options}
    for word in given:
        if word not in _KNOWN:
            raise InvalidArgument(f"{word!r} is not an option of a schedule: {unknown_option(word, _KNOWN)}")
    text = _rule(rule, given.pop("every", None))
    overlap = given.pop("overlap", not definition.options.unique_by)
    if not isinstance(overlap, bool):
        raise InvalidArgument(f"overlap is {safe_repr(overlap)}; it must be True or False")
    defaults = {name: getattr(definition.options, name) for name in _OF_JOBS}
    defaults["max_attempts"] = settings.max_attempts_of(definition.options)
    given = {**defaults, **given}
    given["meta"] = with_version(given["meta"], definition.options.payload_version)
    schedule = NewSchedule(rule=text, kind=definition.kind, payload=payload, **given)
    if overlap:
        return schedule
    of_schedule_alone = TAG + schedule.name
    return replace(schedule, unique_key=definition.unique_key(payload) or of_schedule_alone)


def _rule(rule: str | None, every: timedelta | None) -> str:
    if (rule is None) == (every is None):
        raise InvalidArgument(
            'a schedule needs a rule or an interval: @runner.schedule("*/5 * * * *") or '
            "@runner.schedule(every=timedelta(minutes=5))"
        )
    if every is None:
        return rule  # type: ignore[return-value]  # NewSchedule checks it
    if not isinstance(every, timedelta):
        raise InvalidArgument(f"every is {safe_repr(every)}; it must be a timedelta, e.g. timedelta(minutes=5)")
    return str(parse_rule(every))


def job_of(target: object, payload: Any) -> Job[Any] | Call[Any]:
    """Return the job that each tick of a decorated function or class enqueues."""
    if isinstance(target, Declaration):
        return target.job(payload)
    if not isinstance(target, type) or not issubclass(target, Job):
        raise DefinitionError(
            f"@runner.schedule decorates {safe_repr(target)}, which is not registered yet; write it above "
            "@runner.job(...) or @runner.register"
        )
    if payload is not None:
        raise InvalidArgument(
            f"the payload of {target.__name__} is {safe_repr(payload)}; pass its fields in an instance: "
            f"runner.schedule(rule, {target.__name__}(...))"
        )
    try:
        return target()
    except ValidationError as exc:
        raise InvalidPayload(
            f"{target.__name__} has fields without defaults; pass an instance: "
            f"runner.schedule(rule, {target.__name__}(...))"
        ) from exc


class DeclaredSchedules:
    """The schedules that a runner puts into its store when its worker starts."""

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[NewSchedule, Declaration[Any, Any]]] = {}

    def add(self, schedule: NewSchedule, definition: Declaration[Any, Any], *, closed: bool) -> None:
        """Add a schedule. If its function is executed again, as in a notebook, it replaces the earlier one.

        Args:
            closed: Whether the runner has started.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateSchedule: another schedule has the same name.
        """
        schedule = replace(schedule, declared=_fingerprint(schedule))
        if (known := self._by_name.get(schedule.name)) is not None:
            other, other_definition = known
            if schedule != other and (definition is other_definition or definition.kind != other.kind):
                raise DuplicateSchedule(
                    f"two schedules have the name {schedule.name!r}, for the kinds {other.kind!r} and "
                    f'{schedule.kind!r}; give one of them another name: name="..."'
                )
        elif closed:
            raise AlreadyStarted(
                f"the schedule {schedule.name!r} cannot be declared because the runner has started; declare it before "
                "start(), or store it at once with runner.put_schedule(...)"
            )
        self._by_name[schedule.name] = schedule, definition

    def put(self, backend: Backend, settings: Settings) -> None:
        """Store the schedules that are new, or whose declaration has changed. They fire from now on."""
        schedules = [to_store(replace(schedule, after=None), settings) for schedule, _ in self._by_name.values()]
        size = backend.capabilities.max_batch
        for start in range(0, len(schedules), size):
            backend.put_schedules(schedules[start : start + size])


def to_store(schedule: NewSchedule, settings: Settings) -> NewSchedule:
    """Return a schedule with its payload as stored. Its fingerprint stays, since a codec may encrypt with a nonce."""
    stored = stored_payload(settings, schedule.payload, schedule.kind)
    return schedule if stored == schedule.payload else replace(schedule, payload=stored)


def _fingerprint(schedule: NewSchedule) -> str:
    """Return a hash of the fields without their defaults, so that a new field does not change it."""
    declared = [
        (field.name, getattr(schedule, field.name), field.default) for field in fields(schedule) if field.compare
    ]
    values = {name: _plain(value) for name, value, default in declared if name != "declared" and value != default}
    return sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:_FINGERPRINT]


def _plain(value: object) -> object:
    match value:
        case bytes():
            return value.hex()
        case datetime():
            return value.isoformat()
        case timedelta():
            return value / timedelta(seconds=1)
        case Mapping():
            return dict(value)
        case _:
            return value
