"""The valid results of a call, given the model before it: exactly one result, or a choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import FINAL, Claim, Filter, Hold, Outcome, Record, State

from ..model import Model
from ..tracing import Step


@dataclass(frozen=True, slots=True)
class Choice:
    """`count` items, at most one of each group. Items are ids, or the records that a rescue returns."""

    groups: Sequence[Sequence[UUID | Record]]
    count: int

    @property
    def is_free(self) -> bool:
        """Whether there is more than one valid choice."""
        return self.count < len(self.groups) or any(len(group) > 1 for group in self.groups)


def choice(step: Step, model: Model) -> Choice | None:
    """Return the choice that a call leaves to the backend, or None."""
    match step.method:
        case "rescue":
            return _some([[_rescued(model, record.id, step)] for record in model.expired(step.kwargs["now"])], step)
        case "cancel":
            fitting = model.fitting(step.args[0])
            return _some([[r.id] for r in fitting if r.state not in FINAL and not r.cancel_requested], step)
        case "requeue":
            return _some(_requeueable(model, step.args[0]), step)
        case "delete":
            return _some([[r.id] for r in model.fitting(step.args[0]) if r.state is not State.RUNNING], step)
        case "purge":
            return _some([[r.id] for r in model.purgeable(step.args[0], step.kwargs["before"])], step)
    return None


def _some(groups: Sequence[Sequence[UUID | Record]], step: Step) -> Choice:
    return Choice(groups, min(step.kwargs["limit"], len(groups)))


def _rescued(model: Model, id: UUID, step: Step) -> Record:
    other = model.copy()
    other.rescue(id, step.kwargs["now"])
    return other.records[id]


def _requeueable(model: Model, filter: Filter) -> list[list[UUID | Record]]:
    rivals: dict[object, list[UUID | Record]] = {}
    for record in model.fitting(filter):
        holder = model.holder(record.unique_key)
        if record.state not in (State.PENDING, State.RUNNING) and (holder is None or holder.id == record.id):
            rivals.setdefault(record.unique_key or record.id, []).append(record.id)
    return list(rivals.values())


def answer(step: Step, model: Model) -> Any:  # noqa: PLR0911 - one return for each call
    """Make a call without a choice on the model, and return its only valid result."""
    match step.method:
        case "insert":
            return [model.insert(new, step.kwargs["now"]) for new in step.args[0]]
        case "claim":
            return _claimed(model, step.args[0], **step.kwargs)
        case "extend":
            return [_held(model, claim, **step.kwargs) for claim in step.args[0]]
        case "settle":
            return [_applied(model, outcome, step.kwargs["now"]) for outcome in step.args[0]]
        case "get":
            return {id: model.records[id] for id in step.args[0] if id in model.records}
        case "list":
            return _page(model, *step.args, **step.kwargs)
    return None


def _claimed(
    model: Model, queues: Sequence[str], *, limit: int, worker: str, lease: timedelta, now: datetime
) -> list[Record]:
    due = model.due(queues, now)[:limit]
    for record in due:
        model.claim(record.id, worker, lease, now)
    return [model.records[record.id] for record in due]


def _held(model: Model, claim: Claim, *, lease: timedelta, now: datetime) -> Hold:
    record = model.current(claim)
    if record is None:
        return Hold.LOST
    model.extend(record.id, lease, now)
    return Hold.CANCEL_REQUESTED if record.cancel_requested else Hold.HELD


def _applied(model: Model, outcome: Outcome, now: datetime) -> bool:
    is_current = model.current(outcome.claim) is not None
    if is_current:
        model.settle(outcome, now)
    return is_current


def _page(model: Model, filter: Filter, *, limit: int, after: UUID | None = None) -> list[Record]:
    fitting = model.fitting(filter)
    return [record for record in fitting if after is None or record.id.bytes < after.bytes][:limit]
