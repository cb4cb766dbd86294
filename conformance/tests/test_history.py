"""The history checker: recording works, and the checker finds each violated rule and nothing else."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from tallystick import (
    Claim,
    Complete,
    Filter,
    InvalidArgument,
    NewRecord,
    OutcomeUnknown,
    Retry,
    State,
    Unavailable,
)
from tallystick_conformance import CLAUSES, Target, Violation, conform
from tallystick_conformance.history import Operation, Recorder, check
from tallystick_conformance.history.finding import CLAUSE_OF
from tallystick_conformance.history.linearize import explain
from tallystick_conformance.history.observations import gather
from tallystick_conformance.history.recorder import from_json, to_json
from tallystick_conformance.tiers.histories.rounds import run_rounds
from tallystick_memory import MemoryBackend
from tallystick_mutants.memory.claim import ClaimsAgain

from .broken_histories import (
    BROKEN,
    ERROR,
    NOW,
    SECOND,
    TICK,
    Store,
    ended_twice,
    handed_out_twice,
    held_when_lost,
    nothing_though_due,
)


def _rules(history: Sequence[Operation]) -> set[str]:
    return {finding.rule for finding in check(history, precision=TICK)}


@pytest.mark.parametrize(("rule", "make"), BROKEN, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_rule_is_found(rule: str, make: Callable[[], list[Operation]]) -> None:
    """A history that breaks a rule yields a finding with that rule, its clause and the operations that show it."""
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
    """A claim that began while the job waited may still have it locked, which excuses a miss; a later one does not."""
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
    """A rescue that began while the job ran may still have it locked, and so excuses a claim that misses it."""
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
    """A rescue that began before a job was stored does not excuse a claim that misses it."""
    store = Store()
    store.insert()
    store.client.rescue(limit=1, now=NOW)
    store.claim()
    insert, rescue, claim = store.history
    history = [_at(insert, 20, 30), _at(rescue, 10, 90), replace(_at(claim, 40, 50), answer=[])]
    assert "R9" in _rules(history)


def test_a_key_that_may_have_changed_hands_is_no_finding() -> None:
    """Two overlapping inserts with one key keep R13 if the first job may have ended before the second insert."""
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
    """Every rule has a history that breaks it."""
    assert {rule for rule, _ in BROKEN} == set(CLAUSE_OF)


@pytest.mark.parametrize(
    "make", [handed_out_twice, ended_twice, held_when_lost, nothing_though_due], ids=lambda value: value.__name__
)
def test_what_overlaps_everything_proves_less(make: Callable[[], list[Operation]]) -> None:
    """If all calls overlap, an empty claim may have been first, but an attempt still begins and ends only once."""
    overlapping = [replace(operation, began=1, ended=100) for operation in make()]

    assert bool(_rules(overlapping)) is (make in (handed_out_twice, ended_twice))


def test_an_unknown_outcome_may_have_happened() -> None:
    """A settle with a lost result may or may not have happened; a settle with an error that excludes it did not."""
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
    """After a claim of unknown outcome a job may be running, so a rescue may return it and a claim may miss it."""
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
    """Records from the start are accepted, and their loss is found."""
    store = Store()
    record = store.insert()
    store.client.list(Filter(), limit=9)
    listed = store.history[1]

    assert check([listed], precision=TICK, start={record.id: record}) == []
    assert [f.rule for f in check([listed], precision=TICK)] == ["R11"]
    empty = replace(listed, answer=[])
    assert "R11" in {f.rule for f in check([empty], precision=TICK, start={record.id: record})}


def test_the_same_id_may_live_again() -> None:
    """After a delete, the id counts as new, and its attempts start at one again."""
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
    """The recorder keeps arguments by name, records and re-raises errors, and orders the calls of several threads."""
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
    """The recorder accepts a clock that processes share."""
    ticks = count(1_000, 7)
    recorder = Recorder(clock=lambda: next(ticks))
    recorder.client(MemoryBackend(), "c").queues()
    recorder.client(MemoryBackend(), "c").stats()

    assert [(operation.began, operation.ended) for operation in recorder.history()] == [(1_000, 1_007)]


def test_a_history_survives_json() -> None:
    """A history survives a round trip through JSON; errors keep their type, and sequences become lists."""
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
    """Rounds of a correct backend end with no waiting job and no finding."""
    for history, findings in run_rounds(Target.of("memory://"), rounds=25, seed=7):
        assert findings == []
        *_, counted = (operation.answer for operation in history if operation.call == "stats")
        assert counted.by_state[State.RUNNING] == 0
        assert {operation.client for operation in history} == {"quiet", "w0", "w1", "w2"}


def test_a_broken_backend_is_found_in_rounds() -> None:
    """A backend that returns running jobs again is a violation, which has the history and the findings."""
    report = conform(Target.from_class(ClaimsAgain, "memory://"), only=["HISTORY-02"])
    (result,) = report.results

    assert isinstance(result.violation, Violation)
    assert result.violation.clause_id == "HISTORY-02"
    assert result.violation.findings
    assert len(result.violation.history) == len(result.violation.steps)


def test_the_time_taken_grows_with_the_number_of_operations() -> None:
    """The number of steps that the search tries grows linearly with the number of facts."""
    ((history, findings),) = run_rounds(Target.of("memory://"), rounds=1, clients=4, operations=300)
    facts, _ = gather(history)
    count = sum(map(len, facts.values()))
    looked = sum(explain(id, of, None, TICK).looked for id, of in facts.items())

    assert findings == []
    assert looked < 20 * count
