"""Create a script and a trace that reproduce a violation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..clauses import CLAUSES
from ..model import Model
from ..programs import choices
from ..redaction import Redaction
from ..rendering import in_full, render
from ..target import Target
from ..tracing import Step
from ..violation import Violation
from . import script
from .replay import Failing, replay
from .traces import Trace


@dataclass(frozen=True, slots=True)
class Repro:
    """How to reproduce a violation: a script to run, and a trace that the kit replays."""

    script: str
    trace: Trace


def reproduce(target: Target, violation: Violation, profile: str, seed: int) -> Repro:
    """Replay the violation's program, and write a script that reproduces it.

    If the replay does not fail (it was a race, the clock or another client), the script runs the clause with the kit.
    """
    failing = replay(target, violation.steps, violation.clause_id)
    redacted = Redaction(target.url).text
    trace = Trace(
        clause_id=violation.clause_id,
        expected=redacted(violation.expected),
        observed=redacted(violation.observed),
        steps=tuple(failing.steps) if failing else (),
        program=tuple(map(redacted, violation.steps)),
        profile=profile,
        seed=seed,
        schedule=getattr(violation, "schedule", None),
    )
    return Repro(_program(trace, failing) if failing else _rerun(trace), trace)


def _program(trace: Trace, failing: Failing) -> str:
    with in_full():
        lines = list(_lines(failing))
    return script.written(_head(script.HEAD, trace), _title(trace.clause_id), lines)


def _rerun(trace: Trace) -> str:
    body = script.RERUN_BODY.format(id=trace.clause_id, profile=trace.profile, seed=trace.seed)
    return _head(script.RERUN, trace) + body


def _head(text: str, trace: Trace) -> str:
    result = f"expected: {trace.expected}\nobserved: {trace.observed}"
    shown = result.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"""', '\\"""')
    return text.format(title=_title(trace.clause_id), id=trace.clause_id, seen=shown)


def _title(clause_id: str) -> str:
    return f"{clause_id} is broken: {CLAUSES[clause_id].text}"


def _lines(failing: Failing) -> Iterator[str]:
    *earlier, last = failing.steps
    models = [*failing.before, failing.after]
    for n, step in enumerate(earlier):
        if step.refusal is None:
            yield from _followed(step, models[n], models[n + 1])
    match failing.where:
        case "refusal":
            yield f"refused({last.refusal}, backend, {render(failing.now)}, lambda: {last.in_full()})"
        case "answer" if failing.violation.clause_id == "CALL-01":
            yield f"answered(lambda: {last.in_full()})"
        case "answer":
            yield from _judged(last, failing.before[-1])
        case "store":
            yield from _followed(last, failing.before[-1], failing.after)
            yield _stored(failing.after, failing.now)


def _followed(step: Step, before: Model, after: Model) -> Iterator[str]:
    """Make a call; if the backend had a choice, check that it chose what the rest of the program needs."""
    choice = choices.choice(step, before)
    if choice is None or not choice.is_free:
        yield step.in_full()
        return
    changed = render([id for id, record in before.records.items() if after.records.get(id) is not record])
    match step.method:
        case "rescue":
            yield f"chosen({changed}, [record.id for record in {step.in_full()}])"
        case "purge":
            yield step.in_full()
            yield f"chosen({changed}, {_gone(before)})"
        case _:
            yield f"chosen({changed}, {step.in_full()})"


def _judged(step: Step, before: Model) -> Iterator[str]:
    """Make a call, and compare its result with the model."""
    choice = choices.choice(step, before)
    if choice is None:
        yield _equal(step, before.copy())
        return
    groups = f"{render(choice.groups)}, {choice.count}"
    yield f"equal({choice.count}, {step.in_full()})" if step.method == "purge" else f"some({groups}, {step.in_full()})"
    if step.method in ("delete", "purge"):
        yield f"some({groups}, {_gone(before)})"


def _equal(step: Step, model: Model) -> str:
    answer = choices.answer(step, model)
    if answer is None:
        return step.in_full()
    made = step.in_full() if isinstance(answer, dict) else f"list({step.in_full()})"
    return f"equal({render(answer)}, {made})"


def _gone(model: Model) -> str:
    return f"gone(backend, {render(list(model.records))})"


def _stored(model: Model, now: datetime) -> str:
    records = sorted(model.records.values(), key=lambda record: record.id.bytes, reverse=True)
    parts = ", ".join(map(render, (now, records, model.queues(), model.stats(now))))
    return f"stored(backend, {parts})"
