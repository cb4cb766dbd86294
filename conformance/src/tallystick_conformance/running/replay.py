"""Replay the calls of a violation on a fresh store and on the model, and find where they fail."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from inspect import Parameter, signature
from typing import Any, NamedTuple

import tallystick
from tallystick import Backend, Filter

from ..contract.clauses import CLAUSES
from ..harness.case import NOW
from ..harness.trace import Trace
from ..harness.violation import Violation
from ..history.codec import decoded, encoded
from ..subject.redaction import Redaction
from ..subject.target import Target
from ..subject.tracing import TracedCall
from ..tiers.programs.differential import Pair
from ..tiers.programs.judge import Judge

OnCall = Callable[[int, TracedCall], None]
"""Called before each call, with its number from 0."""

_SWEPT = ("stats", "queues")
"""Calls that every sweep makes anyway."""

_MOST_ITEMS = 400
"""Maximum number of items in all batches: the model is slow by design."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Failing(NamedTuple):
    """A program that fails at its last call, and the violation of this replay."""

    calls: Sequence[TracedCall]
    violation: Violation


def trace_of(target: Target, violation: Violation, profile: str, seed: int) -> Trace:
    """Create the trace of a violation. It has calls only if a replay of the program fails, too."""
    failing = replay(target, violation.steps, violation.clause_id)
    redacted = Redaction(target.url).text
    return Trace(
        clause_id=violation.clause_id,
        expected=redacted(violation.expected),
        observed=redacted(violation.observed),
        calls=tuple(failing.calls) if failing else (),
        program=tuple(map(redacted, violation.steps)),
        profile=profile,
        seed=seed,
    )


def replay(
    target: Target, program: Sequence[str], clause_id: str, *, on_call: OnCall = lambda number, call: None
) -> Failing | None:
    """Repeat the calls of a program, and find a violation of a clause, or else of any clause.

    Returns:
        Where the program fails. None if it does not fail or cannot be repeated: other clients took part, the backend
        used its own clock, or there were too many calls.
    """
    calls = [call for call in program if isinstance(call, TracedCall)]
    if not calls or len(calls) < len(program) or not all(map(_can_be_made, calls)):
        return None
    if sum(1 for call in calls for arg in call.args if isinstance(arg, Sequence) for _ in arg) > _MOST_ITEMS:
        return None
    return _replay(target, calls, [clause_id], on_call) or _replay(target, calls, CLAUSES, on_call)


def _replay(target: Target, calls: Sequence[TracedCall], armed: Collection[str], on_call: OnCall) -> Failing | None:
    try:
        with target.fresh() as (_, backend):
            precision = backend.capabilities.time_precision
            if all(_is_exact(moment, precision) for call in calls for moment in _moments([call.args, call.kwargs])):
                return _Replay(backend, armed).run(calls, on_call)
    except Exception:  # Unarmed, or anything that a broken store raises outside a judged call
        return None
    return None


class _Replay:
    def __init__(self, backend: Backend, armed: Collection[str]) -> None:
        self._backend = backend
        self._pair = Pair(backend, Judge(armed))
        self._now = NOW

    def run(self, calls: Sequence[TracedCall], on_call: OnCall) -> Failing | None:
        for number, call in enumerate(calls):
            on_call(number, call)
            if call.refusal is None:
                self._now = call.kwargs.get("now", self._now)
            try:
                self._make(call)
                self._pair.sweep(self._now)
            except Violation as violation:
                return Failing(calls[: number + 1], violation)
        return None

    def _make(self, call: TracedCall) -> None:
        if call.refusal is not None:
            self._is_refused(call, call.refusal)
        elif call.method not in _SWEPT:
            getattr(self._pair, _method(call))(*call.args, **_kwargs(call))

    def _is_refused(self, call: TracedCall, refusal: str) -> None:
        before = self._contents()
        try:
            answer = getattr(self._backend, call.method)(*call.args, **call.kwargs)
        except getattr(tallystick, refusal):
            if before != self._contents():
                raise Violation("CALL-01", f"nothing changed after {refusal}", "the store changed") from None
        except Exception as exc:
            raise Violation("CALL-01", refusal, repr(exc)) from exc
        else:
            raise Violation("CALL-01", refusal, answer)

    def _contents(self) -> tuple[object, ...]:
        backend = self._backend
        return list(backend.list(Filter(), limit=_MOST_ITEMS)), list(backend.queues()), backend.stats(now=self._now)


def _can_be_made(call: TracedCall) -> bool:
    if call.is_elsewhere or not _can_be_stored(call):
        return False
    if call.refusal is not None or call.method in _SWEPT:
        return True
    method = getattr(Pair, _method(call), None)
    if method is None:
        return False
    parameters = signature(method).parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = {parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY}
    return len(call.args) == len(positional) - 1 and set(_kwargs(call)) == named


def _can_be_stored(call: TracedCall) -> bool:
    """Return whether the JSON of a trace keeps the arguments."""
    arguments = [list(call.args), dict(call.kwargs)]
    try:
        return bool(decoded(encoded(arguments)) == arguments)
    except (AttributeError, TypeError, ValueError):  # JSON has no form for a value
        return False


def _method(call: TracedCall) -> str:
    return "page" if call.method == "list" else call.method


def _kwargs(call: TracedCall) -> Mapping[str, Any]:
    return {"after": None, **call.kwargs} if call.method == "list" else call.kwargs


def _moments(value: object) -> Iterator[datetime | timedelta]:
    if isinstance(value, datetime | timedelta):
        yield value
    elif is_dataclass(value):
        yield from _moments([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, Mapping):
        yield from _moments(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _moments(item)


def _is_exact(moment: datetime | timedelta, precision: timedelta) -> bool:
    """Return whether a store of this precision keeps a moment without rounding, like the model."""
    since = moment if isinstance(moment, timedelta) else moment.replace(tzinfo=UTC) - _EPOCH
    return not since % precision
