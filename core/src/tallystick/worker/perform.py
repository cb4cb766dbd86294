"""Working one job: its payload in, its handler called, its outcome out. Nothing that a handler raises gets further."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from random import random
from time import monotonic
from typing import NamedTuple, cast

from .. import guards
from ..context import Stop, log_fields
from ..control import Abandon, Snooze, Stopped
from ..errors import InvalidResult, PayloadTooLarge
from ..outcomes import Cancel, Discard, Outcome, Release, Retry
from ..records import Failure
from ..retry import Exponential
from ..safe_logging import safe_logger
from ..saferepr import safe_str, type_name
from .run import Run
from .workplace import Workplace

logger = safe_logger("tallystick.worker")

_UNDECIDED_DELAY = timedelta(seconds=30)


class Ended(NamedTuple):
    """An attempt with its outcome, and what was raised if it failed."""

    run: Run
    outcome: Outcome
    exception: BaseException | None = None


def perform(place: Workplace, run: Run) -> Ended:
    """Call a sync handler, and return how the attempt ended; it never raises."""
    try:
        return _perform(place, run)
    except BaseException as exc:
        return undecided(run, exc)


def _perform(place: Workplace, run: Run) -> Ended:
    try:
        payload = run.definition.decode(run.record.payload)
    except BaseException as exc:
        return unreadable(run, exc)
    run.started_at = monotonic()
    try:
        endings = place.observers.begin_work(run)
        try:
            result = run.definition.handler(payload, run)
        finally:
            place.observers.end_work(endings)
    except BaseException as exc:  # SystemExit in a handler ends the attempt, not the worker
        return failed(run, exc)
    return returned(run, result)


async def perform_async(place: Workplace, run: Run) -> Ended:
    """Await an async handler, and return how the attempt ended."""
    try:
        payload = run.definition.decode(run.record.payload)
    except BaseException as exc:
        return unreadable(run, exc)
    timeout = run.definition.options.timeout
    run.started_at = monotonic()
    try:
        run.check()
        endings = place.observers.begin_work(run)
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                result = await cast("Awaitable[object]", run.definition.handler(payload, run))
        finally:
            place.observers.end_work(endings)
    except BaseException as exc:
        return failed(run, exc)
    return returned(run, result)


def returned(run: Run, result: object) -> Ended:
    """Decide what follows from what a handler returned. Its work is done, so it is never done again."""
    try:
        return Ended(run, run.completed(result))
    except BaseException as exc:
        kind = PayloadTooLarge if type(exc) is PayloadTooLarge else InvalidResult
        error = kind(f"the handler ran and returned, but its result cannot be stored: {safe_str(exc)}")
        error.__cause__ = exc.__cause__ if type(exc) in (InvalidResult, PayloadTooLarge) else exc
        return Ended(run, Discard(run.claim, Failure.of(error)), error)


def unreadable(run: Run, exc: BaseException) -> Ended:
    """Decide what follows from a payload that cannot be read: a worker of another version may read it.

    The retry policy of the kind is not asked. It decides about what a handler raises, and none was called.
    """
    last = run.attempt >= run.record.max_attempts
    return _ended_by(run, exc, None if last else Exponential()(run.attempt, exc, random()))


def failed(run: Run, exc: BaseException) -> Ended:
    """Decide what follows from what a handler raised."""
    kind = type(exc)  # isinstance reads `exc.__class__`, which may be the user's code
    if issubclass(kind, Snooze) and (release := _snoozed(run, exc)) is not None:
        return Ended(run, release)
    if issubclass(kind, Abandon):
        return _ended_by(run, exc, None)
    if issubclass(kind, Stopped | asyncio.CancelledError):
        if run.stop is Stop.CANCELLED:
            return Ended(run, Cancel(run.claim))
        if run.stop in (Stop.SHUTDOWN, Stop.LOST):
            return Ended(run, Release(run.claim))
    return _ended_by(run, exc, None if run.attempt >= run.record.max_attempts else _retry_delay(run, exc))


def undecided(run: Run, exc: BaseException) -> Ended:
    """Return how an attempt ends where deciding so raised, e.g. a MemoryError: with what cannot fail in turn."""
    error = Failure(type_name(exc), "raised while the worker decided how the attempt ended")
    if run.attempt >= run.record.max_attempts:
        return Ended(run, Discard(run.claim, error), exc)
    return Ended(run, Retry(run.claim, _UNDECIDED_DELAY, error), exc)


def _ended_by(run: Run, exc: BaseException, delay: timedelta | None) -> Ended:
    error = Failure.of(exc)
    return Ended(run, Discard(run.claim, error) if delay is None else Retry(run.claim, delay, error), exc)


def _snoozed(run: Run, exc: BaseException) -> Release | None:
    """Return the release that a handler asked for; None if it asked for none that is possible."""
    try:
        run_at = exc.run_at  # type: ignore[attr-defined]  # a subclass may have lost or changed it
        return Release(run.claim, run_at) if run_at is not None else None
    except BaseException:
        return None


def _retry_delay(run: Run, exc: BaseException) -> timedelta | None:
    try:
        delay = run.definition.options.retry(run.attempt, exc, random())
        return delay if delay is None else guards.delay(delay, f"the answer of the retry policy of {run.kind!r}")
    except BaseException:
        logger.exception("the retry policy of %r failed; the default decides", run.kind, extra=log_fields(run.record))
        return Exponential()(run.attempt, exc, random())
