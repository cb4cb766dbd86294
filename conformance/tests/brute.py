"""A simple checker for tiny histories: it tries every order of the calls on the kit's model.

Its time grows with the factorial of the number of overlapping calls. Tests use it to verify the fast checker `check`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from datetime import datetime
from typing import Any
from uuid import UUID

from tallystick import Filter, Hold, Record
from tallystick_conformance.contract.eligibility import is_eligible
from tallystick_conformance.contract.model import Model, bare
from tallystick_conformance.history.operation import Operation


def is_linearizable(history: Iterable[Operation], start: Mapping[UUID, Record] | None = None) -> bool:
    """Return whether some order of the calls, each at one moment between call and return, explains every result.

    A call of unknown outcome may have happened at any moment after its start, or never. A failed call never happened.
    Every call needs a `now`. The model applies each call as a whole, and an unknown call changes every record that it
    may change. Requeued jobs must not have unique keys.
    """
    model = Model()
    model.records.update(start or {})
    model.paused.update((record.queue, False) for record in model.records.values())
    return _explained(model, [operation for operation in history if not operation.failed])


def _explained(model: Model, rest: list[Operation]) -> bool:
    if all(operation.unknown for operation in rest):
        return True
    horizon = min(operation.over for operation in rest)
    for index, operation in enumerate(rest):
        if operation.began <= horizon:
            after = _copied(model)
            if _CALLS[operation.call](after, operation) and _explained(after, rest[:index] + rest[index + 1 :]):
                return True
    return False


def _copied(model: Model) -> Model:
    copied = copy(model)
    copied.records, copied.paused = dict(model.records), dict(model.paused)
    return copied


def _is_result(operation: Operation, expected: object) -> bool:
    return operation.unknown or bool(operation.answer == expected)


def _now(operation: Operation) -> datetime:
    now: datetime = operation.given["now"]
    return now


def _insert(model: Model, operation: Operation) -> bool:
    answers = [model.insert(new, _now(operation)) for new in operation.given["records"]]
    return _is_result(operation, [answer._replace(record=bare(answer.record)) for answer in answers])


def _claim(model: Model, operation: Operation) -> bool:
    given, now = operation.given, _now(operation)
    known = [queue for queue in given["queues"] if queue in model.paused]
    due = model.due(known, now)[: given["limit"]]
    for record in due:
        model.claim(record.id, given["worker"], given["lease"], now)
    return _is_result(operation, [bare(model.records[record.id]) for record in due])


def _extend(model: Model, operation: Operation) -> bool:
    return _is_result(operation, [_hold(model, claim, operation) for claim in operation.given["claims"]])


def _hold(model: Model, claim: Any, operation: Operation) -> Hold:
    record = model.current(claim)
    if record is None:
        return Hold.LOST
    model.extend(record.id, operation.given["lease"], _now(operation))
    return Hold.CANCEL_REQUESTED if record.cancel_requested else Hold.HELD


def _settle(model: Model, operation: Operation) -> bool:
    answers = []
    for outcome in operation.given["outcomes"]:
        answers.append(model.current(outcome.claim) is not None)
        if answers[-1]:
            model.settle(outcome, _now(operation))
    return _is_result(operation, answers)


def _rescue(model: Model, operation: Operation) -> bool:
    expired = [record.id for record in model.expired(_now(operation))]
    chosen = _chosen(operation, expired, [record.id for record in operation.answer or ()])
    for id in chosen or ():
        model.rescue(id, _now(operation))
    return chosen is not None and _is_result(operation, [bare(model.records[id]) for id in chosen])


def _changed(call: str, change: Callable[[Model, UUID, Operation], None]) -> Any:
    def changed(model: Model, operation: Operation) -> bool:
        fitting = [record.id for record in model.fitting(operation.given["filter"]) if is_eligible(call, record)]
        chosen = _chosen(operation, fitting, list(operation.answer or ()))
        for id in chosen or ():
            change(model, id, operation)
        return chosen is not None

    return changed


def _chosen(operation: Operation, eligible: list[UUID], answer: list[UUID]) -> list[UUID] | None:
    """Return the ids that the call changed: those in its result if they are allowed, else None."""
    count = min(operation.given["limit"], len(eligible))
    if operation.unknown:
        return eligible[:count]
    allowed = len(answer) == len(set(answer)) == count and set(answer) <= set(eligible)
    return answer if allowed else None


def _delete(model: Model, id: UUID, _operation: Operation) -> None:
    del model.records[id]


def _seen(expected: Callable[[Model, Mapping[str, Any]], object]) -> Any:
    def seen(model: Model, operation: Operation) -> bool:
        return _is_result(operation, expected(model, operation.given))

    return seen


def _listed(model: Model, given: Mapping[str, Any]) -> list[Record]:
    filter: Filter = given["filter"]
    return [bare(record) for record in model.fitting(filter)[: given["limit"]]]


def _switch(paused: bool) -> Any:
    def switch(model: Model, operation: Operation) -> bool:
        if paused or operation.given["queue"] in model.paused:
            model.paused[operation.given["queue"]] = paused
        return True

    return switch


def _found(model: Model, ids: Iterable[UUID]) -> Iterator[tuple[UUID, Record]]:
    return ((id, model.records[id]) for id in ids if id in model.records)


_CALLS: dict[str, Callable[[Model, Operation], bool]] = {
    "insert": _insert,
    "claim": _claim,
    "extend": _extend,
    "settle": _settle,
    "rescue": _rescue,
    "cancel": _changed(
        "cancel",
        lambda model, chosen, operation: model.cancel(chosen, _now(operation)),
    ),
    "requeue": _changed(
        "requeue",
        lambda model, chosen, operation: model.requeue(chosen, _now(operation)),
    ),
    "delete": _changed("delete", _delete),
    "get": _seen(lambda model, given: dict(_found(model, given["ids"]))),
    "list": _seen(_listed),
    "stats": _seen(lambda model, given: model.stats(given["now"])),
    "pause": _switch(True),
    "resume": _switch(False),
}
