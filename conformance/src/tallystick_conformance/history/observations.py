"""Split a history into facts: the effect of each operation on each record."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from tallystick import Hold, NewRecord

from ..contract.eligibility import ELIGIBLE
from . import effects
from .effects import Effect
from .operation import Operation


class Fact(NamedTuple):
    """The effect of one operation on one record.

    Args:
        operation: The operation.
        effect: Its effect on the record.
        ended: The latest moment at which it can have happened.
        certain: Whether it certainly happened.
        reads: Whether it only reads.
    """

    operation: Operation
    effect: Effect
    ended: float
    certain: bool = True
    reads: bool = False

    @property
    def began(self) -> int:
        """The earliest moment at which it can have happened."""
        return self.operation.began

    @property
    def touches(self) -> bool:
        """Whether it may lock the record for a moment, as even a rejected claim or a duplicate may."""
        return self.operation.call not in ("get", "list")


Facts = dict[UUID, list[Fact]]


def gather(history: Iterable[Operation]) -> tuple[Facts, list[Operation]]:
    """Return the facts about each record, and the operations for which the changed records are unknown."""
    facts: defaultdict[UUID, list[Fact]] = defaultdict(list)
    vague: list[Operation] = []
    for operation in history:
        if operation.failed:
            continue
        found = list(_of(operation))
        for id, fact in found:
            facts[id].append(fact)
        if _is_vague(operation):
            vague.append(operation)
    return dict(facts), vague


def _is_vague(operation: Operation) -> bool:
    if operation.call == "purge":
        return operation.unknown or operation.answer > 0
    return operation.unknown and (operation.call in ELIGIBLE or bool(_policies(operation)))


def _policies(operation: Operation) -> list[NewRecord]:
    """Return the records of an insert that may have changed another job. The kit's batches have at most one."""
    records = operation.given["records"] if operation.call == "insert" else ()
    return [new for new in records if new.on_conflict != "skip"]


def _of(operation: Operation) -> Iterator[tuple[UUID, Fact]]:
    if operation.unknown:
        for id, effect in _UNANSWERED.get(operation.call, _nothing)(operation):
            yield id, Fact(operation, effect, operation.over, certain=False)
        return
    for id, effect, reads in _ANSWERED.get(operation.call, _nothing)(operation):
        yield id, Fact(operation, effect, operation.over, reads=reads)


def _nothing(_: Operation) -> Iterator[Any]:
    return iter(())


Certain = Iterator[tuple[UUID, Effect, bool]]
Uncertain = Iterator[tuple[UUID, Effect]]


def _insert(operation: Operation) -> Certain:
    now = operation.given.get("now")
    for new, answer in zip(operation.given["records"], operation.answer, strict=False):
        if answer.created:
            yield new.id, effects.inserted(new, now, answer.record), False
            continue
        if answer.applied is None:
            yield answer.record.id, effects.seen(answer.record), True
        else:
            yield answer.record.id, effects.met(new, now, answer.record), False
        if answer.record.id != new.id:
            yield new.id, effects.missing, True


def _claim(operation: Operation) -> Certain:
    given = operation.given
    for record in operation.answer:
        yield record.id, effects.claimed(given["worker"], given["lease"], given.get("now"), record), False


def _extend(operation: Operation) -> Certain:
    given = operation.given
    for claim, hold in zip(given["claims"], operation.answer, strict=False):
        if hold is Hold.LOST:
            yield claim.id, effects.refused(claim), True
        else:
            yield claim.id, effects.extended(claim, hold, given["lease"], given.get("now")), False


def _report(operation: Operation) -> Certain:
    for report, stored in zip(operation.given["reports"], operation.answer, strict=False):
        effect = effects.reported(report, operation.given.get("now")) if stored else effects.refused(report.claim)
        yield report.claim.id, effect, not stored


def _settle(operation: Operation) -> Certain:
    for outcome, applied in zip(operation.given["outcomes"], operation.answer, strict=False):
        effect = effects.settled(outcome, operation.given.get("now")) if applied else effects.refused(outcome.claim)
        yield outcome.claim.id, effect, not applied


def _rescue(operation: Operation) -> Certain:
    for record in operation.answer:
        yield record.id, effects.rescued(operation.given.get("now"), record), False


def _get(operation: Operation) -> Certain:
    for id in dict.fromkeys(operation.given["ids"]):
        record = operation.answer.get(id)
        yield id, effects.missing if record is None else effects.seen(record, with_details=True), True


def _list(operation: Operation) -> Certain:
    for record in operation.answer:
        yield record.id, effects.seen(record), True


def _changed(operation: Operation) -> Certain:
    for id in operation.answer:
        yield id, _change(operation), False


def _change(operation: Operation) -> Effect:
    filter, now = operation.given["filter"], operation.given.get("now")
    match operation.call:
        case "cancel":
            return effects.cancelled(filter, now)
        case "requeue":
            return effects.requeued(filter, now)
        case "update":
            return effects.updated(filter, operation.given["changes"], now)
        case _:
            return effects.deleted(filter)


def _perhaps_inserted(operation: Operation) -> Uncertain:
    for new in operation.given["records"]:
        yield new.id, effects.inserted(new, operation.given.get("now"), None)


def _perhaps_extended(operation: Operation) -> Uncertain:
    for claim in operation.given["claims"]:
        yield claim.id, effects.extended(claim, None, operation.given["lease"], operation.given.get("now"))


def _perhaps_reported(operation: Operation) -> Uncertain:
    for report in operation.given["reports"]:
        yield report.claim.id, effects.reported(report, operation.given.get("now"))


def _perhaps_settled(operation: Operation) -> Uncertain:
    for outcome in operation.given["outcomes"]:
        yield outcome.claim.id, effects.settled(outcome, operation.given.get("now"))


_ANSWERED = {
    "insert": _insert,
    "claim": _claim,
    "extend": _extend,
    "report_progress": _report,
    "settle": _settle,
    "rescue": _rescue,
    "get": _get,
    "list": _list,
    "cancel": _changed,
    "requeue": _changed,
    "delete": _changed,
    "update": _changed,
}
_UNANSWERED = {
    "insert": _perhaps_inserted,
    "extend": _perhaps_extended,
    "report_progress": _perhaps_reported,
    "settle": _perhaps_settled,
}


def perhaps(operation: Operation, id: UUID, queue: str | None) -> Fact | None:
    """Return the possible effect of a vague operation on a record, or None; `queue` may be unknown."""
    effect = _perhaps(operation, id, queue)
    return None if effect is None else Fact(operation, effect, operation.over, certain=False)


def _perhaps(operation: Operation, id: UUID, queue: str | None) -> Effect | None:
    given = operation.given
    match operation.call:
        case "claim":
            claimed = effects.claimed(given["worker"], given["lease"], given.get("now"), None)
            return claimed if queue is None or queue in given["queues"] else None
        case "rescue":
            return effects.rescued(given.get("now"), None)
        case "insert":
            return effects.met(_policies(operation)[-1], given.get("now"), None)
        case "purge":
            return effects.purged(frozenset(given["states"]), given["before"])
        case _:
            filter = given["filter"]
            return _change(operation) if filter.ids is None or id in filter.ids else None
