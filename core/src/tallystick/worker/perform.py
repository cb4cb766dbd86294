"""Working one job: its payload in, its handler called, its outcome out. Nothing that a handler raises gets further."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from random import random
from time import monotonic
from typing import cast

from .. import guards
from ..context import Stop, log_fields
from ..control import Abandon, Snooze, Stopped
from ..outcomes import Cancel, Discard, Outcome, Release, Retry
from ..records import Failure
from ..retry import Exponential
from .run import Run
from .workplace import Workplace

logger = logging.getLogger("tallystick.worker")


def perform(place: Workplace, run: Run) -> Outcome:
    """Call a sync handler, and say how the attempt ended."""
    try:
        payload = run.definition.decode(run.record.payload)
    except BaseException as exc:  # a validator may raise anything
        return Discard(run.claim, Failure.of(exc))
    run.started_at = monotonic()
    try:
        endings = place.observers.begin_work(run)
        try:
            result = run.definition.handler(payload, run)
        finally:
            place.observers.end_work(endings)
        return run.completed(result)
    except BaseException as exc:  # SystemExit in a handler ends the attempt, not the worker
        return failed(run, exc)


async def perform_async(place: Workplace, run: Run) -> Outcome:
    """Await an async handler, and say how the attempt ended."""
    try:
        payload = run.definition.decode(run.record.payload)
    except BaseException as exc:
        return Discard(run.claim, Failure.of(exc))
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
        return run.completed(result)
    except BaseException as exc:
        return failed(run, exc)


def failed(run: Run, exc: BaseException) -> Outcome:
    """Decide what follows from what a handler raised."""
    if isinstance(exc, Snooze) and (run_at := getattr(exc, "run_at", None)) is not None:
        return Release(run.claim, run_at)
    if isinstance(exc, Abandon):
        return Discard(run.claim, Failure.of(exc))
    if isinstance(exc, Stopped | asyncio.CancelledError):
        if run.stop is Stop.CANCELLED:
            return Cancel(run.claim)
        if run.stop in (Stop.SHUTDOWN, Stop.LOST):
            return Release(run.claim)
    delay = None if run.attempt >= run.record.max_attempts else _retry_delay(run, exc)
    return Discard(run.claim, Failure.of(exc)) if delay is None else Retry(run.claim, delay, Failure.of(exc))


def _retry_delay(run: Run, exc: BaseException) -> timedelta | None:
    try:
        delay = run.definition.options.retry(run.attempt, exc, random())
        return delay if delay is None else guards.delay(delay, f"what the retry policy of {run.kind!r} answered")
    except Exception:
        logger.exception("the retry policy of %r failed; the default decides", run.kind, extra=log_fields(run.record))
        return Exponential()(run.attempt, exc, random())
