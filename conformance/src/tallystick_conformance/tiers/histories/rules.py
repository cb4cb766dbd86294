"""Register an example for each rule: rounds with a mix of calls that provokes its violation."""

from collections.abc import Callable, Iterator
from time import perf_counter

from tallystick import OutcomeUnknown, Unavailable

from ...gates import steps_seen
from ...harness.case import Case, example
from ...harness.shares import Share
from ...harness.violation import Violation
from ...history.finding import CLAUSE_OF, Finding
from ...history.operation import Operation
from ...subject.rendering import call, render
from .rounds import EVEN, Mix, run_rounds

_MIXES: dict[str, Mix] = {
    "R1": EVEN | {"claim": 20, "settle": 10},
    "R2": EVEN | {"claim": 15, "extend": 6},
    "R3": EVEN | {"settle": 15, "rescue": 8},
    "R4": EVEN | {"rescue": 8, "extend": 12, "settle": 8},
    "R5": EVEN | {"cancel": 8, "requeue": 6, "settle": 8},
    "R6": EVEN | {"insert": 8, "claim": 12},
    "R7": EVEN | {"pause": 6, "resume": 4, "claim": 12},
    "R8": EVEN | {"claim": 15, "list": 4},
    "R9": EVEN | {"insert": 8, "claim": 8, "rescue": 5},
    "R10": EVEN | {"insert": 10, "claim": 6},
    "R11": EVEN | {"delete": 6, "purge": 4, "cancel": 4},
    "R12": EVEN | {"get": 5, "list": 4, "stats": 5},
    "R13": {"insert": 20, "claim": 4, "settle": 6, "cancel": 4, "requeue": 8, "delete": 2},
    "R14": EVEN | {"rescue": 12, "extend": 8},
}


def _rounds_keep(rule: str) -> Callable[[Case], None]:
    def rounds_keep_the_rule(case: Case) -> None:
        for history, findings in _in_time(case, f"{case.profile.seed} {rule}", _MIXES[rule]):
            if findings:
                raise _violation(_one(findings, rule), history, findings)

    rounds_keep_the_rule.__doc__ = f"The history of three concurrent clients keeps rule {rule}."
    return rounds_keep_the_rule


def _in_time(case: Case, seed: str, mix: Mix) -> Iterator[tuple[list[Operation], list[Finding]]]:
    """Yield the profile's rounds within the time limit, at least one; a fast store gets further rounds."""
    size, began, rounds = case.profile, perf_counter(), 0
    try:
        for judged in run_rounds(case.target, rounds=1_000_000, seed=seed, mix=mix, steps=steps_seen(case.target)):
            yield judged
            rounds, seconds = rounds + 1, perf_counter() - began
            if seconds > (size.history_seconds if rounds >= size.histories else size.history_limit):
                case.shares.append(Share("rounds", min(rounds, size.histories), size.histories))
                return
    except (Unavailable, OutcomeUnknown):
        raise
    except Exception as exc:
        raise Violation(case.clause_id, "a result", repr(exc)) from exc


def _one(findings: list[Finding], rule: str) -> Finding:
    """Return the finding under this rule, or else the first."""
    return next((finding for finding in findings if finding.rule == rule), findings[0])


def _violation(finding: Finding, history: list[Operation], findings: list[Finding]) -> Violation:
    expected = "a history that some order of the calls explains"
    violation = Violation(finding.clause, expected, finding.text, [_line(operation) for operation in history])
    violation.history, violation.findings = history, findings
    return violation


def _line(operation: Operation) -> str:
    answer = f"-> {render(operation.answer)}" if operation.error is None else f"raised {operation.error!r}"
    ended = "?" if operation.ended is None else operation.ended
    made = call(operation.call, (), operation.given)
    return f"{operation.client}: {made}  # {operation.began} to {ended} {answer}"


for _rule, _clause in CLAUSE_OF.items():
    example(_clause)(_rounds_keep(_rule))
