"""Working one job: its payload in, its handler called, its outcome out. Nothing that a handler raises gets further."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from random import random
from time import monotonic
from typing import NamedTuple, cast

from .. import validation
from ..context import Stop, log_fields
from ..control import DiscardJob, Snooze, Stopped
from ..errors import InvalidResult, PayloadTooLarge
from ..outcomes import Cancel, Discard, Outcome, Release, Retry
from ..records import Failure
from ..retry import Exponential
from ..safe_logging import safe_logger
from ..safe_repr import safe_str, type_name
from .attempt import Attempt
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_UNDECIDED_DELAY = timedelta(seconds=30)


class Ended(NamedTuple):
    """An attempt with its outcome, and what was raised if it failed."""

    attempt: Attempt
    outcome: Outcome
    exception: BaseException | None = None


def execute(context: WorkerContext, attempt: Attempt) -> Ended:
    """Call a sync handler, and return how the attempt ended; it never raises."""
    try:
        return _perform(context, attempt)
    except BaseException as exc:
        return undecided(attempt, exc)


def _perform(context: WorkerContext, attempt: Attempt) -> Ended:
    try:
        payload = attempt.definition.decode(attempt.record.payload)
    except BaseException as exc:
        return unreadable(attempt, exc)
    attempt.started_at = monotonic()
    try:
        endings = context.observers.begin_work(attempt)
        try:
            result = attempt.definition.handler(payload, attempt)
        finally:
            context.observers.end_work(endings)
    except BaseException as exc:  # SystemExit in a handler ends the attempt, not the worker
        return failed(attempt, exc)
    return returned(attempt, result)


async def execute_async(context: WorkerContext, attempt: Attempt) -> Ended:
    """Await an async handler, and return how the attempt ended."""
    try:
        payload = attempt.definition.decode(attempt.record.payload)
    except BaseException as exc:
        return unreadable(attempt, exc)
    timeout = attempt.definition.options.timeout
    attempt.started_at = monotonic()
    try:
        attempt.check()
        endings = context.observers.begin_work(attempt)
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                result = await cast("Awaitable[object]", attempt.definition.handler(payload, attempt))
        finally:
            context.observers.end_work(endings)
    except BaseException as exc:
        return failed(attempt, exc)
    return returned(attempt, result)


def returned(attempt: Attempt, result: object) -> Ended:
    """Decide what follows from what a handler returned. Its work is done, so it is never done again."""
    try:
        return Ended(attempt, attempt.completed(result))
    except BaseException as exc:
        kind = PayloadTooLarge if type(exc) is PayloadTooLarge else InvalidResult
        error = kind(f"the handler ran and returned, but its result cannot be stored: {safe_str(exc)}")
        error.__cause__ = exc.__cause__ if type(exc) in (InvalidResult, PayloadTooLarge) else exc
        return Ended(attempt, Discard(attempt.claim, Failure.of(error)), error)


def unreadable(attempt: Attempt, exc: BaseException) -> Ended:
    """Decide what follows from a payload that cannot be read: a worker of another version may read it.

    The retry policy of the kind is not asked. It decides about what a handler raises, and none was called.
    """
    last = attempt.attempt >= attempt.record.max_attempts
    return _ended_by(attempt, exc, None if last else Exponential()(attempt.attempt, exc, random()))


def failed(attempt: Attempt, exc: BaseException) -> Ended:
    """Decide what follows from what a handler raised."""
    kind = type(exc)  # isinstance reads `exc.__class__`, which may be the user's code
    if issubclass(kind, Snooze) and (release := _snoozed(attempt, exc)) is not None:
        return Ended(attempt, release)
    if issubclass(kind, DiscardJob):
        return _ended_by(attempt, exc, None)
    if issubclass(kind, Stopped | asyncio.CancelledError):
        if attempt.stop is Stop.CANCELLED:
            return Ended(attempt, Cancel(attempt.claim))
        if attempt.stop in (Stop.SHUTDOWN, Stop.LOST):
            return Ended(attempt, Release(attempt.claim))
    return _ended_by(
        attempt, exc, None if attempt.attempt >= attempt.record.max_attempts else _retry_delay(attempt, exc)
    )


def undecided(attempt: Attempt, exc: BaseException) -> Ended:
    """Return how an attempt ends where deciding so raised, e.g. a MemoryError: with what cannot fail in turn."""
    error = Failure(type_name(exc), "raised while the worker decided how the attempt ended")
    if attempt.attempt >= attempt.record.max_attempts:
        return Ended(attempt, Discard(attempt.claim, error), exc)
    return Ended(attempt, Retry(attempt.claim, _UNDECIDED_DELAY, error), exc)


def _ended_by(attempt: Attempt, exc: BaseException, delay: timedelta | None) -> Ended:
    error = Failure.of(exc)
    return Ended(attempt, Discard(attempt.claim, error) if delay is None else Retry(attempt.claim, delay, error), exc)


def _snoozed(attempt: Attempt, exc: BaseException) -> Release | None:
    """Return the release that a handler asked for; None if it asked for none that is possible."""
    try:
        run_at = exc.run_at  # type: ignore[attr-defined]  # a subclass may have lost or changed it
        return Release(attempt.claim, run_at) if run_at is not None else None
    except BaseException:
        return None


def _retry_delay(attempt: Attempt, exc: BaseException) -> timedelta | None:
    try:
        delay = attempt.definition.options.retry(attempt.attempt, exc, random())
        return (
            delay if delay is None else validation.delay(delay, f"the answer of the retry policy of {attempt.kind!r}")
        )
    except BaseException:
        logger.exception(
            "the retry policy of %r failed; the default decides", attempt.kind, extra=log_fields(attempt.record)
        )
        return Exponential()(attempt.attempt, exc, random())
