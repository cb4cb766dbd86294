"""Bugs in restores of whole records."""

from collections.abc import Sequence
from datetime import timedelta

from tallystick import Record, State
from tallystick.backends import restore_calls
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Now

edited = MEMORY.edited


class RestoresAsNew(MemoryBackend):
    """A restored record is pending, as if it was inserted."""

    def restore(self, records: Sequence[Record], *, now: Now = None) -> Sequence[bool]:
        stored = super().restore(records, now=now)
        with self._locked() as store:
            for record, is_new in zip(records, stored, strict=True):
                if is_new and record.state is State.RETRYING:
                    store.put(record._replace(state=State.PENDING))
        return stored


class RestoresMilliseconds(MemoryBackend):
    """A restore cuts created_at to milliseconds, as JSON of some languages has it."""

    def restore(self, records: Sequence[Record], *, now: Now = None) -> Sequence[bool]:
        stored = super().restore(records, now=now)
        with self._locked() as store:
            for record in (record for record, is_new in zip(records, stored, strict=True) if is_new):
                odd = timedelta(microseconds=record.created_at.microsecond % 1_000)
                store.records[record.id] = store.records[record.id]._replace(created_at=record.created_at - odd)
        return stored


class RestoresInTwoSteps(MemoryBackend):
    """One step looks for the ids of a restore, and another stores the records."""

    def restore(self, records: Sequence[Record], *, now: Now = None) -> Sequence[bool]:
        call = restore_calls.restore(records, self.capabilities, now=now)
        with self._locked() as store:
            placed = call.placed(dict(store.records), set(store.holders))
        for one in placed:
            if one is not None:
                with self._locked() as store:
                    store.add(one)
        return [one is not None for one in placed]


_PLACED = "backend.restore_calls.RestoreCall.placed"
_ADD = "store.Store.add"

MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("restores as new", "RESTORE-01", RestoresAsNew),
    edited("restores without errors", "RESTORE-01", _ADD, "self.put(record)", "self.put(record._replace(errors=()))"),
    edited("restores over the stored", "RESTORE-02", _PLACED, "record.id in stored or ", ""),
    edited("restores without keys", "RESTORE-03", _ADD, "placed.held_key is not None", "False"),
    edited("gives the finished a key", "RESTORE-03", _PLACED, "if keys.takes(record, self.now) else None", ""),
    edited("restores what it can", "RESTORE-04", _PLACED, "if blocked:", "if False:"),
    edited("forgets leases of the restored", "RESTORE-05", _ADD, "self.put(record)",
           "self.put(record); self.running.discard(record.id)"),
    MEMORY.mutant("restores milliseconds", "RESTORE-06", RestoresMilliseconds),
    MEMORY.mutant("restores in two steps", "RACE-21", RestoresInTwoSteps),
)  # fmt: skip
