"""Bugs in rare cases of a call: its default clock, late validation, waits, and results that share the store's data."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Timer
from time import monotonic
from unicodedata import normalize
from uuid import UUID

from tallystick import Claim, Filter, Hold, Inserted, Outcome, Record, Release, Retry, Stats, validation
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

Now = datetime | None

_IMPORTED = datetime.now(UTC)


class RefusesInTheMiddle(MemoryBackend):
    """settle validates the delay of an outcome when it applies it, after it has applied earlier outcomes."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        checked = [outcome for outcome in outcomes if not isinstance(outcome, Retry | Release)]
        stale = [replace(outcome, claim=Claim(outcome.claim.id, 0)) for outcome in checked]
        super().settle(stale, transaction=transaction, now=now)
        validation.within(len(outcomes), 0, self.capabilities.max_batch, "the number of outcomes")
        return [super(RefusesInTheMiddle, self).settle([outcome], now=now)[0] for outcome in outcomes]


class RemembersIds(MemoryBackend):
    """An insert with the id of a deleted job returns that job, and does not store the new one."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        stored: dict[UUID, Record] = vars(self).setdefault("_stored", {})
        if record.id in stored and record.id not in store.records:
            return Inserted(stored[record.id], created=False)
        return super()._insert(store, stored.setdefault(record.id, record))

    def teardown(self) -> None:
        vars(self).pop("_stored", None)
        super().teardown()


class ComposesKeys(MemoryBackend):
    """A unique key also conflicts with its composed Unicode form."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(normalize("NFC", record.unique_key)) if record.unique_key else None
        return super()._insert(store, record) if holder is None else Inserted(holder, created=False)


class CountsSinceItsImport(MemoryBackend):
    """stats uses the time of the import as its default now."""

    def stats(self, *, now: Now = _IMPORTED) -> Stats:
        return super().stats(now=now)


class RequeuesByNoClock(MemoryBackend):
    """Without now, requeue keeps the job's run_at."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        before = dict(self._store.records)
        ids = super().requeue(filter, limit=limit, now=now)
        for id in ids if now is None else ():
            self._store.put(self._store.records[id]._replace(run_at=before[id].run_at))
        return ids


class ExtendsWhatIsLeft(MemoryBackend):
    """Without now, extend adds the lease to the end of the old one."""

    def _extend(self, store: Store, claim: Claim, until: datetime, now: datetime) -> Hold:
        record = store.records.get(claim.id)
        if (
            record is not None
            and record.lease_until is not None
            and abs(now - datetime.now(UTC)) < timedelta(minutes=1)
        ):
            until += record.lease_until - now
        return super()._extend(store, claim, until, now)


class WaitsForTheLatest(MemoryBackend):
    """A wait sleeps until the last of its queues has a due job, or until a change."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        end = monotonic() + timeout.total_seconds()
        while not (found := super().wait(queues, timeout=timedelta(0))) and (left := end - monotonic()) > 0:
            with self._locked() as store:
                heads = [store.lanes[name].next_due() for name in queues if name in store.lanes]
                latest = max((head for head in heads if head is not None), default=None)
                ahead = (latest - datetime.now(UTC)).total_seconds() if latest else left
                store.changed.wait(max(0.0, min(left, ahead)))
        return found


class SleepsThroughWhatComes(MemoryBackend):
    """A wait keeps its first wake-up time, although a job with an earlier one is inserted."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        end = monotonic() + timeout.total_seconds()
        with self._locked() as store:
            heads = [store.lanes[name].next_due() for name in queues if name in store.lanes]
            first = min((head for head in heads if head is not None), default=None)
        while not (found := super().wait(queues, timeout=timedelta(0))) and (left := end - monotonic()) > 0:
            with self._locked() as store:
                ahead = (first - datetime.now(UTC)).total_seconds() if first else left
                store.changed.wait(max(0.0, min(left, ahead)))
        return found


class EndsAtAnyChange(MemoryBackend):
    """A wait that another queue's job wakes checks once, and then returns False."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        with self._locked() as store:
            store.changed.wait(timeout.total_seconds())
        return not self._lifetime.has_ended and super().wait(queues, timeout=timedelta(0))


class WaitsForAll(MemoryBackend):
    """wait treats an empty list of queues as all queues."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues or list(self._store.lanes), timeout=timeout)


class LeavesTimers(MemoryBackend):
    """A wait starts a timer for its timeout, and does not cancel it when a job comes first."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        timer = Timer(timeout.total_seconds(), lambda: None)
        timer.daemon = True
        timer.start()
        return super().wait(queues, timeout=timeout)


class LendsItsOwn(MemoryBackend):
    """get returns the store's own dict if it contains exactly the requested records."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        found = super().get(ids)
        return self._store.records if found.keys() == self._store.records.keys() else found


class RequeuesAllForNoTags(MemoryBackend):
    """requeue treats an empty collection of tags in its filter as None."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        return super().requeue(replace(filter, tags=filter.tags or None), limit=limit, now=now)


MUTANTS = tuple(
    Mutant(name, clause, make, make.__doc__ or "", source)
    for name, clause, make, source in (
        ("refuses in the middle", "BATCH-04", RefusesInTheMiddle, "H2"),
        ("remembers ids", "INSERT-04", RemembersIds, ""),
        ("composes keys", "NAME-02", ComposesKeys, "F8"),
        ("counts since its import", "TIME-07", CountsSinceItsImport, ""),
        ("requeues by no clock", "TIME-07", RequeuesByNoClock, ""),
        ("extends what is left", "TIME-07", ExtendsWhatIsLeft, ""),
        ("waits for the latest", "WAIT-03", WaitsForTheLatest, ""),
        ("sleeps through what comes", "WAIT-05", SleepsThroughWhatComes, ""),
        ("ends at any change", "WAIT-05", EndsAtAnyChange, "M2"),
        ("waits for all", "WAIT-04", WaitsForAll, ""),
        ("leaves timers", "LEAK-03", LeavesTimers, ""),
        ("lends its own", "RECORD-02", LendsItsOwn, ""),
        ("requeues all for no tags", "FILTER-01", RequeuesAllForNoTags, ""),
    )
)
