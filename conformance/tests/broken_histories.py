"""Histories that break one rule each, as a broken backend would; most differ from a correct history in one result."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick import (
    Cancel,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    NewRecord,
    Record,
    Release,
    State,
)
from tallystick_conformance.history import Operation, Recorder
from tallystick_memory import MemoryBackend

NOW = datetime(2035, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)
ERROR = Failure("E", "m")


class Store:
    """Short forms of recorded calls on a memory store, by one client at one moment."""

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
        """Return the recorded operations."""
        return self.recorder.history()


def answering(history: list[Operation], index: int, answer: Any) -> list[Operation]:
    return [*history[:index], replace(history[index], answer=answer), *history[index + 1 :]]


def handed_out_twice() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    store.claim()
    return answering(store.history, 2, store.history[1].answer)


def begun_before_the_end() -> list[Operation]:
    history = handed_out_twice()
    return answering(history, 2, [history[1].answer[0]._replace(attempt=2)])


def ended_twice() -> list[Operation]:
    store = Store()
    claim = store.insert().id
    store.claim()
    store.client.settle([Complete(Claim(claim, 1))], now=NOW)
    store.client.settle([Discard(Claim(claim, 1), ERROR)], now=NOW)
    return answering(store.history, 3, [True])


def held_when_lost() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Release(Claim(id, 1))], now=NOW)
    store.claim()
    store.client.extend([Claim(id, 1)], lease=SECOND, now=NOW)
    return answering(store.history, 4, [Hold.HELD])


def refused_while_running() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Complete(Claim(id, 1))], now=NOW)
    return answering(store.history, 2, [False])


def run_after_its_end() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.settle([Cancel(Claim(id, 1))], now=NOW)
    store.claim()
    again = store.history[1].answer[0]._replace(attempt=2)
    return answering(store.history, 3, [again])


def before_due() -> list[Operation]:
    store = Store()
    store.insert(run_at=SECOND)
    store.claim(at=NOW + SECOND)
    insert, claim = store.history
    return [insert, replace(claim, given={**claim.given, "now": NOW})]


def of_another_queue() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    insert, claim = store.history
    return [insert, replace(claim, given={**claim.given, "queues": ["other"]})]


def of_a_paused_queue() -> list[Operation]:
    store = Store()
    store.client.pause("default")
    store.client.resume("default")
    store.insert()
    store.claim()
    return [operation for operation in store.history if operation.call != "resume"]


def more_than_the_limit() -> list[Operation]:
    store = Store()
    store.insert()
    store.insert()
    store.claim(limit=2)
    *inserts, claim = store.history
    return [*inserts, replace(claim, given={**claim.given, "limit": 1})]


def nothing_though_due() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    return answering(store.history, 1, [])


def not_rescued() -> list[Operation]:
    store = Store()
    store.insert()
    store.claim()
    store.client.rescue(limit=1, now=NOW + 10 * SECOND)
    return answering(store.history, 2, [])


def the_second_first() -> list[Operation]:
    store = Store()
    store.insert(priority=1)
    store.insert()
    store.claim(limit=2)
    return answering(store.history, 2, store.history[2].answer[::-1])


def overtaken() -> list[Operation]:
    store = Store()
    store.insert(priority=1)
    store.insert()
    store.claim()
    store.claim()
    first, second, claim, other = store.history
    return [first, second, replace(claim, answer=other.answer), replace(other, answer=claim.answer)]


def lost() -> list[Operation]:
    store = Store()
    store.insert()
    store.client.list(Filter(), limit=9)
    return answering(store.history, 1, [])


def stored_twice() -> list[Operation]:
    store = Store()
    record = store.insert()
    store.insert(id=record.id)
    return answering(store.history, 1, store.history[0].answer)


def in_two_states() -> list[Operation]:
    store = Store()
    id = store.insert().id
    store.claim()
    store.client.get([id])
    waiting = store.history[0].answer[0].record
    return answering(store.history, 2, {id: waiting})


def miscounted() -> list[Operation]:
    store = Store()
    store.insert()
    store.client.stats(now=NOW)
    stats = store.history[1].answer
    return answering(store.history, 1, stats._replace(by_state={**stats.by_state, State.RUNNING: 1, State.PENDING: 0}))


def two_holders() -> list[Operation]:
    store = Store()
    store.insert(unique_key="key")
    store.client.delete(Filter(), limit=1)
    store.insert(unique_key="key")
    return [operation for operation in store.history if operation.call != "delete"]


def two_inserts_at_once() -> list[Operation]:
    first, second = Store(), Store()
    first.insert(unique_key="key")
    second.insert(unique_key="key")
    [one], [other] = first.history, second.history
    return [replace(one, began=1, ended=6), replace(other, client="other", began=2, ended=5)]


def refused_for_nothing() -> list[Operation]:
    store = Store()
    id = store.insert(unique_key="key").id
    store.claim()
    store.client.settle([Complete(Claim(id, 1))], now=NOW)
    ended = store.client.get([id])[id]
    new = store.insert(unique_key="key")
    assert new.id != id
    return answering(store.history, 4, [store.history[4].answer[0]._replace(record=ended, created=False)])


def rescued_while_held() -> list[Operation]:
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
    ("R1", handed_out_twice),
    ("R2", begun_before_the_end),
    ("R3", ended_twice),
    ("R4", held_when_lost),
    ("R4", refused_while_running),
    ("R5", run_after_its_end),
    ("R6", before_due),
    ("R7", of_another_queue),
    ("R7", of_a_paused_queue),
    ("R8", more_than_the_limit),
    ("R9", nothing_though_due),
    ("R9", not_rescued),
    ("R10", the_second_first),
    ("R10", overtaken),
    ("R11", lost),
    ("R11", stored_twice),
    ("R12", in_two_states),
    ("R12", miscounted),
    ("R13", two_holders),
    ("R13", two_inserts_at_once),
    ("R13", refused_for_nothing),
    ("R14", rescued_while_held),
]
