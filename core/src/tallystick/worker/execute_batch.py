"""Run a batch of jobs in one call of their handler, and decide the outcome of each."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, cast

from ..contract.failure import Failure
from ..contract.outcomes import Discard
from ..errors import InvalidResult
from ..jobs.control import Stopped
from ..messages.safe_repr import type_name
from .attempt import Attempt
from .execute import Ended, failed, returned, undecided, unreadable
from .worker_context import WorkerContext


def execute_batch(context: WorkerContext, attempts: Sequence[Attempt]) -> list[Ended]:
    """Run a sync handler of batches, and return how each attempt ended. Never raises."""
    ended, ready, payloads = _decode(attempts)
    if not ready:
        return ended
    try:
        endings = _begin(context, ready)
    except BaseException as exc:
        return ended + _failed(ready, exc)
    try:
        decided = _returned(ready, _handler(ready)(payloads, ready))
    except BaseException as exc:
        decided = _failed(ready, exc)
    _end(context, endings, decided)
    return ended + decided


async def execute_batch_async(context: WorkerContext, attempts: Sequence[Attempt]) -> list[Ended]:
    """Run an async handler of batches, and return how each attempt ended."""
    ended, ready, payloads = _decode(attempts)
    if not ready:
        return ended
    timeout = ready[0].timeout
    try:
        endings = _begin(context, ready)
    except BaseException as exc:
        return ended + _failed(ready, exc)
    try:
        async with asyncio.timeout(timeout.total_seconds() if timeout else None):
            results = await _handler(ready)(payloads, ready)
        decided = _returned(ready, results)
    except BaseException as exc:
        decided = _failed(ready, exc)
    _end(context, endings, decided)
    return ended + decided


def _handler(attempts: Sequence[Attempt]) -> Callable[[list[Any], list[Attempt]], Any]:
    return cast("Callable[[list[Any], list[Attempt]], Any]", attempts[0].definition.handler)


def _decode(attempts: Sequence[Attempt]) -> tuple[list[Ended], list[Attempt], list[Any]]:
    """Return the attempts that end without a call, those of the call, and their payloads."""
    ended, ready, payloads = [], [], []
    for attempt in attempts:
        if attempt.stop is not None:
            ended.append(_decide(attempt, failed, Stopped(attempt.stop)))
            continue
        try:
            payloads.append(attempt.payload())
        except BaseException as exc:
            ended.append(_decide(attempt, unreadable, exc))
        else:
            ready.append(attempt)
    return ended, ready, payloads


def _begin(context: WorkerContext, attempts: Sequence[Attempt]) -> list[Sequence[Callable[[], None]]]:
    now = monotonic()
    for attempt in attempts:
        attempt.started_at = now
    return [context.observers.begin_work(attempt, is_batch=True) for attempt in attempts]


def _end(context: WorkerContext, endings: list[Sequence[Callable[[], None]]], decided: Sequence[Ended]) -> None:
    """Report the end of each job. As for single jobs, `sys.exception()` is then the exception of the job."""
    for ending, (_, _, exception) in zip(reversed(endings), reversed(decided), strict=True):
        if ending and exception is not None:
            traceback = exception.__traceback__
            try:
                raise exception  # noqa: TRY301  # so that hooks find it in `sys.exception()`
            except BaseException:
                context.observers.end_work(ending)
            finally:
                exception.__traceback__ = traceback
        else:
            context.observers.end_work(ending)


def _failed(attempts: Sequence[Attempt], exc: BaseException) -> list[Ended]:
    return [_decide(attempt, failed, exc) for attempt in attempts]


def _returned(attempts: Sequence[Attempt], results: object) -> list[Ended]:
    """Return the outcomes for a handler's return value: a result or an exception for each job, or None for all."""
    if results is None:
        return [_decide(attempt, returned, None) for attempt in attempts]
    if not isinstance(results, list | tuple) or len(results) != len(attempts):
        return _not_matching(attempts, results)
    return [
        _decide(attempt, failed if isinstance(result, BaseException) else returned, result)
        for attempt, result in zip(attempts, results, strict=True)
    ]


def _not_matching(attempts: Sequence[Attempt], results: object) -> list[Ended]:
    """Discard all jobs, since their work is done and nothing says which results they have."""
    items = f" of {len(results)} items" if isinstance(results, list | tuple) else ""
    error = InvalidResult(
        f"the handler ran, and returned a {type_name(results)}{items} for {len(attempts)} jobs; it must return a list "
        "with a result or an exception for each job, or None"
    )
    failure = Failure.of(error)
    return [Ended(attempt, Discard(attempt.claim, failure), error) for attempt in attempts]


def _decide(attempt: Attempt, decide: Callable[[Attempt, Any], Ended], value: object) -> Ended:
    try:
        return decide(attempt, value)
    except BaseException as exc:
        return undecided(attempt, exc)
