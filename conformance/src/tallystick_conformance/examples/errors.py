"""The errors of a job's attempts: how many a record keeps, and how much of each."""

from datetime import timedelta

from tallystick import AttemptError, Discard, Failure, Filter, NewRecord, Release, Retry

from ..harness.case import LEASE, NOW, Case, example
from .payload import TEXTS

_KEPT = 20
_SECOND = timedelta(seconds=1)


@example("ERRORS-03")
def the_latest_errors_are_kept(case: Case) -> None:
    """After more than 20 failed attempts, `errors` has the latest 20. A release between them adds none."""
    case.insert(NewRecord(kind="k", max_attempts=100))
    expected: list[AttemptError] = []
    for n in range(_KEPT + 4):
        now = NOW + n * _SECOND
        record = case.only(case.claim(1, now=now))
        if n == _KEPT:
            case.backend.settle([Release(record.claim)], now=now)
            record = case.only(case.claim(1, now=now))
        error = Failure("Error", f"attempt {record.attempt}", "x" * 20)
        case.backend.settle([Retry(record.claim, now, error)], now=now)
        expected.append(AttemptError(record.attempt, now, error))
        if n in (0, 1, _KEPT - 1, _KEPT, _KEPT + 3):
            case.equal(tuple(expected[-_KEPT:]), case.stored(record).errors)
    last = case.only(case.claim(1, now=NOW + LEASE))
    case.backend.rescue(limit=1, now=NOW + 2 * LEASE)
    case.equal(expected[-_KEPT + 1 :], list(case.stored(last).errors[:-1]))
    case.equal((last.attempt, NOW + 2 * LEASE), case.stored(last).errors[-1][:2])


@example("ERRORS-03")
def errors_outlive_a_requeue(case: Case) -> None:
    """A requeue keeps the errors, and later errors follow them."""
    record = case.running()
    for n in (1, 2):
        case.backend.settle([Discard(record.claim, Failure("E", str(n)))], now=NOW)
        case.equal([str(m + 1) for m in range(n)], [entry.error.message for entry in case.stored(record).errors])
        case.backend.requeue(Filter(ids=[record.id]), limit=1, now=NOW)
        record = case.only(case.claim(1))
    case.equal(2, len(case.stored(record).errors))


@example("ERRORS-04")
def an_error_is_cut(case: Case) -> None:
    """An entry has 255 characters of the type, 1,000 of the message and the last 8,000 of the traceback."""
    for fill in ("x", "\U0001f600", "\x00"):
        for more in (0, 1):
            error = Failure(
                f"{'t' * (254 + more)}{fill}{'-' * more}",
                f"{fill}{'m' * (998 + more)}{fill}{'-' * more}",
                f"{'-' * more}{fill}{'b' * 7_998}{fill}",
            )
            record = case.running()
            case.backend.settle([Discard(record.claim, error)], now=NOW)
            stored = case.stored(record)
            kept = Failure(error.type[:255], error.message[:1_000], error.traceback[-8_000:])
            case.equal((AttemptError(1, NOW, kept),), stored.errors)
            case.equal(error, stored.last_error)


@example("ERRORS-04")
def any_text_is_kept(case: Case) -> None:
    """The errors of a record keep any characters, also NUL and lone surrogates."""
    texts = [text for text in TEXTS if len(text) < 200]
    case.insert(*(NewRecord(kind="k") for _ in texts))
    records = case.claim()
    errors = {record.id: Failure(text, text, text) for record, text in zip(records, texts, strict=True)}
    case.backend.settle([Retry(record.claim, NOW, errors[record.id]) for record in records], now=NOW)
    for id, record in case.backend.get([*errors]).items():
        case.equal((AttemptError(1, NOW, errors[id]),), record.errors)
