"""Working one job: its payload in, its handler called, its outcome out. Nothing that a handler raises gets further."""

import asyncio
import logging
from collections.abc import Awaitable
from datetime import timedelta
from random import random
from time import monotonic
from typing import cast

from .. import guards
from ..context import Context, Stop, log_fields
from ..control import Abandon, Snooze, Stopped
from ..outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from ..records import Failure
from ..retry import Exponential
from .workplace import Workplace

logger = logging.getLogger("windlass.worker")


def perform(place: Workplace, ctx: Context) -> Outcome:
    """Call a sync handler, and say how the attempt ended."""
    try:
        payload = ctx.definition.decode(ctx.record.payload)
    except BaseException as exc:  # a validator may raise anything
        return Discard(ctx.claim, Failure.of(exc))
    ctx.started_at = monotonic()
    try:
        endings = place.observers.begin_work(ctx)
        try:
            result = ctx.definition.handler(payload, ctx)
        finally:
            place.observers.end_work(endings)
        return completed(place, ctx, result)
    except BaseException as exc:  # SystemExit in a handler ends the attempt, not the worker
        return failed(ctx, exc)


async def perform_async(place: Workplace, ctx: Context) -> Outcome:
    """Await an async handler, and say how the attempt ended."""
    try:
        payload = ctx.definition.decode(ctx.record.payload)
    except BaseException as exc:
        return Discard(ctx.claim, Failure.of(exc))
    timeout = ctx.definition.options.timeout
    ctx.started_at = monotonic()
    try:
        ctx.check()
        endings = place.observers.begin_work(ctx)
        try:
            async with asyncio.timeout(timeout.total_seconds() if timeout else None):
                result = await cast("Awaitable[object]", ctx.definition.handler(payload, ctx))
        finally:
            place.observers.end_work(endings)
        return completed(place, ctx, result)
    except BaseException as exc:
        return failed(ctx, exc)


def completed(place: Workplace, ctx: Context, result: object) -> Outcome:
    """Complete an attempt with its result, if the result is of its type and can be stored."""
    encoded = ctx.definition.encode_result(result)
    if encoded is not None:
        guards.size(encoded, place.backend.capabilities.max_payload_bytes, f"the result of {ctx.kind!r}")
    return Complete(ctx.claim, encoded)


def failed(ctx: Context, exc: BaseException) -> Outcome:
    """Decide what follows from what a handler raised."""
    if isinstance(exc, Snooze) and (run_at := getattr(exc, "run_at", None)) is not None:
        return Release(ctx.claim, run_at)
    if isinstance(exc, Abandon):
        return Discard(ctx.claim, Failure.of(exc))
    if isinstance(exc, Stopped | asyncio.CancelledError):
        if ctx.stop is Stop.CANCELLED:
            return Cancel(ctx.claim)
        if ctx.stop in (Stop.SHUTDOWN, Stop.LOST):
            return Release(ctx.claim)
    delay = None if ctx.attempt >= ctx.record.max_attempts else _retry_delay(ctx, exc)
    return Discard(ctx.claim, Failure.of(exc)) if delay is None else Retry(ctx.claim, delay, Failure.of(exc))


def _retry_delay(ctx: Context, exc: BaseException) -> timedelta | None:
    try:
        delay = ctx.definition.options.retry(ctx.attempt, exc, random())
        return delay if delay is None else guards.delay(delay, f"what the retry policy of {ctx.kind!r} answered")
    except Exception:
        logger.exception("the retry policy of %r failed; the default decides", ctx.kind, extra=log_fields(ctx.record))
        return Exponential()(ctx.attempt, exc, random())
