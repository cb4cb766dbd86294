"""Format a report for the terminal: each failure in a few lines, and where to find the rest."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..contract.clauses import CLAUSES, family
from ..subject.redaction import Redaction
from . import timeline_file, trace_file
from .columns import columns
from .report import Report
from .result import Result, Status

_CALLS, _WIDTH = 20, 200
"""How many calls of a program are shown, and how many characters of a line; the trace has all of them."""

_SLOWEST = 5

_LONG_ID = re.compile(r"""UUID\(['"][0-9a-f-]{32}([0-9a-f]{4})['"]\)""")


def described(report: Report, folder: Path | None = None) -> str:
    """Describe the failures, the clauses that were not tested, the notices and the verdict.

    Args:
        report: The report of a run.
        folder: The folder that reports were written to, or None.
    """
    redacted = Redaction(report.subject.url).text
    lines = [*_failures(report, folder), *_untested(report), *_notices(report)]
    lines += [f"fixed: {name} no longer shows a violation" for name in report.fixed]
    lines += _slowest(report)
    counts = Counter(result.status.value for result in report.results)
    summary = ", ".join(f"{n} {status}" for status, n in counts.items())
    lines.append(f"{report.target} {report.verdict}: {summary} ({report.profile}, {report.seconds:.1f} s)")
    return redacted("\n".join(lines))


def _failures(report: Report, folder: Path | None) -> Iterator[str]:
    """Describe each violation; group the clauses that could not be judged for the same reason."""
    unjudged: dict[str, list[str]] = defaultdict(list)
    for result in report.failures:
        if result.violation is None:
            unjudged[f"{_STATUS.get(result.status, result.status)}: {result.detail}"].append(result.clause_id)
        else:
            yield from (*_violation(result), *_files(result, folder), "")
    for why, ids in unjudged.items():
        yield from (f"{_named(ids)} {why}", "")


_STATUS = {
    Status.ERROR: "could not be judged",
    Status.NOT_WRITTEN: "could not be judged, because a method is not implemented yet",
}


def _named(ids: list[str]) -> str:
    return f"{ids[0]}: {CLAUSES[ids[0]].text}\n " if len(ids) == 1 else f"{_spans(ids)}:\n "


def _spans(ids: list[str]) -> str:
    """Abbreviate consecutive clauses of a family as `CRASH-01..05`."""
    spans: list[list[str]] = []
    numbers = {id: n for n, id in enumerate(CLAUSES)}
    for id in ids:
        last = spans[-1][-1] if spans else id
        if family(last) == family(id) and numbers[id] == numbers[last] + 1:
            spans[-1].append(id)
        else:
            spans.append([id])
    return ", ".join(span[0] if len(span) == 1 else f"{span[0]}..{span[-1][-2:]}" for span in spans)


def _violation(result: Result) -> Iterator[str]:
    violation = result.violation
    assert violation is not None
    yield f"{violation.clause_id} is broken: {CLAUSES[violation.clause_id].text}"
    yield _cut(f"  expected: {violation.expected}")
    yield _cut(f"  observed: {violation.observed}")
    yield from (f"  {'raised:' if n == 0 else ' ' * 7}  {line}" for n, line in enumerate(violation.raised.splitlines()))
    if violation.steps:
        yield "  after:"
        yield from (_cut(f"    {step}") for step in _ends(violation.steps))


def _ends(steps: Sequence[str]) -> Iterator[str]:
    """Yield the calls of a program; leave out the middle of a long one."""
    left_out = len(steps) - _CALLS
    if left_out <= 0:
        yield from steps
        return
    yield from steps[: _CALLS // 2]
    yield f"... {left_out} other calls ..."
    yield from steps[-(_CALLS // 2) :]


def _cut(line: str) -> str:
    line = _LONG_ID.sub(r'UUID("...\1")', line.replace("\n", " "))
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 4]} ..."


def _files(result: Result, folder: Path | None) -> Iterator[str]:
    if folder is None:
        yield f"  to reproduce: run again with --only {result.clause_id} --report DIR"
        return
    if result.trace is not None:
        yield f"  to reproduce: tallystick conform replay {trace_file(folder, result.clause_id)} URL"
    if (timeline := timeline_file(folder, result.clause_id)).exists():
        yield f"  timeline: {timeline}"


def _untested(report: Report) -> Iterable[str]:
    failed = {result.clause_id for result in report.failures}
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for result in report.results:
        if result.status is Status.NOT_JUDGED:
            groups[result.status.value, "another clause of the family failed first; use --all to test them"] += [""]
        elif result.status is not Status.PASSED and result.clause_id not in failed:
            groups[result.status.value, result.detail.partition("\n")[0]].append(result.clause_id)
    rows = ((_spans(ids) if any(ids) else f"{len(ids)} clauses", *why) for why, ids in groups.items())
    return [columns(rows)] if groups else []


def _slowest(report: Report) -> Iterator[str]:
    """Name the slowest clauses, unless all took less than a second."""
    by_time = sorted(report.results, key=lambda result: -result.seconds)[:_SLOWEST]
    if by_time and by_time[0].seconds >= 1:
        yield "slowest: " + ", ".join(f"{result.clause_id} {result.seconds:.1f} s" for result in by_time)


def _notices(report: Report) -> Iterator[str]:
    ids_by_notice: dict[str, list[str]] = defaultdict(list)
    for result in report.results:
        if result.notice:
            ids_by_notice[result.notice].append(result.clause_id)
    return (f"notice: {_spans(ids)}: {notice}" for notice, ids in ids_by_notice.items())
