"""Bugs in values: types, payloads, times and the order of results."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tallystick import (
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    Hold,
    Inserted,
    InvalidArgument,
    NewRecord,
    Outcome,
    Record,
    Retry,
    State,
)
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store


class _Inserts(MemoryBackend):
    """An insert that changes each new record."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        super().insert(records[:0], **options)
        return super().insert([self._changed(new) for new in records], **options)

    def _changed(self, new: NewRecord) -> NewRecord:
        raise NotImplementedError


class _Stores(MemoryBackend):
    """A store that changes inserted records, although the insert returns the original ones."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        answer = super()._insert(store, record)
        if answer.created:
            store.put(self._spoiled(answer.record))
        return answer

    def _spoiled(self, record: Record) -> Record:
        raise NotImplementedError


class ReencodesJson(_Inserts):
    """A JSON payload is parsed and serialized again."""

    def _changed(self, new: NewRecord) -> NewRecord:
        with suppress(ValueError):
            return replace(new, payload=json.dumps(json.loads(new.payload)).encode())
        return new


class ReadsFloats(_Inserts):
    """Numbers in a JSON payload become floats."""

    def _changed(self, new: NewRecord) -> NewRecord:
        with suppress(ValueError):
            if b"9007199254740993" in new.payload:
                return replace(new, payload=json.dumps(json.loads(new.payload, parse_int=float)).encode())
        return new


class DropsNotANumber(_Inserts):
    """NaN in a payload becomes null."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.replace(b"NaN", b"null"))


class EncodesTwice(_Inserts):
    """A text payload is stored as a JSON string."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=json.dumps(new.payload.decode()).encode()) if new.payload[:1] == b"{" else new


class ReplacesText(_Inserts):
    """Bytes of a payload that are not valid UTF-8 are replaced."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.decode(errors="replace").encode())


class NestsKeys(_Inserts):
    """Dots in a payload's keys are treated as paths."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.replace(b'"$set"', b'"set"'))


class SortsTags(_Stores):
    """Tags are sorted alphabetically."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(tags=tuple(sorted(record.tags)))


class StateAsText(_Stores):
    """A state is a plain string, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(state=record.state.value)  # type: ignore[arg-type]


class FlagAsNumber(_Stores):
    """cancel_requested is 0 or 1, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(cancel_requested=int(record.cancel_requested))  # type: ignore[arg-type]


class PayloadAsArray(_Stores):
    """A payload is a bytearray, which compares equal."""

    def _spoiled(self, record: Record) -> Record:
        return record._replace(payload=bytearray(record.payload))  # type: ignore[arg-type]


class KeepsZone(_Stores):
    """run_at keeps the time zone of the client that inserted it."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        return super()._insert(store, record)

    def _spoiled(self, record: Record) -> Record:
        return record._replace(run_at=record.run_at.astimezone())


class RefusesNulResults(MemoryBackend):
    """One result with NUL makes the whole settle fail, so the jobs stay running."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        if any(isinstance(outcome, Complete) and b"\0" in (outcome.result or b"") for outcome in outcomes):
            raise InvalidArgument("a result has NUL")
        return super().settle(outcomes, transaction=transaction, now=now)


class _Errors(MemoryBackend):
    """A settle that changes each error."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        return super().settle([self._with(outcome) for outcome in outcomes], transaction=transaction, now=now)

    def _with(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Retry | Discard):
            return replace(outcome, error=self._changed(outcome.error))
        return outcome

    def _changed(self, error: Failure) -> Failure:
        raise NotImplementedError


class ReplacesSurrogates(_Errors):
    """Lone surrogates in an error's text become question marks."""

    def _changed(self, error: Failure) -> Failure:
        return replace(error, message=error.message.encode(errors="replace").decode())


class CutsTracebacks(_Errors):
    """A traceback is cut at 10,000 characters."""

    def _changed(self, error: Failure) -> Failure:
        return replace(error, traceback=error.traceback[-10_000:])


class LosesErrorType(_Errors):
    """An error's type is lost."""

    def _changed(self, error: Failure) -> Failure:
        return replace(error, type="Error")


class AnswersSorted(MemoryBackend):
    """The results of an insert are sorted by id."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return sorted(super().insert(records, **options), key=lambda answer: answer.record.id)


class AnswersCreatedOnly(MemoryBackend):
    """The results of an insert omit duplicates."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return [answer for answer in super().insert(records, **options) if answer.created]


class AnswersWithGiven(MemoryBackend):
    """The result for a duplicate is the new record, not the existing one."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        answers = super().insert(records, **options)
        return [
            answer if answer.created else answer._replace(record=answer.record._replace(payload=new.payload))
            for answer, new in zip(answers, records, strict=True)
        ]


class AnswersNone(MemoryBackend):
    """get returns None for an unknown id."""

    def get(self, ids: Sequence[UUID]) -> dict[UUID, Record]:
        return {**dict.fromkeys(ids), **super().get(ids)}  # type: ignore[dict-item]


class ClaimsReversed(MemoryBackend):
    """Claimed records are returned in the order in which they were written."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return sorted(super().claim(queues, **options), key=lambda record: record.id, reverse=True)


class RescuedFirst(MemoryBackend):
    """Retrying jobs are claimed before new ones, whatever their priority."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = super().claim(queues, **options)
        return sorted(claimed, key=lambda record: record.attempt < 2)


class StopsAtStale(MemoryBackend):
    """A settle stops at a stale claim, and does not apply the later outcomes."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        answers: list[bool] = []
        for outcome in outcomes:
            answers += super().settle([outcome], transaction=transaction, now=now) if all(answers) else [False]
        return answers


class HoldsSorted(MemoryBackend):
    """The results of an extend are sorted, with lost claims last."""

    def extend(self, claims: Sequence[Claim], *, lease: timedelta, now: datetime | None = None) -> Sequence[Hold]:
        return sorted(super().extend(claims, lease=lease, now=now), key=lambda hold: hold is Hold.LOST)


class FreezesTime(MemoryBackend):
    """The first now of a client is used for all its claims."""

    _first: datetime | None = None

    def claim(self, queues: Sequence[str], *, now: datetime | None = None, **options: Any) -> Sequence[Record]:
        self._first = self._first or now
        return super().claim(queues, now=self._first, **options)


class NeverGoesBack(MemoryBackend):
    """A now earlier than the latest one is replaced by it."""

    _latest = datetime.min.replace(tzinfo=UTC)

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        now = now or datetime.now(UTC)
        if now.tzinfo is not None:
            self._latest = now = max(now, self._latest)
        return super().settle(outcomes, transaction=transaction, now=now)


class FarFutureIsNow(_Inserts):
    """A run_at after 2262 overflows into the past."""

    def _changed(self, new: NewRecord) -> NewRecord:
        late = isinstance(new.run_at, datetime) and new.run_at.tzinfo is not None and new.run_at.year > 2262
        return replace(new, run_at=datetime(1677, 9, 21, tzinfo=UTC)) if late else new


class ReadsLocalTime(_Inserts):
    """A run_at in another time zone is treated as UTC."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, run_at=new.run_at.replace(tzinfo=UTC)) if isinstance(new.run_at, datetime) else new


class ForgetsFold(_Inserts):
    """A run_at in the hour that a clock change repeats always means the first one."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, run_at=new.run_at.replace(fold=0)) if isinstance(new.run_at, datetime) else new


class PurgesLocally(MemoryBackend):
    """The cut-off of a purge is read in the local time zone."""

    def purge(self, states: Sequence[State], *, before: datetime, limit: int) -> int:
        if before.tzinfo is not UTC and before.tzinfo is not None:
            before = before.replace(tzinfo=UTC)
        return super().purge(states, before=before, limit=limit)


class StopsAtByte(MemoryBackend):
    """attempt is stored in one byte, and stops at 127."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        claimed = [record._replace(attempt=min(record.attempt, 127)) for record in super().claim(queues, **options)]
        with self._locked() as store:
            for record in claimed:
                store.put(record)
        return claimed


class BoundParameters(MemoryBackend):
    """More than 32,766 values exceed the parameters of one statement."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        if len(records) * 22 > 32_766:
            raise RuntimeError("too many bound parameters")
        return super().insert(records, **options)


class BoundIds(MemoryBackend):
    """A filter with more than 999 ids finds only the first 999."""

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        return super().list(replace(filter, ids=filter.ids and filter.ids[:999]), **options)


class RefusesLargeLimits(MemoryBackend):
    """A limit above 10,000 is rejected."""

    def list(self, filter: Filter, *, limit: int, after: UUID | None = None) -> Sequence[Record]:
        if limit > 10_000:
            raise InvalidArgument(f"limit is {limit}; it must be at most 10,000")
        return super().list(filter, limit=limit, after=after)


class KeyOfEmptiness(MemoryBackend):
    """Jobs without a unique key share one."""

    def _insert(self, store: Store, record: Record) -> Inserted:
        return super()._insert(store, record._replace(unique_key=record.unique_key or "-"))


MUTANTS = (
    Mutant("re-encodes JSON", "PAYLOAD-01", ReencodesJson, "A JSON payload is parsed and serialized again.", "C5"),
    Mutant("reads floats", "PAYLOAD-01", ReadsFloats, "Whole numbers of a payload become floats.", "C7"),
    Mutant("drops NaN", "PAYLOAD-01", DropsNotANumber, "NaN in a payload becomes null.", "C8"),
    Mutant("encodes twice", "PAYLOAD-01", EncodesTwice, "A payload is stored as a JSON string.", "C14"),
    Mutant("replaces bytes", "PAYLOAD-01", ReplacesText, "Invalid UTF-8 is replaced.", "C16"),
    Mutant("renames keys", "PAYLOAD-01", NestsKeys, "A dollar in a payload's key is dropped.", "C11"),
    Mutant("refuses NUL in a result", "PAYLOAD-02", RefusesNulResults, "A result with NUL stays unsettled.", "C2"),
    Mutant("replaces surrogates", "PAYLOAD-05", ReplacesSurrogates, "Lone surrogates become question marks.", "C5"),
    Mutant("cuts tracebacks", "PAYLOAD-05", CutsTracebacks, "A traceback is cut at 10,000 characters."),
    Mutant("loses the error's type", "PAYLOAD-05", LosesErrorType, "All errors have the same type."),
    Mutant("sorts tags", "NAME-01", SortsTags, "Tags are sorted alphabetically."),
    Mutant("has states as text", "CALL-02", StateAsText, "A state is a plain string."),
    Mutant("has flags as numbers", "CALL-02", FlagAsNumber, "cancel_requested is 0 or 1."),
    Mutant("has payloads as arrays", "CALL-02", PayloadAsArray, "A payload is a bytearray."),
    Mutant("keeps zones", "TIME-10", KeepsZone, "Times come back in the local time zone.", "B11"),
    Mutant("answers sorted", "INSERT-03", AnswersSorted, "Results are sorted by id.", "H4"),
    Mutant("answers the created only", "INSERT-03", AnswersCreatedOnly, "The results omit duplicates.", "H4"),
    Mutant("answers with what was given", "INSERT-03", AnswersWithGiven, "A duplicate returns the new payload.", "K2"),
    Mutant("answers None", "QUERY-01", AnswersNone, "get returns None for an unknown id.", "E10"),
    Mutant("returns claims unordered", "CLAIM-05", ClaimsReversed, "Claims are returned in the order of writes.", "G4"),
    Mutant("puts retries first", "CLAIM-05", RescuedFirst, "Retries are claimed first, whatever their priority.", "G5"),
    Mutant("stops at a stale claim", "SETTLE-01", StopsAtStale, "Outcomes after a stale claim are lost.", "D14"),
    Mutant("answers holds sorted", "LEASE-05", HoldsSorted, "The results have lost claims last.", "H4"),
    Mutant("freezes time", "TIME-09", FreezesTime, "A client uses its first now for all calls.", "B8"),
    Mutant("never goes back", "TIME-09", NeverGoesBack, "An earlier now is replaced by the latest one.", "B7"),
    Mutant("overflows", "TIME-05", FarFutureIsNow, "A far run_at is due at once.", "B10"),
    Mutant("reads local time", "TIME-03", ReadsLocalTime, "The time zone of a run_at is dropped.", "B11"),
    Mutant("forgets the fold", "TIME-03", ForgetsFold, "A repeated hour always means the first one.", "B11"),
    Mutant("purges by local time", "TIME-03", PurgesLocally, "The time zone of `before` is dropped.", "I4"),
    Mutant("stops at a byte", "CLAIM-08", StopsAtByte, "attempt stops at 127.", "K4"),
    Mutant("binds too many", "BATCH-02", BoundParameters, "A large batch always fails.", "H1"),
    Mutant("binds few ids", "BATCH-02", BoundIds, "The last of many ids in a filter are ignored.", "H1"),
    Mutant("refuses large limits", "CALL-01", RefusesLargeLimits, "A limit above 10,000 is rejected."),
    Mutant("shares a key of none", "UNIQUE-05", KeyOfEmptiness, "Jobs without a key share one.", "F8"),
)
