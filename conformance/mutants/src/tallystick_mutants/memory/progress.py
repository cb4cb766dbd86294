"""Bugs in the progress of attempts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tallystick import Filter, Outcome, ProgressReport, Record
from tallystick.backends.calls import ReportCall
from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend
from tallystick_memory.store import Store

from ..patch import MEMORY
from .bases import Now


class KeepsTheFirstReport(MemoryBackend):
    """A second report of an attempt does not replace the first."""

    def _report(self, store: Store, report: ProgressReport, call: ReportCall) -> bool:
        record = store.current(report.claim)
        return super()._report(store, report, call) if record is None or record.progress is None else True


class ReportsStale(MemoryBackend):
    """A report of an earlier attempt sets the progress of the current one."""

    def _report(self, store: Store, report: ProgressReport, call: ReportCall) -> bool:
        record = store.records.get(report.claim.id)
        if record is not None and record.attempt > report.claim.attempt:
            report = ProgressReport(record.claim, report.fraction, report.message)
        return super()._report(store, report, call)


class ReportsSorted(MemoryBackend):
    """The results of a report are sorted, with rejected reports last."""

    def report_progress(self, reports: Sequence[ProgressReport], *, now: Now = None) -> Sequence[bool]:
        return sorted(super().report_progress(reports, now=now), reverse=True)


class ClearsAtTheEnd(MemoryBackend):
    """The end of an attempt clears its progress."""

    def _settle(self, store: Store, outcome: Outcome, now: datetime) -> bool:
        applied = super()._settle(store, outcome, now)
        if applied:
            store.records[outcome.claim.id] = store.records[outcome.claim.id]._replace(progress=None)
        return applied


class NeverClears(MemoryBackend):
    """A claim keeps the progress of the attempt before."""

    def claim(self, queues: Sequence[str], **options: Any) -> Sequence[Record]:
        before = dict(self._store.records)
        claimed = super().claim(queues, **options)
        with self._locked() as store:
            for record in claimed:
                if record.id in before and record.id in store.records:
                    kept = before[record.id].progress
                    store.records[record.id] = store.records[record.id]._replace(progress=kept)
        return claimed


class ListsProgress(MemoryBackend):
    """list returns progress too."""

    def list(self, filter: Filter, **options: Any) -> Sequence[Record]:
        found = super().list(filter, **options)
        with self._locked() as store:
            return [
                record._replace(progress=store.records[record.id].progress) if record.id in store.records else record
                for record in found
            ]


class RoundsFractions(MemoryBackend):
    """A fraction is kept in whole percent."""

    def _report(self, store: Store, report: ProgressReport, call: ReportCall) -> bool:
        fraction = None if report.fraction is None else round(report.fraction, 2)
        return super()._report(store, ProgressReport(report.claim, fraction, report.message), call)


class DropsNulOfMessages(MemoryBackend):
    """NUL is removed from the message of a progress."""

    def _report(self, store: Store, report: ProgressReport, call: ReportCall) -> bool:
        message = report.message.replace("\0", "")
        return super()._report(store, ProgressReport(report.claim, report.fraction, message), call)


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("keeps the first report", "PROGRESS-01", KeepsTheFirstReport),
    MEMORY.mutant("reports for stale claims", "PROGRESS-02", ReportsStale),
    MEMORY.mutant("answers reports sorted", "PROGRESS-03", ReportsSorted),
    MEMORY.mutant("clears progress at the end", "PROGRESS-04", ClearsAtTheEnd),
    MEMORY.mutant("never clears progress", "PROGRESS-04", NeverClears),
    MEMORY.mutant("lists progress", "PROGRESS-05", ListsProgress),
    MEMORY.mutant("rounds fractions", "PROGRESS-06", RoundsFractions),
    MEMORY.mutant("drops NUL of messages", "PROGRESS-06", DropsNulOfMessages),
)
