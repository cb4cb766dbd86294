"""The progress of attempts: order of the results, its end with the next claim, and any message."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from tallystick import Claim, Complete, Filter, NewRecord, Progress, ProgressReport, Retry

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, HIGH_ATTEMPTS
from .payload import TEXTS

_LENGTH = 500


@example("PROGRESS-01")
def the_last_report_of_a_batch_stays(case: Case) -> None:
    """Of two reports for one claim, both return True, and the second stays. A later report replaces it."""
    record = case.running()
    reports = [ProgressReport(record.claim, 0.9, "first"), ProgressReport(record.claim, 0.1, "second")]
    case.equal([True, True], list(case.backend.report_progress(reports, now=NOW)))
    case.equal(Progress(0.1, "second", NOW), case.stored(record).progress)
    case.backend.report_progress([ProgressReport(record.claim)], now=NOW + LEASE)
    case.equal(record._replace(progress=Progress(None, "", NOW + LEASE), updated_at=NOW + LEASE), case.stored(record))


@example("PROGRESS-02")
def stale_reports_change_nothing(case: Case) -> None:
    """A report of an attempt that has ended, that was rescued or that the job has not reached is rejected."""
    record = case.running()
    reports = [ProgressReport(Claim(record.id, attempt), 0.5) for attempt in HIGH_ATTEMPTS]
    case.equal([False] * len(reports), list(case.backend.report_progress(reports, now=NOW)))
    case.equal(record, case.stored(record))
    case.backend.rescue(limit=1, now=NOW + LEASE)
    again = case.only(case.claim(1, now=NOW + LEASE))
    case.equal([False], list(case.backend.report_progress([ProgressReport(record.claim, 0.5)], now=NOW + LEASE)))
    case.equal(None, case.stored(again).progress)
    case.backend.settle([Complete(again.claim)], now=NOW + LEASE)
    ended = case.stored(again)
    case.equal([False], list(case.backend.report_progress([ProgressReport(again.claim, 0.5)], now=NOW + 2 * LEASE)))
    case.equal(ended, case.stored(again))


@example("PROGRESS-03")
def results_are_returned_in_order(case: Case) -> None:
    """`report_progress` returns one bool for each report, in order, if current, stale and unknown claims are mixed."""
    case.insert(*(NewRecord(kind="k") for _ in range(2)))
    first, second = (record.claim for record in case.claim())
    claims = [Claim(first.id, 7), second, Claim(UUID(int=9), 1), first, second]
    reports = [ProgressReport(claim, 0.5) for claim in claims]
    case.equal([False, True, False, True, True], list(case.backend.report_progress(reports, now=NOW)))


@example("PROGRESS-04")
def progress_ends_with_the_next_claim(case: Case) -> None:
    """A retry, a rescue, a requeue and a completion keep the progress; each claim clears it."""
    backend, record = case.backend, case.running()
    ends: tuple[Callable[[Claim, datetime], object], ...] = (
        lambda claim, now: backend.settle([Retry(claim, now, ERROR)], now=now),
        lambda _, now: backend.rescue(limit=1, now=now),
        lambda claim, now: backend.settle([Complete(claim)], now=now),
    )
    for n, end in enumerate(ends, start=1):
        now = NOW + n * LEASE
        backend.report_progress([ProgressReport(record.claim, 0.25, "a quarter")], now=now)
        end(record.claim, now)
        backend.requeue(Filter(ids=[record.id]), limit=1, now=now)
        case.equal(Progress(0.25, "a quarter", now), case.stored(record).progress)
        record = case.only(case.claim(1, now=now))
        case.equal(None, case.stored(record).progress)


@example("PROGRESS-06")
def any_progress_is_kept(case: Case) -> None:
    """A progress keeps any fraction exactly, and a message of 500 characters of any kind."""
    texts = [
        *(text for text in TEXTS if len(text) <= _LENGTH),
        *(fill * _LENGTH for fill in ("x", "\U0001f600", "\x00")),
    ]
    fractions = (None, 0.0, 1 / 3, 0.1 + 0.2, 1.0, 5e-324)
    case.insert(*(NewRecord(kind="k") for _ in texts))
    claims = [record.claim for record in case.claim()]
    reports = [
        ProgressReport(claim, fractions[n % len(fractions)], text)
        for n, (claim, text) in enumerate(zip(claims, texts, strict=True))
    ]
    case.equal([True] * len(reports), list(case.backend.report_progress(reports, now=NOW)))
    stored = case.backend.get([claim.id for claim in claims])
    for report in reports:
        case.equal(Progress(report.fraction, report.message, NOW), stored[report.claim.id].progress)
