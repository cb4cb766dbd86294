"""The history checker against brute force, on real histories of a store and on corrupted ones."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from tallystick import (
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    NewRecord,
    OutcomeUnknown,
    Record,
    Release,
    Retry,
)
from tallystick_conformance.history import Operation, Recorder, check
from tallystick_memory import MemoryBackend

from .brute import is_linearizable

NOW = datetime(2040, 2, 29, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
_STEP = 10


def right(random: Random, records: int, calls: int, key: str | None = None) -> list[Operation]:
    """Run random calls one after another, and stretch their times so that they overlap.

    With a key every job has it, and none is requeued, which the brute force cannot do with keys.
    """
    recorder, ids = Recorder(), [UUID(int=n + 1) for n in range(records)]
    with MemoryBackend() as backend:
        client, now = recorder.client(backend, "c"), NOW
        for _ in range(calls):
            now += random.choice([0, 0, 1]) * SECOND
            _call(random, client, ids, now, key)
    return [_stretched(random, n, operation) for n, operation in enumerate(recorder.history())]


def _stretched(random: Random, n: int, operation: Operation) -> Operation:
    at = _STEP * (n + 1)
    began, ended = at - random.choice([1, 4, 14, 24]), at + random.choice([1, 4, 14, 24])
    if operation.call not in ("get", "list", "stats") and random.random() < 0.05:
        return replace(
            operation, client=f"c{n}", began=began, ended=ended, answer=None, error=OutcomeUnknown("the line went dead")
        )
    return replace(operation, client=f"c{n}", began=began, ended=ended)


def _call(random: Random, client: Any, ids: list[UUID], now: datetime, key: str | None) -> None:
    filter, limit = Filter(ids=[random.choice(ids)]), random.choice([1, 5])
    call = random.choices(
        ["insert", "claim", "settle", "extend", "rescue", "cancel", "requeue", "delete", "get", "list", "stats"],
        [5, 8, 8, 4, 4, 3, 3, 1, 2, 1, 1] if key is None else [9, 4, 6, 1, 1, 4, 0, 3, 2, 1, 0],
    )[0]
    match call:
        case "insert":
            run_at = random.choice([None, None, SECOND])
            most = random.choice([1, 2, 20])
            new = NewRecord(kind="k", id=random.choice(ids), run_at=run_at, max_attempts=most, unique_key=key)
            client.insert([new], now=now)
        case "claim":
            client.claim(["default"], limit=limit, worker="w", lease=random.choice([1, 2]) * SECOND, now=now)
        case "settle":
            client.settle([_outcome(random, _claim(random, client, ids), now)], now=now)
        case "extend":
            client.extend([_claim(random, client, ids)], lease=SECOND, now=now)
        case "rescue":
            client.rescue(limit=5, now=now)
        case "cancel" | "requeue":
            getattr(client, call)(filter, limit=limit, now=now)
        case "delete":
            client.delete(filter, limit=limit)
        case "get":
            client.get([random.choice(ids)])
        case "list":
            client.list(Filter(), limit=9)
        case "stats":
            client.stats(now=now)


def _claim(random: Random, client: Any, ids: list[UUID]) -> Claim:
    id = random.choice(ids)
    stored = client._backend.get([id]).get(id)
    return Claim(id, max(1, (stored.attempt if stored else 1) - random.choice([0, 0, 0, 1])))


def _outcome(random: Random, claim: Claim, now: datetime) -> Any:
    error = Failure("E", "m")
    return random.choice(
        [Complete(claim, b"r"), Retry(claim, now, error), Discard(claim, error), Release(claim, SECOND), Cancel(claim)]
    )


def spoilt(random: Random, history: list[Operation]) -> list[Operation]:
    """Corrupt one or two operations of a history."""
    history = list(history)
    for _ in range(random.choice([1, 1, 2])):
        index = random.randrange(len(history))
        changes = _CHANGES if history[index].error is None else [_moved]
        history[index] = random.choice(changes)(random, history[index], history)
    return history


def _moved(random: Random, operation: Operation, _: list[Operation]) -> Operation:
    by = random.choice([-40, -20, 20, 40])
    assert operation.ended is not None
    return replace(operation, began=operation.began + by, ended=operation.ended + by)


def _answered(random: Random, operation: Operation, history: list[Operation]) -> Operation:
    others = [other for other in history if other.call == operation.call and other.error is None]
    if operation.call in ("settle", "extend", "stats") and random.random() < 0.5:
        return replace(operation, answer=_flipped(operation.answer))
    return replace(operation, answer=_of_like_length(operation, random.choice(others)))


def _of_like_length(operation: Operation, other: Operation) -> Any:
    batches = operation.call in ("insert", "settle", "extend")
    return operation.answer if batches and len(operation.answer) != len(other.answer) else other.answer


def _flipped(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_other(item) for item in answer]
    return answer._replace(total=answer.total + 1)


def _other(item: Any) -> Any:
    if isinstance(item, bool):
        return not item
    return Hold.HELD if item is not Hold.HELD else Hold.LOST


def _fewer(_random: Random, operation: Operation, _: list[Operation]) -> Operation:
    if isinstance(operation.answer, list) and operation.call not in ("insert", "settle", "extend"):
        return replace(operation, answer=operation.answer[1:])
    return replace(operation, answer={}) if operation.call == "get" else operation


def _later(_random: Random, operation: Operation, _: list[Operation]) -> Operation:
    if isinstance(operation.answer, list) and operation.answer and isinstance(operation.answer[0], Record):
        first = operation.answer[0]
        return replace(operation, answer=[first._replace(attempt=first.attempt + 1), *operation.answer[1:]])
    return operation


def _at_another_time(random: Random, operation: Operation, _: list[Operation]) -> Operation:
    if "now" not in operation.given:
        return operation
    now = operation.given["now"] + random.choice([-2, 2]) * SECOND
    return replace(operation, given={**operation.given, "now": now})


_CHANGES: list[Callable[[Random, Operation, list[Operation]], Operation]] = [
    _moved,
    _answered,
    _answered,
    _fewer,
    _later,
    _at_another_time,
]


@given(st.randoms(use_true_random=False), st.integers(1, 3))
@settings(max_examples=150, deadline=None, database=None)
def test_a_right_history_is_accepted(random: Random, records: int) -> None:
    """Both checkers accept a real history, with any overlaps and any lost results."""
    history = right(random, records, calls=7)

    assert check(history, precision=TICK) == []
    assert is_linearizable(history)


@given(st.randoms(use_true_random=False), st.integers(1, 3))
@settings(max_examples=300, deadline=None, database=None)
def test_no_finding_is_a_false_alarm(random: Random, records: int) -> None:
    """If the fast checker rejects a corrupted history, no order of its calls explains it."""
    history = spoilt(random, right(random, records, calls=7))
    findings = check(history, precision=TICK)

    if findings:
        assert not is_linearizable(history), findings


def _two_holders(random: Random, history: list[Operation]) -> list[Operation]:
    """Change the result of an insert from duplicate to stored."""
    for index, operation in enumerate(history):
        if operation.call == "insert" and operation.error is None and not operation.answer[0].created:
            with MemoryBackend() as another:
                answer = another.insert(operation.given["records"], now=operation.given["now"])
            return [*history[:index], replace(operation, answer=answer), *history[index + 1 :]]
    return spoilt(random, history)


@given(st.randoms(use_true_random=False), st.booleans())
@settings(max_examples=100, deadline=None, database=None)
def test_a_right_history_with_a_key_is_accepted(random: Random, moved: bool) -> None:
    """With shared keys, both checkers accept real histories, and the fast one rejects only inexplicable ones."""
    history = right(random, 3, calls=7, key="key")
    assert check(history, precision=TICK) == []
    assert is_linearizable(history)

    history = _two_holders(random, history) if moved else spoilt(random, history)
    if findings := check(history, precision=TICK):
        assert not is_linearizable(history), findings


def test_most_of_what_is_wrong_with_a_key_is_found() -> None:
    """The fast checker rejects at least four of five inexplicable histories with an extra insert."""
    wrong = [
        history
        for seed in range(400)
        for random in [Random(seed)]
        for history in [_two_holders(random, right(random, 3, calls=7, key="key"))]
        if not is_linearizable(history)
    ]
    found = sum(bool(check(history, precision=TICK)) for history in wrong)

    assert len(wrong) > 100
    assert found >= 0.8 * len(wrong), f"{found} of {len(wrong)}"


def test_most_of_what_is_wrong_is_found() -> None:
    """The fast checker rejects at least nine of ten inexplicable corrupted histories of one record."""
    wrong = [
        history
        for seed in range(1_500)
        for random in [Random(seed)]
        for history in [spoilt(random, right(random, 1, calls=7))]
        if not is_linearizable(history)
    ]
    found = sum(bool(check(history, precision=TICK)) for history in wrong)

    assert len(wrong) > 150
    assert found >= 0.9 * len(wrong), f"{found} of {len(wrong)}"


def test_the_brute_force_knows_the_order_of_time() -> None:
    """A claim that ended before an insert began cannot return its job; one that overlaps the insert can."""
    with MemoryBackend() as backend:
        recorder = Recorder()
        client = recorder.client(backend, "c")
        client.insert([NewRecord(kind="k")], now=NOW)
        client.claim(["default"], limit=1, worker="w", lease=SECOND, now=NOW)
    insert, claim = recorder.history()

    assert is_linearizable([replace(insert, began=5, ended=9), replace(claim, began=1, ended=5)])
    assert not is_linearizable([replace(insert, began=5, ended=9), replace(claim, began=1, ended=4)])
