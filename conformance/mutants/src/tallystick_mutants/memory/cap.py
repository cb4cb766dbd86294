"""Bugs in capabilities: undeclared transactions, and declarations that differ."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tallystick import Capabilities, Inserted, NewRecord
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY


class IgnoresTransactions(MemoryBackend):
    """An insert ignores a transaction that it does not support."""

    def insert(
        self, records: Sequence[NewRecord], *, transaction: object | None = None, now: datetime | None = None
    ) -> Sequence[Inserted]:
        return super().insert(records, now=now)


class SaysMore(MemoryBackend):
    """Only the client that ran setup declares the real capabilities."""

    _set_up = False

    def setup(self) -> None:
        super().setup()
        self._set_up = True

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, max_batch=100_000 if self._set_up else 1)


class FindsTextUndeclared(MemoryBackend):
    """error_text is not declared, and works."""

    @property
    def capabilities(self) -> Capabilities:
        return replace(super().capabilities, error_text=False)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("ignores transactions", "CAP-01", IgnoresTransactions),
    MEMORY.mutant("says more later", "CAP-04", SaysMore),
    MEMORY.mutant("finds text, undeclared", "CAP-11", FindsTextUndeclared),
)
