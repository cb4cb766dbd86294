"""Bugs in payloads, results and errors: encodings and sizes."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallystick import Capabilities, Complete, Discard, Failure, Inserted, InvalidArgument, NewRecord, Outcome, Retry
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Inserts


class StripsNul(MemoryBackend):
    """NUL bytes are removed from the payload."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        return super().insert([replace(new, payload=new.payload.replace(b"\0", b"")) for new in records], **options)


class CutsPayload(MemoryBackend):
    """A payload is cut at 64 KiB."""

    def insert(self, records: Sequence[NewRecord], **options: Any) -> Sequence[Inserted]:
        super().insert(records[:0], **options)
        return super().insert([replace(new, payload=new.payload[: 1 << 16]) for new in records], **options)


class ReencodesJson(Inserts):
    """A JSON payload is parsed and serialized again."""

    def _changed(self, new: NewRecord) -> NewRecord:
        with suppress(ValueError):
            return replace(new, payload=json.dumps(json.loads(new.payload)).encode())
        return new


class ReadsFloats(Inserts):
    """Numbers in a JSON payload become floats."""

    def _changed(self, new: NewRecord) -> NewRecord:
        with suppress(ValueError):
            if b"9007199254740993" in new.payload:
                return replace(new, payload=json.dumps(json.loads(new.payload, parse_int=float)).encode())
        return new


class DropsNotANumber(Inserts):
    """NaN in a payload becomes null."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.replace(b"NaN", b"null"))


class EncodesTwice(Inserts):
    """A text payload is stored as a JSON string."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=json.dumps(new.payload.decode()).encode()) if new.payload[:1] == b"{" else new


class ReplacesText(Inserts):
    """Bytes of a payload that are not valid UTF-8 are replaced."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.decode(errors="replace").encode())


class NestsKeys(Inserts):
    """The dollar of an operator in a payload's key is dropped."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, payload=new.payload.replace(b'"$set"', b'"set"'))


class LosesEmptyResult(MemoryBackend):
    """An empty result is stored as None."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        return super().settle(
            [Complete(o.claim, o.result or None) if isinstance(o, Complete) else o for o in outcomes],
            transaction=transaction,
            now=now,
        )


class RefusesNulResults(MemoryBackend):
    """One result with NUL makes the whole settle fail, so the jobs stay running."""

    def settle(
        self, outcomes: Sequence[Outcome], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[bool]:
        if any(isinstance(outcome, Complete) and b"\0" in (outcome.result or b"") for outcome in outcomes):
            raise InvalidArgument("a result has NUL")
        return super().settle(outcomes, transaction=transaction, now=now)


class TakesLess(MemoryBackend):
    """A payload of exactly the declared maximum is rejected."""

    @property
    def capabilities(self) -> Capabilities:
        declared = super().capabilities
        return replace(declared, max_payload_bytes=declared.max_payload_bytes + 1)


class TakesOneMore(MemoryBackend):
    """A payload may be one byte larger than the declared maximum."""

    @property
    def capabilities(self) -> Capabilities:
        declared = super().capabilities
        return replace(declared, max_payload_bytes=declared.max_payload_bytes - 1)


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


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("strips NUL", "PAYLOAD-01", StripsNul, "C4"),
    MEMORY.mutant("cuts the payload", "PAYLOAD-01", CutsPayload, "C13"),
    MEMORY.mutant("re-encodes JSON", "PAYLOAD-01", ReencodesJson, "C5"),
    MEMORY.mutant("reads floats", "PAYLOAD-01", ReadsFloats, "C7"),
    MEMORY.mutant("drops NaN", "PAYLOAD-01", DropsNotANumber, "C8"),
    MEMORY.mutant("encodes twice", "PAYLOAD-01", EncodesTwice, "C14"),
    MEMORY.mutant("replaces bytes", "PAYLOAD-01", ReplacesText, "C16"),
    MEMORY.mutant("renames keys", "PAYLOAD-01", NestsKeys, "C11"),
    MEMORY.mutant("loses an empty result", "PAYLOAD-02", LosesEmptyResult, "C10"),
    MEMORY.mutant("refuses NUL in a result", "PAYLOAD-02", RefusesNulResults, "C2"),
    MEMORY.mutant("takes one byte less", "PAYLOAD-03", TakesLess, "C13"),
    MEMORY.mutant("takes one byte more", "PAYLOAD-04", TakesOneMore),
    MEMORY.mutant("replaces surrogates", "PAYLOAD-05", ReplacesSurrogates, "C5"),
    MEMORY.mutant("cuts tracebacks", "PAYLOAD-05", CutsTracebacks),
    MEMORY.mutant("loses the error's type", "PAYLOAD-05", LosesErrorType),
)
