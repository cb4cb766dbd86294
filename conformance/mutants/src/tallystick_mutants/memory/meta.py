"""Bugs in meta."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tallystick import NewRecord, Record
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend

from ..patch import MEMORY
from .bases import Inserts


class ReplacesSurrogates(Inserts):
    """A lone surrogate in meta becomes a question mark."""

    def _changed(self, new: NewRecord) -> NewRecord:
        return replace(new, meta={key: text.encode(errors="replace").decode() for key, text in new.meta.items()})


class ClaimsWithoutMeta(MemoryBackend):
    """claim returns records without meta."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        return [record._replace(meta={}) for record in super().claim(queues, **options)]


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("replaces surrogates in meta", "META-01", ReplacesSurrogates),
    MEMORY.mutant("claims without meta", "META-01", ClaimsWithoutMeta),
)
