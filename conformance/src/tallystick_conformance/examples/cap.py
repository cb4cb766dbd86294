"""The capabilities that a backend declares. The kit probes undeclared ones, and gives a notice if they work anyway."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from tallystick import Changes, Claim, Complete, Filter, NewRecord, Record, Unsupported

from ..harness.case import LEASE, NOW, Case, example
from ..harness.children import Child, require_sendable, run_in_processes
from ..harness.threads import Beside
from ..harness.violation import Violation
from .wait import SOON

_IDS = tuple(UUID(int=n << 100) for n in (1, 2, 3))
_WAIT = timedelta(seconds=2)
_A_MOMENT = 0.3


@example("CAP-01")
def undeclared_transactions_are_rejected(case: Case) -> None:
    """If `transactions` is not declared, insert and settle with a transaction raise Unsupported and do nothing."""
    if case.capabilities.transactions:
        return
    new = [NewRecord(kind="k", queue="new")]
    case.refuses(Unsupported, lambda: case.backend.insert(new, transaction=object(), now=NOW))
    case.refuses(Unsupported, lambda: case.backend.insert([], transaction=object(), now=NOW))
    case.refuses(Unsupported, case.backend.transaction)
    ended = [Complete(case.running().claim)]
    case.refuses(Unsupported, lambda: case.backend.settle(ended, transaction=object(), now=NOW))
    case.refuses(Unsupported, lambda: case.backend.settle([], transaction=object(), now=NOW))


@example("CAP-11")
def undeclared_error_text_is_rejected(case: Case) -> None:
    """If `error_text` is not declared, each call with a filter that has it raises Unsupported and does nothing."""
    if case.capabilities.error_text:
        return
    case.insert(NewRecord(kind="k"))
    backend, filter = case.backend, Filter(error_text="text")
    calls: tuple[Callable[[], object], ...] = (
        partial(backend.list, filter, limit=9),
        partial(backend.count, filter),
        partial(backend.cancel, filter, limit=9, now=NOW),
        partial(backend.requeue, filter, limit=9, now=NOW),
        partial(backend.delete, filter, limit=9),
        partial(backend.update, filter, Changes(priority=1), limit=9, now=NOW),
    )
    for call in calls:
        case.refuses(Unsupported, call)


@example("CAP-04")
def capabilities_make_sense(case: Case) -> None:
    """Every client declares the same capabilities, even before its first use, with limits of at least one."""
    declared = case.capabilities
    case.equal(declared, case.client().capabilities)
    case.that(timedelta(0) < declared.time_precision <= timedelta(seconds=1), "a precision up to 1 s", declared)
    case.that(
        declared.max_payload_bytes >= 1 and declared.max_batch >= 1,
        "max_payload_bytes and max_batch of at least 1",
        declared,
    )


@example("CAP-05")
def a_store_opened_anew_is_whole(case: Case) -> None:
    """Without `durable`, all jobs of a killed process are as they were after one of its calls, or none is stored."""
    if case.capabilities.durable:
        return
    require_sendable(case)
    case.raw.close()
    [result] = run_in_processes(case, _write)
    if result.error:
        return  # the process could not open the store: CAP-06 covers that
    again = case.client()
    again.setup()
    found = again.get(_IDS)
    case.that(len(found) in (0, len(_IDS)), "the whole batch, or none of it", list(found.values()))
    for record in found.values():
        case.that(record in result.value, f"one of {[one for one in result.value if one.id == record.id]}", record)
    case.equal(len(found), again.stats(now=NOW).total)
    answers = again.insert(_batch(), now=NOW)
    case.equal([not found] * len(_IDS), [answer.created for answer in answers])
    if [record for record in result.value if record.id in found][-len(_IDS) :] == list(found.values()) != []:
        case.notice = "durable could be declared: every write of a killed process was stored"


def _write(child: Child) -> list[Record]:
    """Insert, claim and complete a batch, and return each record as it was after each call."""
    backend = child.open()
    backend.setup()
    seen = [answer.record for answer in backend.insert(_batch(), now=NOW)]
    seen += backend.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW)
    backend.settle([Complete(record.claim, b"result") for record in seen[len(_IDS) :]], now=NOW)
    return [*seen, *backend.get(_IDS).values()]


def _batch() -> list[NewRecord]:
    return [NewRecord(kind="k", id=id, unique_key=f"key {n}", unique_until="purged") for n, id in enumerate(_IDS)]


@example("CAP-06")
def another_process_does_no_harm(case: Case) -> None:
    """Without `multi_process`, another process raises an error, has its own store, or shares this one correctly."""
    if case.capabilities.multi_process:
        return
    require_sendable(case)
    case.running(unique_key="held")
    case.insert(NewRecord(kind="k"), NewRecord(kind="k"))
    before = case.contents()
    [result] = run_in_processes(case, _work_too)
    case.that(result.rejected or not result.error, "a result or a TallystickError", result.error)
    if result.rejected or not result.value.shared:
        case.equal(before, case.contents())
        return
    claims = result.value.claims
    case.that(not result.value.took_key, "a unique key with one holder", "the other process took it too")
    case.equal(claims, [record.claim for record in case.backend.get([claim.id for claim in claims]).values()])
    case.equal([], case.claim())
    case.equal([True] * len(claims), list(case.backend.settle([Complete(claim) for claim in claims], now=NOW)))
    case.notice = "multi_process could be declared: another process shared the store"


class _Worked(NamedTuple):
    """Result of the other process: whether it saw these jobs, its claims, and whether it obtained the held key."""

    shared: bool
    claims: list[Claim]
    took_key: bool


def _work_too(child: Child) -> _Worked:
    with child.open() as backend:
        backend.setup()
        seen = backend.list(Filter(), limit=9)
        claimed = backend.claim(["default"], limit=9, worker="other", lease=LEASE, now=NOW)
        [answer] = backend.insert([NewRecord(kind="k", queue="other", unique_key="held")], now=NOW)
        return _Worked(bool(seen), [record.claim for record in claimed], answer.created)


@example("CAP-07")
def a_wait_ends_without_notice(case: Case) -> None:
    """Without `notify`, a wait ends by its timeout after another client's insert, and the next wait returns True."""
    if case.capabilities.notify:
        return
    other, started = case.client(), monotonic()
    wait = Beside(lambda: (case.raw.wait(["default"], timeout=_WAIT), monotonic() - started))
    with suppress(TimeoutError):
        wait.answer(_A_MOMENT)  # lets the wait check for jobs before the insert
    other.insert([NewRecord(kind="k")])
    try:
        _, seconds = wait.answer(_WAIT.total_seconds() + SOON)
    except TimeoutError as exc:
        raise Violation(
            case.clause_id, f"an end after {_WAIT.total_seconds()} s", "the wait continues", case.steps
        ) from exc
    case.equal(True, case.backend.wait(["default"], timeout=_WAIT))
    if seconds < _WAIT.total_seconds() / 2:
        case.notice = "notify could be declared: another client's insert ended a wait before its timeout"
