"""Bugs in stores: setup, teardown, namespaces, waits, validation and closing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

from tallystick import (
    FINAL,
    Capabilities,
    Claim,
    Closed,
    Filter,
    Hold,
    Inserted,
    NewRecord,
    Outcome,
    Record,
    Retry,
    State,
    Unavailable,
    validation,
)
from tallystick.backends.lifetime import Lifetime, closed
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend, backend


class SetsUpAfresh(MemoryBackend):
    """setup empties the store."""

    def setup(self) -> None:
        super().setup()
        super().teardown()


class ForgetsPauses(MemoryBackend):
    """setup resumes every queue."""

    def setup(self) -> None:
        super().setup()
        with self._locked() as store:
            store.paused.clear()


class TearsDownPartly(MemoryBackend):
    """teardown keeps the queues."""

    def teardown(self) -> None:
        for record in self.list(Filter(), limit=10_000):
            with self._locked() as store:
                store.remove(record)
                store.running.discard(record.id)


class TearsDownOnce(MemoryBackend):
    """A second teardown raises."""

    _gone = False

    def teardown(self) -> None:
        if self._gone:
            raise LookupError("there is no such store")
        super().teardown()
        self._gone = True

    def setup(self) -> None:
        super().setup()
        self._gone = False


class CutsNamespaces(MemoryBackend):
    """A store's name is cut at 30 characters."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return super().namespaced(url, namespace[:30] if len(namespace) == 32 else namespace)


class TakesAnyNamespace(MemoryBackend):
    """A namespace is not validated."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return f"{url}.{namespace}"


class TearsDownAll(MemoryBackend):
    """teardown empties the neighbouring stores too."""

    def teardown(self) -> None:
        super().teardown()
        for store in list(backend._stores.values()):  # noqa: SLF001 - mutants may use private names
            store.clear()


class ReadsItsOwn(MemoryBackend):
    """A client caches each record that it has read, and never reads it again."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._read: dict[Any, Record] = {}

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        for id, record in super().get(ids).items():
            self._read.setdefault(id, record)
        return {id: self._read[id] for id in ids if id in self._read}


class PausesHere(MemoryBackend):
    """Only the client knows about a pause, not the store."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._paused: set[str] = set()

    def pause(self, queue: str) -> None:
        super().pause(queue)
        super().resume(queue)
        self._paused.add(queue)

    def resume(self, queue: str) -> None:
        super().resume(queue)
        self._paused.discard(queue)

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return super().claim(
            [name for name in validation.names(queues, "queues") if name not in self._paused], **options
        )


class WaitsInVain(MemoryBackend):
    """wait always lasts until its timeout."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        sleep(timeout.total_seconds())
        return super().wait(queues, timeout=timedelta(0))


class WakesAtOnce(MemoryBackend):
    """wait returns at once, even if no job is due."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues, timeout=timedelta(0))


class WaitsForInserts(MemoryBackend):
    """wait does not notice a job that is due or becomes due."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        names = validation.names(queues, "queues")
        with self._locked() as store:
            store.changed.wait(timeout.total_seconds())
        return super().wait(names, timeout=timedelta(0))


class WakesForAnything(MemoryBackend):
    """wait returns True for a job of any queue."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        woken = super().wait(queues, timeout=timeout)
        return woken or any(queue.due for queue in self.stats().by_queue.values())


class ResumesSilently(MemoryBackend):
    """resume does not end waits."""

    def resume(self, queue: str) -> None:
        validation.name(queue, "queue")
        with self._locked() as store:
            store.paused.discard(queue)


class ClosesTwice(MemoryBackend):
    """A second close raises."""

    def close(self) -> None:
        if self._lifetime.has_ended:
            raise Closed("it is closed")
        super().close()


class WorksClosed(MemoryBackend):
    """stats works on a closed client."""

    def stats(self, **options: Any) -> Any:
        lifetime, self._lifetime = self._lifetime, Lifetime()
        try:
            return super().stats(**options)
        finally:
            self._lifetime = lifetime


class AnswersInChildren(MemoryBackend):
    """In a forked child, a client returns data from the copy of its parent's store."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._lifetime = _InEachProcess()


class _InEachProcess(Lifetime):
    def check(self) -> None:
        if self.has_ended:
            raise closed()


class LeavesWaits(MemoryBackend):
    """close does not end waits."""

    def close(self) -> None:
        with self._store.changed:
            self._store.clients -= self._lifetime.end()


class FailsWaits(MemoryBackend):
    """wait raises Unavailable when close ends it."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        woken = super().wait(queues, timeout=timeout)
        if self._lifetime.has_ended:
            raise Unavailable("the store is gone")
        return woken


class ClosesTheStore(MemoryBackend):
    """Closing a client releases the jobs that it has claimed."""

    def close(self) -> None:
        if not self._lifetime.has_ended:
            far = datetime.max.replace(tzinfo=UTC)
            with self._locked() as store:
                if store.records:
                    super().rescue(limit=1_000, now=far)
        super().close()


class IgnoresTransactions(MemoryBackend):
    """An insert ignores a transaction that it does not support."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        return super().insert(records, now=now)


class TakesNaive(MemoryBackend):
    """A naive now is treated as UTC."""

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        return super().rescue(limit=limit, now=now and now.replace(tzinfo=now.tzinfo or UTC))


class TakesAnyLimit(MemoryBackend):
    """A limit below one is treated as one."""

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        return super().cancel(filter, limit=max(1, limit), now=now)


class TakesAnyLease(MemoryBackend):
    """A lease of zero is treated as one second."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        return super().extend(claims, lease=max(lease, timedelta(seconds=1)), now=now)


class PurgesTheLiving(MemoryBackend):
    """A purge ignores states that are not final."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        return super().purge([state for state in states if state in FINAL], before=before, limit=limit)


class TakesAnyWorker(MemoryBackend):
    """An empty worker name is replaced by `unnamed`."""

    def claim(self, queues: Sequence[str], *, worker: str, **options: Any) -> Sequence[Record]:
        return super().claim(queues, worker=worker or "unnamed", **options)


class TakesAnyBatch(MemoryBackend):
    """extend accepts any number of claims, in parts."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        half = len(claims) // 2
        return [*super().extend(claims[:half], **options), *super().extend(claims[half:], **options)]


class TakesAnyIds(MemoryBackend):
    """get accepts any number of ids, in parts."""

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        half = len(ids) // 2
        return super().get(ids[:half]) | super().get(ids[half:])


class ReadsLetters(MemoryBackend):
    """wait treats a string as a list of its letters."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait([*queues] if isinstance(queues, str) else queues, timeout=timeout)


class TakesAnyAttempt(MemoryBackend):
    """extend returns LOST for an attempt beyond 64 bits."""

    def extend(self, claims: Sequence[Claim], **options: Any) -> Sequence[Hold]:
        beyond = {n for n, claim in enumerate(claims) if isinstance(claim, Claim) and claim.attempt >= 2**63}
        held = iter(super().extend([claim for n, claim in enumerate(claims) if n not in beyond], **options))
        return [Hold.LOST if n in beyond else next(held) for n in range(len(claims))]


class CutsDelays(MemoryBackend):
    """A delay that ends after the year 9999 is shortened."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        cut = [
            replace(o, run_at=timedelta(days=365_000))
            if isinstance(o, Retry) and isinstance(o.run_at, timedelta) and o.run_at.days > 2_900_000
            else o
            for o in outcomes
        ]
        return super().settle(cut, transaction=transaction, now=now)


class TakesOneMore(MemoryBackend):
    """A payload may be one byte larger than the declared maximum."""

    @property
    def capabilities(self) -> Capabilities:
        declared = super().capabilities
        return replace(declared, max_payload_bytes=declared.max_payload_bytes - 1)


class TakesLess(MemoryBackend):
    """A payload of exactly the declared maximum is rejected."""

    @property
    def capabilities(self) -> Capabilities:
        declared = super().capabilities
        return replace(declared, max_payload_bytes=declared.max_payload_bytes + 1)


class SaysMore(MemoryBackend):
    """Only the client that ran setup declares the real capabilities."""

    _set_up = False

    def setup(self) -> None:
        super().setup()
        self._set_up = True

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, max_batch=100_000 if self._set_up else 1)


class HasNoClock(MemoryBackend):
    """Without now, an insert uses a time one hour ago."""

    def insert(
        self, records: Sequence[NewRecord], *, now: datetime | None = None, **options: Any
    ) -> Sequence[Inserted]:
        return super().insert(records, now=now or datetime.now(UTC) - timedelta(hours=1), **options)


class WritesLate(MemoryBackend):
    """settle returns at once, and stores the outcomes with the client's next call."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self._late: list[tuple[Sequence[Outcome], datetime | None]] = []

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        self._flush()
        with self._locked() as store:
            current = [store.current(outcome.claim) is not None for outcome in outcomes]
        self._late.append((outcomes, now))
        return current

    def get(self, ids: Sequence[Any]) -> dict[Any, Record]:
        self._flush()
        return super().get(ids)

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        self._flush()
        return super().list(filter, **options)

    def _flush(self) -> None:
        late, self._late = self._late, []
        for outcomes, now in late:
            super().settle(outcomes, now=now)


class AnswersWhenOpen(MemoryBackend):
    """An insert checks only after storing whether the client is closed."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        with self._locked():
            return answers


MUTANTS = (
    Mutant("sets up afresh", "SETUP-01", SetsUpAfresh, "setup empties the store."),
    Mutant("forgets pauses", "SETUP-01", ForgetsPauses, "setup resumes every queue."),
    Mutant("sets up over others", "SETUP-08", ForgetsPauses, "setup undoes the changes of other clients.", "L1"),
    Mutant("tears down partly", "SETUP-02", TearsDownPartly, "teardown keeps the queues."),
    Mutant("tears down once", "SETUP-02", TearsDownOnce, "A second teardown raises."),
    Mutant("cuts namespaces", "SETUP-03", CutsNamespaces, "Names of 32 characters are cut.", "L4"),
    Mutant("tears down all", "SETUP-03", TearsDownAll, "teardown empties every store."),
    Mutant("reads its own", "SETUP-04", ReadsItsOwn, "A client never reads a record again."),
    Mutant("pauses here", "CLAIM-04", PausesHere, "The client keeps pauses, not the store."),
    Mutant("writes late", "SETUP-04", WritesLate, "A settle is stored with the next call.", "N4"),
    Mutant("waits in vain", "WAIT-02", WaitsInVain, "wait always lasts until its timeout."),
    Mutant("waits for inserts", "WAIT-03", WaitsForInserts, "wait misses jobs that become due."),
    Mutant("wakes at once", "WAIT-01", WakesAtOnce, "wait never waits.", "M2"),
    Mutant("wakes for anything", "WAIT-04", WakesForAnything, "wait returns True for jobs of any queue."),
    Mutant("resumes silently", "WAIT-06", ResumesSilently, "resume does not end waits."),
    Mutant("closes once", "CLOSE-01", ClosesTwice, "A second close raises."),
    Mutant("works when closed", "CLOSE-01", WorksClosed, "A closed client returns data."),
    Mutant("answers in children", "FORK-01", AnswersInChildren, "A forked child works on a copy of the store."),
    Mutant("leaves waits", "CLOSE-02", LeavesWaits, "close does not end waits."),
    Mutant("fails waits", "CLOSE-02", FailsWaits, "wait raises Unavailable when close ends it."),
    Mutant("closes the store", "CLOSE-03", ClosesTheStore, "Closing a client ends its claims.", "A13"),
    Mutant("answers when open", "CLOSE-04", AnswersWhenOpen, "An insert that overlaps a close is stored and raises."),
    Mutant("ignores transactions", "CAP-01", IgnoresTransactions, "A transaction is ignored."),
    Mutant("says more later", "CAP-04", SaysMore, "Clients declare different capabilities."),
    Mutant("takes naive times", "TIME-04", TakesNaive, "A naive now is treated as UTC."),
    Mutant("cuts delays", "TIME-08", CutsDelays, "A delay beyond 9999 is shortened.", "B10"),
    Mutant("has no clock", "TIME-07", HasNoClock, "Without now, the time is one hour ago."),
    Mutant("takes any limit", "REFUSE-01", TakesAnyLimit, "A limit of zero is treated as one."),
    Mutant("takes any lease", "REFUSE-02", TakesAnyLease, "A lease of zero is treated as one second."),
    Mutant("purges the living", "REFUSE-03", PurgesTheLiving, "A purge ignores states that are not final."),
    Mutant("takes any worker", "REFUSE-04", TakesAnyWorker, "An empty worker name is accepted."),
    Mutant("reads letters", "REFUSE-05", ReadsLetters, "wait treats a string as a list of its letters."),
    Mutant("takes any attempt", "REFUSE-06", TakesAnyAttempt, "An attempt beyond 64 bits is LOST, not rejected."),
    Mutant("takes any batch", "BATCH-03", TakesAnyBatch, "extend accepts more than max_batch."),
    Mutant("takes any ids", "BATCH-03", TakesAnyIds, "get accepts more than max_batch."),
    Mutant("takes one byte more", "PAYLOAD-04", TakesOneMore, "A payload one byte too large is stored."),
    Mutant("takes one byte less", "PAYLOAD-03", TakesLess, "The largest payload is rejected.", "C13"),
)
