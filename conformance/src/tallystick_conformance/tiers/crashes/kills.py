"""Processes that die at each step of a call: the state that they leave, and whether the store still works."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from inspect import signature
from time import monotonic_ns
from typing import NamedTuple
from uuid import UUID

from tallystick import Advance, Backend, Complete, Filter, NewRecord, Record, Schedule, State

from ...contract.eligibility import FINAL
from ...contract.model import bare
from ...contract.registers import id_of
from ...examples.meter import MINUTE, START
from ...examples.restore import whole
from ...examples.tick import schedule
from ...gates import StepObserver
from ...harness.case import LEASE, NOW, Case, NotRun, example
from ...harness.children import require_sendable
from ...harness.violation import Violation
from ...history.check import check
from ...history.operation import Operation
from ...history.recorder import Recorder
from ..schedules.explore import seen
from ..schedules.play import lines, make
from ..schedules.program import (
    IDS,
    QUEUE,
    Call,
    Calls,
    call,
    cancel,
    claim,
    complete,
    delete,
    discard,
    extend,
    insert,
    purge,
    requeue,
    rescue,
    retry,
    settle,
    update,
)
from .child import ChildReport, Death
from .fork_server import fork_server

_MANY = 2_000
_LONG = 1_200
"""Larger than the sizes, up to 1,000, into which backends have been seen to split a batch."""

_DENSE = 4
"""How many times as many steps of a long insert are interrupted: two of its parts may have one step between them."""

_STOCK = (insert(0, 1, 2),)
_RUNNING = (*_STOCK, claim())
_ENDED = (*_RUNNING, settle(complete(0), retry(1), discard(2)))
_LONG_AFTER = NOW + timedelta(days=1)

_INSERT = ((), insert(0, 1, 2))
_EACH: tuple[tuple[Calls, Call], ...] = (
    (_STOCK, claim()),
    (_RUNNING, call("extend", [*extend(0).args[0], *extend(1).args[0]], lease=LEASE, now=NOW + LEASE)),
    (_RUNNING, settle(complete(0), retry(1), discard(2))),
    (_RUNNING, rescue()),
    ((*_STOCK, claim(1)), cancel(0, 1, 2)),
    (_STOCK, update(0, 1, 2, priority=7)),
    (_ENDED, requeue(0, 1, 2)),
    (_ENDED, delete(0, 1, 2)),
    (_ENDED, purge()),
)


class _Left(NamedTuple):
    """What a dead process left: the history, its call's number of steps (0 without a result), records and queues.

    `later` has each record after a rescue, in which a backend may complete what the process began.
    `at_last` has each queue after the jobs of an insert were deleted. `schedules` has the schedules.
    """

    history: Sequence[Operation]
    steps: int
    records: dict[UUID, Record]
    later: dict[UUID, Record]
    queues: Sequence[str]
    at_last: Sequence[str]
    schedules: Sequence[Schedule]


@example("CRASH-01")
def returned_means_stored(case: Case) -> None:
    """Each call that returned before its process was killed has taken effect for the next client."""
    steps = _prepared(case)
    for before, last in (_INSERT, *_EACH):
        _require_explained(case, _state_after_death(case, steps, before, last, 0))


@example("CRASH-02")
def inserts_are_whole(case: Case) -> None:
    """An insert whose process dies at any step stores all its jobs and their queue, or nothing."""
    for left in _deaths(case, *_INSERT):
        for found in (left.records, left.later):
            case.that(len(found) in (0, len(IDS)), "the whole batch, or none of it", list(found.values()))
        listed = list(left.queues)
        if left.records or not left.later:  # else the insert took effect between these reads
            case.equal([QUEUE] if left.records else [], listed)
        case.equal([QUEUE] if left.later else [], list(left.at_last))


@example("CRASH-02")
def a_job_comes_with_its_queue(case: Case) -> None:
    """A single job is stored together with its queue, which stays known after the job is deleted."""
    for left in _deaths(case, (), insert(0)):
        case.equal([QUEUE] if left.later else [], list(left.at_last))


@example("CRASH-02")
def long_inserts_are_whole(case: Case) -> None:
    """An insert that the backend splits is stored whole or not at all if its process dies between the parts."""
    size = min(_LONG, case.capabilities.max_batch)
    new = [NewRecord(kind="k", id=UUID(int=n + 1), unique_key=f"key {n}") for n in range(size)]
    for left in _each_step(case, _prepared(case), (), call("insert", new, now=NOW), most=_DENSE * case.profile.crashes):
        for found in (left.records, left.later):
            case.that(len(found) in (0, size), f"{size} jobs, or none of them", f"{len(found)} jobs")


@example("CRASH-03")
def each_record_is_whole(case: Case) -> None:
    """A call on several jobs whose process dies at any step leaves each job as before or as after the call."""
    for before, last in _EACH:
        for left in _deaths(case, before, last):
            _require_explained(case, left)


@example("CRASH-04")
def nothing_is_held_up(case: Case) -> None:
    """After a process has died in any call, others can set up, insert, rescue and finish each job."""
    for before, last in (_INSERT, (_STOCK, claim()), (_RUNNING, rescue())):
        for left in _deaths(case, before, last, must_work=True):
            _require_explained(case, left)


@example("CRASH-05")
def setups_can_be_repeated(case: Case) -> None:
    """After a process has died at any step of setup, another process can set the store up and use it."""
    steps = _prepared(case)
    for _ in _each_step(case, steps, (), call("setup"), most=case.profile.crashes, must_work=True):
        pass


@example("CRASH-06")
def advances_are_whole(case: Case) -> None:
    """If a process dies at any step of an advance, each schedule has moved and all its jobs follow, or nothing has."""
    names, ticks = ("a", "b"), tuple(START - n * MINUTE for n in (2, 1, 0))
    put = call("put_schedules", [schedule(name, after=START - 9 * MINUTE) for name in names], now=NOW)
    advances = [Advance(name=name, revision=1, next_tick=START + MINUTE, ticks=ticks) for name in names]
    for left in _deaths(case, (put,), call("advance", advances, now=NOW)):
        expected = {id_of(one.name, tick) for one in left.schedules if one.revision == 2 for tick in ticks}
        case.that(set(left.records) <= expected, f"only the jobs {sorted(expected)}", sorted(left.records))
        case.equal(expected, set(left.later))
        for one in left.schedules:
            moved = one.revision == 2
            places = (START + MINUTE, START) if moved else (START - 8 * MINUTE, None)
            case.equal(places, (one.next_tick, one.last_tick))


@example("CRASH-07")
def restores_are_whole(case: Case) -> None:
    """A restore whose process dies at any step stores all its records and their queue, or nothing."""
    records = [
        whole(State.RUNNING, unique_key="a"),
        whole(State.RETRYING, tags=("t",)),
        whole(State.COMPLETED, unique_key="b", unique_until="purged"),
    ]
    for left in _deaths(case, (), call("restore", records, now=NOW)):
        for found in (left.records, left.later):
            case.that(len(found) in (0, len(records)), "the whole batch, or none of it", list(found.values()))
        for record in left.later.values():
            case.that(bare(record) in map(bare, records), "a record", record)
        if left.records or not left.later:
            case.equal([QUEUE] if left.records else [], list(left.queues))


def _prepared(case: Case) -> StepObserver:
    require_sendable(case)
    case.raw.close()
    return seen(case.target)


def _deaths(case: Case, before: Calls, last: Call, *, must_work: bool = False) -> Iterator[_Left]:
    most = case.profile.crashes
    yield from _each_step(case, _prepared(case), before, last, most=most, must_work=must_work)


def _each_step(
    case: Case, steps: StepObserver, before: Calls, last: Call, *, most: int, must_work: bool = False
) -> Iterator[_Left]:
    whole = _state_after_death(case, steps, before, last, 0)
    inner = range(1, whole.steps + 1)
    points = inner if len(inner) <= most else [inner[(2 * n + 1) * len(inner) // (2 * most)] for n in range(most)]
    for point in points:
        yield _state_after_death(case, steps, before, last, point, must_work=must_work)


def _state_after_death(
    case: Case, steps: StepObserver, before: Calls, last: Call, point: int, *, must_work: bool = False
) -> _Left:
    """Make a store, let a process die in it, and return what it left."""
    recorder, target = Recorder(monotonic_ns), case.target
    with target.fresh() as (namespace, first):
        make(recorder.client(first, "before"), *before)
        if last.method == "setup":
            first.teardown()
        first.close()
        began = monotonic_ns()
        report = _report_of(Death(target.make, target.name, target.url, namespace, steps, last, point))
        call = _operation(last, began, report)
        with target.make(namespace) as backend:
            case.steps[:] = _steps_taken(recorder, call, point)
            if must_work:
                _require_usable(case, backend.setup)
            after = recorder.client(backend, "after")
            records, queues = _every(after), [queue.name for queue in backend.queues()]
            if last.method == "advance":
                backend.due_schedules(limit=1)  # may insert the jobs of a schedule that has moved
            after.rescue(limit=_MANY, now=NOW)
            later = _every(after)
            schedules = list(backend.schedules()) if last.method == "advance" else []
            at_last = _queues_of_the_gone(backend) if last.method == "insert" else []
            case.steps[:] = _steps_taken(recorder, call, point)
            if must_work:
                _require_usable(case, lambda: _require_works(case, backend, last))
            history = [*recorder.history(), call]
        return _Left(history, report.steps if report else 0, records, later, queues, at_last, schedules)


def _queues_of_the_gone(backend: Backend) -> list[str]:
    backend.delete(Filter(), limit=_MANY)
    return [queue.name for queue in backend.queues()]


def _every(backend: Backend) -> dict[UUID, Record]:
    return {record.id: record for record in backend.list(Filter(), limit=_MANY)}


def _steps_taken(recorder: Recorder, call: Operation, point: int) -> list[str]:
    history = sorted([*recorder.history(), call], key=lambda made: made.began)
    return [*lines(history), f"# the process died {f'before step {point}' if point else 'after its answer'}"]


def _require_usable(case: Case, use: Callable[[], None]) -> None:
    try:
        use()
    except Violation:
        raise
    except Exception as exc:
        case.that(False, "a store that works", repr(exc))


def _report_of(death: Death) -> ChildReport | None:
    """Run a call in a process that dies, and return what it reported."""
    report = fork_server().run(death)
    if report is not None and report.failure:
        raise NotRun(f"another process could not make the call: {report.failure}")
    return report


def _operation(call: Call, began: int, report: ChildReport | None) -> Operation:
    given = signature(getattr(Backend, call.method)).bind(None, *call.args, **call.kwargs).arguments
    del given["self"]
    if report is None:
        return Operation("dead", call.method, given, began, None)
    return Operation("dead", call.method, given, began, monotonic_ns(), report.result)


def _require_explained(case: Case, left: _Left) -> None:
    for finding in check(left.history, precision=case.capabilities.time_precision):
        case.that(False, "each job as before the call, or as after it", f"{finding.text} ({finding.rule})")


def _require_works(case: Case, backend: Backend, last: Call) -> None:
    """Require that another client can repeat the interrupted insert and finish each job."""
    if last.method == "insert":
        ids = [answer.record.id for answer in backend.insert(*last.args, **last.kwargs)]
        case.equal(set(ids), set(backend.get(ids)))
    new = NewRecord(kind="k", unique_key="after")
    answers = [backend.insert([each], now=_LONG_AFTER)[0] for each in (new, NewRecord(kind="k", unique_key="after"))]
    backend.rescue(limit=_MANY, now=_LONG_AFTER)
    claimed = backend.claim([QUEUE], limit=_MANY, worker="after", lease=LEASE, now=_LONG_AFTER)
    applied = backend.settle([Complete(record.claim) for record in claimed], now=_LONG_AFTER)
    states = {record.state for record in backend.list(Filter(), limit=_MANY)}
    case.equal([True, False], [answer.created for answer in answers])
    case.that(new.id in [record.id for record in claimed], "a new job claimed", claimed)
    case.that(all(applied), "every outcome applied", applied)
    case.that(states <= FINAL, "every job finished", sorted(states))
