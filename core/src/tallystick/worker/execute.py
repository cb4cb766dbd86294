"""Run one job: decode the payload, call the handler, decide the outcome. Exceptions of handlers never get past here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import random
from time import monotonic
from typing import NamedTuple, assert_never, cast

from ..contract import validation
from ..contract.failure import Failure
from ..contract.outcomes import Cancel, Discard, Outcome, Release, Retry
from ..errors import InvalidResult, PayloadTooLarge
from ..jobs.context import Stop, log_fields
from ..jobs.control import DiscardJob, Snooze, Stopped
from ..jobs.payload_versions import NewerPayload
from ..jobs.retry import Exponential
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_str, type_name
from .attempt import Attempt
from .put_off import NEWER_PAYLOAD, PUT_OFF
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_UNDECIDED_DELAY = timedelta(seconds=30)


class UndecodedPayload(Exception):
    """A child process could not decode the payload; its argument is the exception there."""


class UnstorableResult(Exception):
    """A handler returned in a child process, and its result cannot be stored; the argument is the exception there."""


class Ended(NamedTuple):
    """An attempt with its outcome, and the exception if it failed."""

    attempt: Attempt
    outcome: Outcome
    exception: BaseException | None = None


def execute(context: WorkerContext, attempt: Attempt) -> Ended:
    """Run a sync handler, and return how the attempt ended. Never raises."""
    try:
        return _execute(context, attempt)
    except BaseException as exc:
        return undecided(attempt, exc)


def _execute(context: WorkerContext, attempt: Attempt) -> Ended:
    try:
        payload = attempt.payload()
    except BaseException as exc:
        return unreadable(attempt, exc)
    attempt.started_at = monotonic()
    try:
        endings = context.observers.begin_work(attempt)
        try:
            if attempt.definition.services:
                result = context.services.call(
                    attempt.definition.handler, payload, attempt, attempt.definition.services
                )
            else:
                result = attempt.definition.handler(payload, attempt)
        finally:
            context.observers.end_work(endings)
    except BaseException as exc:  # SystemExit in a handler ends the attempt, not the worker
        return failed(attempt, exc)
    return returned(attempt, result)


async def execute_async(context: WorkerContext, attempt: Attempt) -> Ended:
    """Run an async handler, and return how the attempt ended."""
    try:
        payload = attempt.payload()
    except BaseException as exc:
        return unreadable(attempt, exc)
    timeout = attempt.timeout
    attempt.started_at = monotonic()
    try:
        attempt.check()
        endings = context.observers.begin_work(attempt)
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                result = await _call_async(context, attempt, payload)
        finally:
            context.observers.end_work(endings)
    except BaseException as exc:
        return failed(attempt, exc)
    return returned(attempt, result)


def _call_async(context: WorkerContext, attempt: Attempt, payload: object) -> Awaitable[object]:
    definition = attempt.definition
    if definition.services:
        handler = cast("Callable[..., Awaitable[object]]", definition.handler)
        return context.services.acall(handler, payload, attempt, definition.services)
    return cast("Awaitable[object]", definition.handler(payload, attempt))


def returned(attempt: Attempt, result: object) -> Ended:
    """Return the outcome for a handler's return value. An invalid one discards the job, since its work is done."""
    try:
        return Ended(attempt, attempt.completed(result))
    except BaseException as exc:
        return _unstorable(attempt, exc)


def _unstorable(attempt: Attempt, exc: BaseException) -> Ended:
    kind = PayloadTooLarge if type(exc) is PayloadTooLarge else InvalidResult
    error = kind(f"the handler ran and returned, but its result cannot be stored: {safe_str(exc)}")
    error.__cause__ = exc.__cause__ if type(exc) in (InvalidResult, PayloadTooLarge) else exc
    return Ended(attempt, Discard(attempt.claim, Failure.of(error)), error)


def unreadable(attempt: Attempt, exc: BaseException) -> Ended:
    """Return the outcome for a payload that cannot be decoded: retry, since a worker of another version may decode it.

    A payload of a newer version is put off, which costs no attempt.

    The delay comes from the default policy. The kind's own policy decides only about exceptions of its handler.
    """
    if type(exc) is NewerPayload:
        attempt.worker_context.put_off.note(attempt, NEWER_PAYLOAD)
        return Ended(attempt, Release(attempt.claim, PUT_OFF))
    last = attempt.attempt >= attempt.record.max_attempts
    return _ended_by(attempt, exc, None if last else Exponential()(attempt.attempt, exc, random()))


def failed(attempt: Attempt, exc: BaseException) -> Ended:
    """Return the outcome for an exception of the handler."""
    kind = type(exc)  # not isinstance, which reads `exc.__class__`: the user's code may define it
    if issubclass(kind, Snooze) and (release := _snoozed(attempt, exc)) is not None:
        return Ended(attempt, release)
    if issubclass(kind, DiscardJob):
        return _ended_by(attempt, exc, None)
    if issubclass(kind, Stopped | asyncio.CancelledError) and (outcome := _stopped(attempt)) is not None:
        return Ended(attempt, outcome)
    if kind is UndecodedPayload:
        return unreadable(attempt, exc.args[0])
    if kind is UnstorableResult:
        return _unstorable(attempt, exc.args[0])
    return _ended_by(
        attempt, exc, None if attempt.attempt >= attempt.record.max_attempts else _retry_delay(attempt, exc)
    )


def undecided(attempt: Attempt, exc: BaseException) -> Ended:
    """Return a fallback outcome when deciding raised, e.g. a MemoryError. This code cannot fail in turn."""
    error = Failure(type_name(exc), "raised while the worker decided how the attempt ended")
    if attempt.attempt >= attempt.record.max_attempts:
        return Ended(attempt, Discard(attempt.claim, error), exc)
    return Ended(attempt, Retry(attempt.claim, _UNDECIDED_DELAY, error), exc)


def _ended_by(attempt: Attempt, exc: BaseException, delay: timedelta | None) -> Ended:
    error = getattr(attempt, "failure", None) or Failure.of(exc)
    return Ended(attempt, Discard(attempt.claim, error) if delay is None else Retry(attempt.claim, delay, error), exc)


def _stopped(attempt: Attempt) -> Cancel | Release | None:
    """Return the outcome of a handler that stopped early; None if it has failed."""
    match attempt.stop:
        case Stop.CANCELLED:
            return Cancel(attempt.claim)
        case Stop.SHUTDOWN | Stop.LOST:
            return Release(attempt.claim)
        case Stop.TIMED_OUT | None:
            return None
        case _:
            assert_never(attempt.stop)


def _snoozed(attempt: Attempt, exc: BaseException) -> Release | None:
    """Return the release that a Snooze asks for; None if it is not valid."""
    try:
        run_at = exc.run_at  # type: ignore[attr-defined]  # a subclass may have no valid run_at
        return Release(attempt.claim, run_at) if run_at is not None else None
    except BaseException:
        return None


def _retry_delay(attempt: Attempt, exc: BaseException) -> timedelta | None:
    try:
        delay = attempt.worker_context.settings.retry_of(attempt.definition.options)(attempt.attempt, exc, random())
        return (
            delay if delay is None else validation.delay(delay, f"the delay from the retry policy of {attempt.kind!r}")
        )
    except BaseException:
        logger.exception(
            "the retry policy of %r failed; the default policy is used", attempt.kind, extra=log_fields(attempt.record)
        )
        return Exponential()(attempt.attempt, exc, random())
