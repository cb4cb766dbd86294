"""A correct backend that is as awkward as the contract allows: the kit must not require more than the contract."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import pytest
from tallystick import (
    Capabilities,
    Filter,
    Inserted,
    InvalidArgument,
    NewRecord,
    NewSchedule,
    Outcome,
    ProgressReport,
    Record,
    Schedule,
    validation,
)
from tallystick.backends import batches, register_calls, restore_calls, transitions
from tallystick_conformance import Target, conform
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

_MS = timedelta(milliseconds=1)
_YEARS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC))


def _up(moment: datetime) -> datetime:
    return moment + timedelta(microseconds=-moment.microsecond % 1000)


class Nasty(MemoryBackend):
    """Has millisecond times, small batches and payloads and few years, and chooses the last of all valid choices."""

    @property
    def capabilities(self) -> Capabilities:
        """Declare less than the memory backend."""
        return replace(super().capabilities, time_precision=_MS, notify=False, max_payload_bytes=70_000, max_batch=50)

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        """Reject far years and large payloads."""
        batches.records(records, self.capabilities.max_batch)
        for new in records:
            validation.size(new.payload, self.capabilities.max_payload_bytes, "payload")
            if isinstance(new.run_at, datetime) and not _YEARS[0] <= new.run_at <= _YEARS[1]:
                raise InvalidArgument(f"run_at is {new.run_at}; it must be from 1970 to 2261")
        return super().insert(records, **options)

    def extend(self, claims: Sequence[Any], **options: Any) -> Sequence[Any]:
        """Reject large batches."""
        batches.claims(claims, self.capabilities.max_batch)
        return super().extend(claims, **options)

    def report_progress(self, reports: Sequence[ProgressReport], *, now: datetime | None = None) -> Sequence[bool]:
        """Reject large batches."""
        batches.reports(reports, self.capabilities.max_batch)
        return super().report_progress(reports, now=now)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        """Reject large batches and results."""
        batches.outcomes(outcomes, self.capabilities.max_batch)
        for outcome in outcomes:
            validation.size(getattr(outcome, "result", None), self.capabilities.max_payload_bytes, "result")
        return super().settle(outcomes, transaction=transaction, now=now)

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        """Reject many ids."""
        batches.ids(ids, self.capabilities.max_batch)
        return super().get(ids)

    def list(self, filter: Filter, *, limit: int, after: Any = None, **options: Any) -> Sequence[Record]:
        """Reject a filter with many ids."""
        batches.filter(filter, self.capabilities.max_batch)
        return super().list(filter, limit=limit, after=after, **options)

    def _insert(self, store: Store, record: Record) -> Inserted:
        return super()._insert(store, record._replace(run_at=_up(record.run_at)))

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        applied = super()._settle(store, outcome, now)
        if applied:
            record = store.records[outcome.claim.id]
            store.put(record._replace(run_at=_up(record.run_at)))
        return applied

    def rescue(self, *, limit: int, now: datetime | None = None) -> Sequence[Record]:
        """Choose the highest ids first, regardless of their expiry."""
        super().rescue(limit=limit, now=datetime.min.replace(tzinfo=UTC))
        now = datetime.now(UTC) if now is None else validation.utc(now)
        with self._locked() as store:
            expired = (
                record
                for record in sorted(map(store.records.__getitem__, store.running), reverse=True)
                if record.lease_until is not None and record.lease_until <= now
            )
            rescued = [transitions.rescued(record, now) for record in islice(expired, limit)]
            for record in rescued:
                store.put(record)
        return [transitions.without_details(record) for record in rescued]

    def restore(self, records: Sequence[Record], *, now: datetime | None = None) -> Sequence[bool]:
        """Reject large batches, payloads and results. Keep milliseconds."""
        call = restore_calls.restore(records, self.capabilities, now=now)
        return super().restore(call.records, now=now)

    def put_schedules(self, schedules: Sequence[NewSchedule], *, now: datetime | None = None) -> Sequence[Schedule]:
        """Reject large batches and payloads. Keep milliseconds."""
        call = register_calls.put_schedules(schedules, self.capabilities, now=now)
        return super().put_schedules(call.schedules, now=now)

    def cancel(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        """Choose the last inserted first."""
        batches.filter(filter, self.capabilities.max_batch)
        with _backwards(self._store):
            return super().cancel(filter, limit=limit, now=now)

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        """Choose the last inserted first."""
        batches.filter(filter, self.capabilities.max_batch)
        with _backwards(self._store):
            return super().requeue(filter, limit=limit, now=now)

    def delete(self, filter: Filter, *, limit: int) -> Sequence[Any]:
        """Choose the last inserted first."""
        batches.filter(filter, self.capabilities.max_batch)
        with _backwards(self._store):
            return super().delete(filter, limit=limit)


@contextmanager
def _backwards(store: Store) -> Iterator[None]:
    with store.changed:
        _turn(store.records)
        yield
        _turn(store.records)


def _turn(records: dict[UUID, Record]) -> None:
    turned = list(reversed(records.items()))
    records.clear()
    records.update(turned)


@pytest.mark.kit
def test_a_right_but_awkward_backend_conforms() -> None:
    """The kit requires no more than the contract: it accepts each valid choice of a backend."""
    report = conform(Target.from_class(Nasty, "memory://"))

    assert report.passed, "\n\n".join(result.detail for result in report.failures)
