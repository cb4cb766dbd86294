"""Bugs at the corners of a call: its own clock, an item that is refused late, a wait that goes on, an answer lent."""

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
    """Whether an outcome's delay ends within the calendar shows when it is applied, after those before it."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: Now = None
    ) -> Sequence[bool]:
        checked = [outcome for outcome in outcomes if not isinstance(outcome, Retry | Release)]
        stale = [replace(outcome, claim=Claim(outcome.claim.id, 0)) for outcome in checked]
        super().settle(stale, transaction=transaction, now=now)
        validation.within(len(outcomes), 0, self.capabilities.max_batch, "the number of outcomes")
        return [super(RefusesInTheMiddle, self).settle([outcome], now=now)[0] for outcome in outcomes]


class RemembersIds(MemoryBackend):
    """What an insert stored answers its repeats for ever, also once the job was deleted."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        stored: dict[UUID, Record] = vars(self).setdefault("_stored", {})
        if record.id in stored and record.id not in store.records:
            return Inserted(stored[record.id], created=False)
        return super()._insert(store, stored.setdefault(record.id, record))

    def teardown(self) -> None:
        vars(self).pop("_stored", None)
        super().teardown()


class ComposesKeys(MemoryBackend):
    """A key is looked for in its composed form too."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        holder = store.holder(normalize("NFC", record.unique_key)) if record.unique_key else None
        return super()._insert(store, record) if holder is None else Inserted(holder, created=False)


class CountsSinceItsImport(MemoryBackend):
    """The clock of its counts was read once, as the default of the parameter."""

    def stats(self, *, now: Now = _IMPORTED) -> Stats:
        return super().stats(now=now)


class RequeuesByNoClock(MemoryBackend):
    """Without now, a requeued job keeps its time."""

    def requeue(self, filter: Filter, *, limit: int, now: Now = None) -> Sequence[UUID]:
        before = dict(self._store.records)
        ids = super().requeue(filter, limit=limit, now=now)
        for id in ids if now is None else ():
            self._store.put(self._store.records[id]._replace(run_at=before[id].run_at))
        return ids


class ExtendsWhatIsLeft(MemoryBackend):
    """Without now, a lease goes on from where it ended."""

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
    """A wait sleeps until the last of its queues has something due, or something changes."""

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
    """What comes to be due sooner than all that was there when a wait began does not shorten its sleep."""

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
    """A wait that is woken by another queue's job looks once more, and says that there is nothing."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        if super().wait(queues, timeout=timedelta(0)):
            return True
        with self._locked() as store:
            store.changed.wait(timeout.total_seconds())
        return not self._closed and super().wait(queues, timeout=timedelta(0))


class WaitsForAll(MemoryBackend):
    """Of a wait, no queues are taken for every queue."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        return super().wait(queues or list(self._store.lanes), timeout=timeout)


class LeavesTimers(MemoryBackend):
    """A wait sets a timer for its timeout, and forgets it when a job comes before."""

    def wait(self, queues: Sequence[str], *, timeout: timedelta) -> bool:
        timer = Timer(timeout.total_seconds(), lambda: None)
        timer.daemon = True
        timer.start()
        return super().wait(queues, timeout=timeout)


class LendsItsOwn(MemoryBackend):
    """A get of all that there is answers with the store's own dict."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        found = super().get(ids)
        return self._store.records if found.keys() == self._store.records.keys() else found


class RequeuesAllForNoTags(MemoryBackend):
    """Of a filter of a requeue, an empty collection of tags is taken for none."""

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
