"""Processes that die in the middle of a call, at each of its steps: what they leave behind, and whether it works on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from inspect import signature
from time import monotonic_ns
from typing import NamedTuple
from uuid import UUID

from tallystick import FINAL, Backend, Complete, Filter, NewRecord, Record

from ..case import LEASE, NOW, Case, NotRun, example
from ..gates import Steps
from ..history.check import check
from ..history.operation import Operation
from ..history.recorder import Recorder
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
)
from ..violation import Violation
from .children import require_sendable
from .crash_child import Death, Word
from .fork_server import fork_server

_MANY = 2_000
_LONG = 1_200
"""More than the hundreds and the thousand into which batches have been seen to be cut."""

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
    (_ENDED, requeue(0, 1, 2)),
    (_ENDED, delete(0, 1, 2)),
    (_ENDED, purge()),
)


class _Left(NamedTuple):
    """What a dead process left: the history, how many steps its call took if it was answered, each record and queue.

    `later` is every record after a rescue, in which a backend may bring to its end what the process had begun, and
    `at_last` every queue when the jobs of an insert are gone again.
    """

    history: Sequence[Operation]
    steps: int
    records: dict[UUID, Record]
    later: dict[UUID, Record]
    queues: Sequence[str]
    at_last: Sequence[str]


@example("CRASH-01")
def answered_means_stored(case: Case) -> None:
    """Each call that was answered before its process was killed has taken effect, for whoever opens the store next."""
    steps = _prepared(case)
    for before, last in (_INSERT, *_EACH):
        _judge(case, _died(case, steps, before, last, 0))


@example("CRASH-02")
def inserts_are_whole(case: Case) -> None:
    """Of a batch whose process dies at any step all jobs are stored and their queue is known, or none is."""
    for left in _deaths(case, *_INSERT):
        for found in (left.records, left.later):
            case.that(len(found) in (0, len(IDS)), "the whole batch, or none of it", list(found.values()))
        listed = list(left.queues)
        if left.records or not left.later:  # else the insert may have taken effect just before the queues were listed
            case.equal([QUEUE] if left.records else [], listed)
        case.equal([QUEUE] if left.later else [], list(left.at_last))


@example("CRASH-02")
def a_job_comes_with_its_queue(case: Case) -> None:
    """So it is with a single job: its queue stays known when the job is gone again, or there never was one."""
    for left in _deaths(case, (), insert(0)):
        case.equal([QUEUE] if left.later else [], list(left.at_last))


@example("CRASH-02")
def long_inserts_are_whole(case: Case) -> None:
    """So it is with a batch that is cut on its way to the store, and dies between its parts."""
    size = min(_LONG, case.capabilities.max_batch)
    new = [NewRecord(kind="k", id=UUID(int=n + 1), unique_key=f"key {n}") for n in range(size)]
    for left in _deaths(case, (), call("insert", new, now=NOW)):
        for found in (left.records, left.later):
            case.that(len(found) in (0, size), f"{size} jobs, or none of them", f"{len(found)} jobs")


@example("CRASH-03")
def each_record_is_whole(case: Case) -> None:
    """Of a call about several jobs whose process dies at any step each job is as before, or as after."""
    for before, last in _EACH:
        for left in _deaths(case, before, last):
            _judge(case, left)


@example("CRASH-04")
def nothing_is_held_up(case: Case) -> None:
    """After a process has died in any call, others set up, insert, rescue and work everything to its end."""
    for before, last in (_INSERT, (_STOCK, claim()), (_RUNNING, rescue())):
        for left in _deaths(case, before, last, works_on=True):
            _judge(case, left)


@example("CRASH-05")
def setups_can_be_repeated(case: Case) -> None:
    """After a process has died in `setup`, at any step, another sets the store up, and it works."""
    steps = _prepared(case)
    for _ in _each_step(case, steps, (), call("setup"), works_on=True):
        pass


def _prepared(case: Case) -> Steps:
    require_sendable(case)
    case.raw.close()
    return seen(case.target)


def _deaths(case: Case, before: Calls, last: Call, *, works_on: bool = False) -> Iterator[_Left]:
    yield from _each_step(case, _prepared(case), before, last, works_on=works_on)


def _each_step(case: Case, steps: Steps, before: Calls, last: Call, *, works_on: bool) -> Iterator[_Left]:
    whole = _died(case, steps, before, last, 0)
    inner = range(1, whole.steps + 1)
    most = case.profile.crashes
    points = inner if len(inner) <= most else [inner[(2 * n + 1) * len(inner) // (2 * most)] for n in range(most)]
    for point in points:
        yield _died(case, steps, before, last, point, works_on=works_on)


def _died(case: Case, steps: Steps, before: Calls, last: Call, point: int, *, works_on: bool = False) -> _Left:
    """Make a store, let a process die in it, and look at what it left."""
    recorder, target = Recorder(monotonic_ns), case.target
    with target.fresh() as (namespace, first):
        make(recorder.client(first, "before"), *before)
        if last.method == "setup":
            first.teardown()
        first.close()
        began = monotonic_ns()
        word = _last_word(Death(target.make, target.name, target.url, namespace, steps, last, point))
        call = _operation(last, began, word)
        with target.make(namespace) as backend:
            case.steps[:] = _told(recorder, call, point)
            if works_on:
                _require_answers(case, backend.setup)
            after = recorder.client(backend, "after")
            records, queues = _every(after), [queue.name for queue in backend.queues()]
            after.rescue(limit=_MANY, now=NOW)
            later = _every(after)
            at_last = _queues_of_the_gone(backend) if last.method == "insert" else []
            case.steps[:] = _told(recorder, call, point)
            if works_on:
                _require_answers(case, lambda: _works_on(case, backend, last))
            history = [*recorder.history(), call]
        return _Left(history, word.steps if word else 0, records, later, queues, at_last)


def _queues_of_the_gone(backend: Backend) -> list[str]:
    backend.delete(Filter(), limit=_MANY)
    return [queue.name for queue in backend.queues()]


def _every(backend: Backend) -> dict[UUID, Record]:
    return {record.id: record for record in backend.list(Filter(), limit=_MANY)}


def _told(recorder: Recorder, call: Operation, point: int) -> list[str]:
    history = sorted([*recorder.history(), call], key=lambda made: made.began)
    return [*lines(history), f"# the process died {f'before step {point}' if point else 'after its answer'}"]


def _require_answers(case: Case, use: Callable[[], None]) -> None:
    try:
        use()
    except Violation:
        raise
    except Exception as exc:
        case.that(False, "a store that works on", repr(exc))


def _last_word(death: Death) -> Word | None:
    """Let a process live and die."""
    word = fork_server().let_live(death)
    if word is not None and word.excuse:
        raise NotRun(f"another process could not make the call: {word.excuse}")
    return word


def _operation(call: Call, began: int, word: Word | None) -> Operation:
    given = signature(getattr(Backend, call.method)).bind(None, *call.args, **call.kwargs).arguments
    del given["self"]
    if word is None:
        return Operation("dead", call.method, given, began, None)
    return Operation("dead", call.method, given, began, monotonic_ns(), word.answer)


def _judge(case: Case, left: _Left) -> None:
    for finding in check(left.history, precision=case.capabilities.time_precision):
        case.that(False, "each job as before the call, or as after it", f"{finding.text} ({finding.rule})")


def _works_on(case: Case, backend: Backend, last: Call) -> None:
    """Require that another process can do all there is to do, and an insert that died again."""
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
    case.that(states <= FINAL, "every job at its end", sorted(states))
