"""Replay a program on a fresh store and on the model, and find where it fails."""

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from inspect import Parameter, signature
from typing import Any, Literal

import tallystick
from tallystick import Backend, Filter

from ..case import NOW
from ..clauses import CLAUSES
from ..model import Model
from ..programs.differential import Pair
from ..programs.judge import Judge
from ..target import Target
from ..tracing import Step
from ..violation import Violation

Where = Literal["answer", "store", "refusal"]
"""The failing part: the last call's result, the stored data after it, or that the call was not rejected."""

_SWEPT = ("stats", "queues")
"""Calls that every sweep makes anyway."""

_MOST_ITEMS = 400
"""Maximum number of items in all batches: the model is slow by design, and people read the script."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Failing:
    """A program that fails at its last step. `before` is the model before each step, `after` the model at the end.

    `now` is the latest moment of the program, and `violation` the violation of this replay.
    """

    steps: Sequence[Step]
    before: Sequence[Model]
    after: Model
    where: Where
    now: datetime
    violation: Violation


def replay(target: Target, program: Sequence[str], clause_id: str) -> Failing | None:
    """Repeat the calls of a program, and find a violation of a clause, or else of any clause.

    Returns:
        Where the program fails. None if it does not fail or cannot be repeated: other clients took part, the backend
        used its own clock, or there were too many calls.
    """
    steps = [step for step in program if isinstance(step, Step)]
    if (
        not steps
        or len(steps) < len(program)
        or any(step.is_elsewhere for step in steps)
        or not all(map(_can_be_made, steps))
    ):
        return None
    if sum(1 for step in steps for arg in step.args if isinstance(arg, Sequence) for _ in arg) > _MOST_ITEMS:
        return None
    return _replay(target, steps, [clause_id]) or _replay(target, steps, CLAUSES)


def _replay(target: Target, steps: Sequence[Step], armed: Collection[str]) -> Failing | None:
    try:
        with target.fresh() as (_, backend):
            precision = backend.capabilities.time_precision
            if all(_is_exact(moment, precision) for step in steps for moment in _moments([step.args, step.kwargs])):
                return _Replay(backend, armed).run(steps)
    except Exception:  # Unarmed, or anything that a broken store raises outside a judged call
        return None
    return None


class _Replay:
    def __init__(self, backend: Backend, armed: Collection[str]) -> None:
        self._backend = backend
        self._pair = Pair(backend, Judge(armed))
        self._before: list[Model] = []
        self._now = NOW

    def run(self, steps: Sequence[Step]) -> Failing | None:
        for n, step in enumerate(steps):
            if step.refusal is None:
                self._now = step.kwargs.get("now", self._now)
            self._before.append(self._pair.model.copy())
            where: Where = "answer" if step.refusal is None else "refusal"
            try:
                self._make(step)
                where = "store"
                self._pair.sweep(self._now)
            except Violation as violation:
                return Failing(steps[: n + 1], self._before, self._pair.model, where, self._now, violation)
        return None

    def _make(self, step: Step) -> None:
        if step.refusal is not None:
            self._is_refused(step, step.refusal)
        elif step.method not in _SWEPT:
            getattr(self._pair, _method(step))(*step.args, **_kwargs(step))

    def _is_refused(self, step: Step, refusal: str) -> None:
        before = self._contents()
        try:
            answer = getattr(self._backend, step.method)(*step.args, **step.kwargs)
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


def _can_be_made(step: Step) -> bool:
    if not _is_python(step.in_full()):
        return False
    if step.refusal is not None or step.method in _SWEPT:
        return True
    method = getattr(Pair, _method(step), None)
    if method is None:
        return False
    parameters = signature(method).parameters.values()
    positional = [parameter for parameter in parameters if parameter.kind is Parameter.POSITIONAL_OR_KEYWORD]
    named = {parameter.name for parameter in parameters if parameter.kind is Parameter.KEYWORD_ONLY}
    return len(step.args) == len(positional) - 1 and set(_kwargs(step)) == named


def _method(step: Step) -> str:
    return "page" if step.method == "list" else step.method


def _kwargs(step: Step) -> Mapping[str, Any]:
    return {"after": None, **step.kwargs} if step.method == "list" else step.kwargs


def _is_python(line: str) -> bool:
    try:
        ast.parse(line)
    except SyntaxError:
        return False
    return True


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
