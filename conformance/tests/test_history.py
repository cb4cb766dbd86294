"""The history checker: what it is told, and that it finds each rule broken and nothing else."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from windlass import (
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    InvalidArgument,
    NewRecord,
    OutcomeUnknown,
    Record,
    Release,
    Retry,
    State,
    Unavailable,
)
from windlass_conformance import CLAUSES, Target, Violation, conform
from windlass_conformance.history import Operation, Recorder, check, run_rounds
from windlass_conformance.history.facts import gather
from windlass_conformance.history.finding import CLAUSE_OF
from windlass_conformance.history.lives import explain
from windlass_conformance.history.recorder import from_json, to_json
from windlass_conformance.mutants.memory_claims import ClaimsAgain
from windlass_memory import MemoryBackend

NOW = datetime(2035, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
ERROR = Failure("E", "m")

Changes = Callable[[list[Operation]], list[Operation]]


class Store:
    """A store in memory whose calls are recorded: short forms of the calls, one client, one moment."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.client = self.recorder.client(MemoryBackend(), "c")

    def insert(self, **fields: Any) -> Record:
        """Insert one job."""
        return self.client.insert([NewRecord(kind="k", **fields)], now=NOW)[0].record

    def claim(self, limit: int = 1, at: datetime = NOW) -> list[Record]:
        """Claim for ten seconds."""
        return list(self.client.claim(["default"], limit=limit, worker="w", lease=10 * SECOND, now=at))

    @property
    def history(self) -> list[Operation]:
        """What was done."""
        return self.recorder.history()


def _rules(history: Sequence[Operation]) -> set[str]:
    return {finding.rule for finding in check(history, precision=TICK)}


def _answering(history: list[Operation], index: int, answer: Any) -> list[Operation]:
    return [*history[:index], replace(history[index], answer=answer), *history[index + 1 :]]


def _handed_out_twice() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    store.claim()
    return _answering(store.history, 2, store.history[1].answer)


def _begun_before_the_end() -> list[Operation]:
    history = _handed_out_twice()
    return _answering(history, 2, [history[1].answer[0]._replace(attempt=2)])


def _ended_twice() -> list[Operation]:
    store = Store()
    claim = store.insert().id
    store.claim()
    store.client.settle([Complete(Claim(claim, 1))], now=NOW)
    store.client.settle([Discard(Claim(claim, 1), ERROR)], now=NOW)
    return _answering(store.history, 3, [True])


def _held_when_lost() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Release(Claim(id, 1))], now=NOW)
    store.claim()
    store.client.extend([Claim(id, 1)], lease=SECOND, now=NOW)
    return _answering(store.history, 4, [Hold.HELD])


def _refused_while_running() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Complete(Claim(id, 1))], now=NOW)
    return _answering(store.history, 2, [False])


def _run_after_its_end() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Cancel(Claim(id, 1))], now=NOW)
    store.claim()
    again = store.history[1].answer[0]._replace(attempt=2)
    return _answering(store.history, 3, [again])


def _before_due() -> list[Operation]:
    store = Store()
    store.insert(run_at=SECOND)
    store.claim(at=NOW + SECOND)
    insert, claim = store.history
    return [insert, replace(claim, given={**claim.given, "now": NOW})]


def _of_another_queue() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    insert, claim = store.history
    return [insert, replace(claim, given={**claim.given, "queues": ["other"]})]


def _of_a_paused_queue() -> list[Operation]:
    store = Store()
    store.client.pause("default")
    store.client.resume("default")
    store.insert()
    store.claim()
    return [operation for operation in store.history if operation.call != "resume"]


def _more_than_the_limit() -> list[Operation]:
    store = Store()
    store.insert()
    store.insert()
    store.claim(limit=2)
    *inserts, claim = store.history
    return [*inserts, replace(claim, given={**claim.given, "limit": 1})]


def _nothing_though_due() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    return _answering(store.history, 1, [])


def _not_rescued() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    store.client.rescue(limit=1, now=NOW + 10 * SECOND)
    return _answering(store.history, 2, [])


def _the_second_first() -> list[Operation]:
    store = Store()
    store.insert(priority=1)
    store.insert()
    store.claim(limit=2)
    return _answering(store.history, 2, store.history[2].answer[::-1])


def _overtaken() -> list[Operation]:
    store = Store()
    store.insert(priority=1)
    store.insert()
    store.claim()
    store.claim()
    first, second, claim, other = store.history
    return [first, second, replace(claim, answer=other.answer), replace(other, answer=claim.answer)]


def _lost() -> list[Operation]:
    store = Store()
    store.insert()
    store.client.list(Filter(), limit=9)
    return _answering(store.history, 1, [])


def _stored_twice() -> list[Operation]:
    store = Store()
    record = store.insert()
    store.insert(id=record.id)
    return _answering(store.history, 1, store.history[0].answer)


def _in_two_states() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.get([id])
    waiting = store.history[0].answer[0].record
    return _answering(store.history, 2, {id: waiting})


def _miscounted() -> list[Operation]:
    store = Store()
    store.insert()
    store.client.stats(now=NOW)
    stats = store.history[1].answer
    return _answering(store.history, 1, stats._replace(by_state={**stats.by_state, State.RUNNING: 1, State.PENDING: 0}))


def _two_holders() -> list[Operation]:
    store = Store()
    store.insert(unique_key="key")
    store.client.delete(Filter(), limit=1)
    store.insert(unique_key="key")
    return [operation for operation in store.history if operation.call != "delete"]


def _two_inserts_at_once() -> list[Operation]:
    first, second = Store(), Store()
    first.insert(unique_key="key")
    second.insert(unique_key="key")
    [one], [other] = first.history, second.history
    return [replace(one, began=1, ended=6), replace(other, client="other", began=2, ended=5)]


def _refused_for_nothing() -> list[Operation]:
    store = Store()
    id = store.insert(unique_key="key").id
    store.claim()
    store.client.settle([Complete(Claim(id, 1))], now=NOW)
    ended = store.client.get([id])[id]
    new = store.insert(unique_key="key")
    assert new.id != id
    return _answering(store.history, 4, [store.history[4].answer[0]._replace(record=ended, created=False)])


def _rescued_while_held() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.extend([Claim(id, 1)], lease=60 * SECOND, now=NOW)
    store.client.rescue(limit=1, now=NOW + 60 * SECOND)
    *others, rescue = store.history
    at = NOW + 30 * SECOND
    answer = [record._replace(run_at=at, updated_at=at) for record in rescue.answer]
    return [*others, replace(rescue, given={"limit": 1, "now": at}, answer=answer)]


BROKEN = [
    ("R1", _handed_out_twice),
    ("R2", _begun_before_the_end),
    ("R3", _ended_twice),
    ("R4", _held_when_lost),
    ("R4", _refused_while_running),
    ("R5", _run_after_its_end),
    ("R6", _before_due),
    ("R7", _of_another_queue),
    ("R7", _of_a_paused_queue),
    ("R8", _more_than_the_limit),
    ("R9", _nothing_though_due),
    ("R9", _not_rescued),
    ("R10", _the_second_first),
    ("R10", _overtaken),
    ("R11", _lost),
    ("R11", _stored_twice),
    ("R12", _in_two_states),
    ("R12", _miscounted),
    ("R13", _two_holders),
    ("R13", _two_inserts_at_once),
    ("R13", _refused_for_nothing),
    ("R14", _rescued_while_held),
]


@pytest.mark.parametrize(("rule", "make"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_rule_is_found(rule: str, make: Callable[[], list[Operation]]) -> None:
    """A history that breaks a rule is found under that rule, with its clause and the operations that show it."""
    history = make()
    findings = check(history, precision=TICK)

    assert rule in {finding.rule for finding in findings}, findings
    for finding in findings:
        assert finding.clause == CLAUSE_OF[finding.rule]
        assert finding.clause in CLAUSES
        assert set(map(id, finding.operations)) <= set(map(id, history))


def _at(operation: Operation, began: int, ended: int) -> Operation:
    return replace(operation, began=began, ended=ended)


@pytest.mark.parametrize(("began", "left"), [(35, False), (45, True)], ids=["too late", "after"])
def test_a_rescue_may_leave_what_a_claim_comes_too_late_for(began: int, left: bool) -> None:
    """A claim that began while the job waited may have it in its hands when it sees that it runs; one after may not."""
    store = Store()
    store.insert()
    store.claim()
    store.claim()
    store.client.rescue(limit=1, now=NOW + 10 * SECOND)
    insert, claim, late, rescue = store.history
    history = [_at(insert, 10, 20), _at(claim, 30, 40), _at(late, began, 90), replace(_at(rescue, 60, 70), answer=[])]
    assert ("R9" in _rules(history)) is left


@pytest.mark.parametrize(("began", "left"), [(55, False), (65, True)], ids=["too late", "after"])
def test_a_claim_may_leave_what_a_rescue_comes_too_late_for(began: int, left: bool) -> None:
    """A rescue that began while the job ran may have it in its hands when it sees that it waits again."""
    store = Store()
    store.insert()
    [record] = store.claim()
    store.client.settle([Retry(claim=record.claim, run_at=NOW, error=ERROR)], now=NOW)
    store.client.rescue(limit=1, now=NOW)
    store.claim(limit=2)
    insert, claim, settle, rescue, again = store.history
    last = replace(_at(again, 70, 80), answer=[])
    history = [_at(insert, 10, 20), _at(claim, 30, 40), _at(settle, 50, 60), _at(rescue, began, 90), last]
    assert ("R9" in _rules(history)) is left


def test_a_new_job_is_in_nobody_elses_hands() -> None:
    """A rescue that began before a job was stored is no excuse for a claim that leaves it."""
    store = Store()
    store.insert()
    store.client.rescue(limit=1, now=NOW)
    store.claim()
    insert, rescue, claim = store.history
    history = [_at(insert, 20, 30), _at(rescue, 10, 90), replace(_at(claim, 40, 50), answer=[])]
    assert "R9" in _rules(history)


def test_a_key_that_may_have_changed_hands_is_no_finding() -> None:
    """Of two inserts at once with one key, the first may have ended before the second was; then there is no R13."""
    store = Store()
    store.insert(unique_key="key")
    store.client.cancel(Filter(), limit=1, now=NOW)
    store.insert(unique_key="key")
    first, cancel, second = store.history

    spread = [replace(first, began=1, ended=6), replace(cancel, began=2, ended=7), replace(second, began=3, ended=5)]
    assert check(spread, precision=TICK) == []
    late = [*spread[:1], replace(cancel, began=7, ended=8), *spread[2:]]
    assert {finding.rule for finding in check(late, precision=TICK)} == {"R13"}


def test_each_rule_has_an_example_here() -> None:
    """No rule goes without a history that breaks it."""
    assert {rule for rule, _ in BROKEN} == set(CLAUSE_OF)


@pytest.mark.parametrize(
    "make", [_handed_out_twice, _ended_twice, _held_when_lost, _nothing_though_due], ids=lambda value: value.__name__
)
def test_what_overlaps_everything_proves_less(make: Callable[[], list[Operation]]) -> None:
    """Where all calls overlap, an empty claim may have been first; an attempt ends and begins once all the same."""
    overlapping = [replace(operation, began=1, ended=100) for operation in make()]

    assert bool(_rules(overlapping)) is (make in (_handed_out_twice, _ended_twice))


def test_an_unknown_outcome_may_have_happened() -> None:
    """A settle whose answer was lost explains both a next attempt and none; an error that excludes it explains none."""
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Retry(Claim(id, 1), NOW, ERROR)], now=NOW)
    store.claim()
    insert, claim, settle, again = store.history
    lost = replace(settle, answer=None, error=OutcomeUnknown("lost"))

    assert lost.unknown
    assert _rules([insert, claim, lost, again]) == set()
    assert _rules([insert, claim, lost]) == set()
    assert _rules([insert, claim, replace(settle, answer=None, ended=None), again]) == set()
    assert _rules([insert, claim, replace(settle, answer=None, error=Unavailable("no")), again]) == {"R2"}


def test_a_lost_claim_explains_what_it_may_have_taken() -> None:
    """After a claim of unknown outcome a job may be running, so a rescue may find it and a claim need not."""
    store = Store()
    store.insert()
    store.claim()
    store.client.rescue(limit=1, now=NOW + 10 * SECOND)
    insert, claim, rescue = store.history
    lost = replace(claim, answer=None, error=OutcomeUnknown("lost"))
    empty = replace(claim, began=100, ended=101, answer=[])

    assert _rules([insert, lost, rescue]) == set()
    assert _rules([insert, lost, empty]) == set()
    assert "R3" in _rules([insert, rescue])


def test_what_was_there_at_the_start_is_known() -> None:
    """Records of the start are no surprise, and their loss is found."""
    store = Store()
    record = store.insert()
    store.client.list(Filter(), limit=9)
    listed = store.history[1]

    assert check([listed], precision=TICK, start={record.id: record}) == []
    assert [f.rule for f in check([listed], precision=TICK)] == ["R11"]
    empty = replace(listed, answer=[])
    assert "R11" in {f.rule for f in check([empty], precision=TICK, start={record.id: record})}


def test_the_same_id_may_live_again() -> None:
    """After a delete the id is new, and its attempts begin at one again."""
    store = Store()
    for _ in range(2):
        id = store.insert(id=NewRecord(kind="k").id).id
        store.claim()
        store.client.settle([Complete(Claim(id, 1))], now=NOW)
        store.client.delete(Filter(ids=[id]), limit=1)
        store.client.insert([NewRecord(kind="k", id=id)], now=NOW)
        store.claim()

    assert _rules(store.history) == set()


def test_the_recorder_writes_calls_down() -> None:
    """Arguments are kept by name, errors are kept and raised, and calls of several threads get times that fit."""
    store = Store()
    with pytest.raises(InvalidArgument):
        store.client.claim(["q"], limit=0, worker="w", lease=SECOND)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: store.insert(queue=f"q{n}"), range(20)))
    failed, *inserts = store.history

    assert failed.failed
    assert not failed.unknown
    assert failed.given == {"queues": ["q"], "limit": 0, "worker": "w", "lease": SECOND}
    times = [time for operation in store.history for time in (operation.began, operation.ended)]
    assert len(set(times)) == len(times) == 42
    assert all(insert.ended is not None and insert.began < insert.ended for insert in inserts)
    assert store.client.capabilities.max_batch > 0


def test_the_clock_may_be_another() -> None:
    """A clock that processes share can be given."""
    ticks = count(1_000, 7)
    recorder = Recorder(clock=lambda: next(ticks))
    recorder.client(MemoryBackend(), "c").queues()
    recorder.client(MemoryBackend(), "c").stats()

    assert [(operation.began, operation.ended) for operation in recorder.history()] == [(1_000, 1_007)]


def test_a_history_survives_json() -> None:
    """Written and read again, a history is equal; errors keep their type, and sequences become lists."""
    (history, _), *_ = run_rounds(Target.of("memory://"), rounds=1, operations=40)
    error = OutcomeUnknown("lost \udcff")
    history[3] = replace(history[3], answer=None, error=error, ended=None)
    read = from_json(to_json(history))

    assert from_json(to_json(read))[:3] == read[:3]
    assert [o.answer for o in read] == [o.answer for o in history]
    assert isinstance(read[3].error, OutcomeUnknown)
    assert str(read[3].error) == str(error)
    assert check(read, precision=TICK) == check(history, precision=TICK)


def test_rounds_of_a_right_backend_have_no_finding() -> None:
    """Rounds end with nothing waiting, and with nothing found."""
    for history, findings in run_rounds(Target.of("memory://"), rounds=25, seed=7):
        assert findings == []
        *_, counted = (operation.answer for operation in history if operation.call == "stats")
        assert counted.by_state[State.RUNNING] == 0
        assert {operation.client for operation in history} == {"quiet", "w0", "w1", "w2"}


def test_a_broken_backend_is_found_in_rounds() -> None:
    """A backend that hands jobs out again is a violation that carries its history and the findings."""
    report = conform(Target.from_class(ClaimsAgain, "memory://"), only=["HISTORY-02"])
    (result,) = report.results

    assert isinstance(result.violation, Violation)
    assert result.violation.clause_id == "HISTORY-02"
    assert result.violation.findings
    assert len(result.violation.history) == len(result.violation.steps)


def test_the_time_taken_grows_with_the_number_of_operations() -> None:
    """The steps that the search tries are a few for each fact, however long the history is."""
    ((history, findings),) = run_rounds(Target.of("memory://"), rounds=1, clients=4, operations=1_000)
    facts, _ = gather(history)
    told = sum(map(len, facts.values()))
    looked = sum(explain(id, of, None, TICK).looked for id, of in facts.items())

    assert findings == []
    assert looked < 20 * told
