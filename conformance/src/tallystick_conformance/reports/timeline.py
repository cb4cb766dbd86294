"""Write a history as an HTML timeline: a lane for each client, and a description of each finding."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from uuid import UUID

from tallystick import Hold, Record

from ..contract.clauses import CLAUSES
from ..history.finding import Finding
from ..history.observations import gather
from ..history.operation import Operation
from ..subject.rendering import render

_COLUMN, _NAMES = 58, 92
"""Widths in pixels: one step of the clock, and the names of the lanes."""

_COLOURS = {
    "insert": "insert", "claim": "take", "extend": "hold", "report_progress": "hold", "settle": "end",
    "rescue": "rescue",
    "get": "read", "list": "read", "stats": "read",
}  # fmt: skip

_SHORT = {True: "yes", False: "no", Hold.CANCEL_REQUESTED: "flagged"}

_MAX_FINDINGS = 5
"""How many findings the page shows."""

_PAGE = Path(__file__).with_name("timeline.html")


def write_timeline(history: Iterable[Operation], findings: Sequence[Finding], path: str | Path) -> None:
    """Write the timeline as one HTML file, which needs neither the network nor other files.

    Args:
        history: The operations of all clients.
        findings: The findings of `check`. The first is shown at the top.
        path: The file to write; an existing file is replaced.
    """
    page = _Timeline(sorted(history, key=lambda operation: operation.began), findings)
    Path(path).write_text(page.html(), encoding="utf-8")


class _Timeline:
    def __init__(self, history: Sequence[Operation], findings: Sequence[Finding]) -> None:
        self._history = history
        self._findings = findings
        self._number = {id(operation): n for n, operation in enumerate(history)}
        self._found = {id(operation) for finding in findings[:1] for operation in finding.operations}
        self._of = _operations_of_records(history)
        self._records: defaultdict[int, list[UUID]] = defaultdict(list)
        for record, operations in self._of.items():
            for operation in operations:
                self._records[id(operation)].append(record)
        times = {operation.began for operation in history} | {o.ended for o in history if o.ended is not None}
        self._columns = {time: column for column, time in enumerate(sorted(times))}

    def html(self) -> str:
        """Return the HTML of the page."""
        first = self._findings[0] if self._findings else None
        clients = {operation.client for operation in self._history}
        return Template(_PAGE.read_text(encoding="utf-8")).substitute(
            title=escape(CLAUSES[first.clause].text if first else "No rule is broken"),
            summary=f"Operations: {len(self._history)}, clients: {len(clients)}, findings: {len(self._findings)}",
            findings="".join(map(self._finding, self._findings[:_MAX_FINDINGS])),
            width=_NAMES + _COLUMN * (len(self._columns) + 3),
            lanes="".join(self._lanes(sorted(clients))),
            scope="of the first finding" if first else "",
            records="".join(self._rows(first)),
            templates="".join(map(self._details, self._history)),
        )

    def _finding(self, finding: Finding) -> str:
        jumps = "".join(
            f'<button class="jump" data-n="{self._number[id(o)]}"><span class="time">{self._when(o)}</span>'
            f"{o.call} by {escape(o.client)}</button>"
            for o in finding.operations
            if id(o) in self._number
        )
        return (
            f'<div class="finding"><p><b>{finding.rule}</b> {escape(finding.text)}</p>'
            f'<div class="jumps">{jumps}</div></div>'
        )

    def _when(self, operation: Operation) -> str:
        return _shown_time(operation.began, self._columns[operation.began])

    def _lanes(self, clients: Iterable[str]) -> Iterator[str]:
        marks = "".join(
            f'<span class="time" style="left:{_x(column)}px">{_shown_time(time, column)}</span>'
            for time, column in self._columns.items()
        )
        yield f'<div class="lane times"><span class="name">clock</span>{marks}</div>'
        for client in clients:
            bars = "".join(self._bars([o for o in self._history if o.client == client]))
            name = escape(client)
            yield f'<div class="lane" data-client="{name}"><span class="name" title="{name}">{name}</span>{bars}</div>'

    def _bars(self, operations: Sequence[Operation]) -> Iterator[str]:
        after = [*(self._columns[o.began] for o in operations[1:]), len(self._columns) + 2]
        for operation, following in zip(operations, after, strict=True):
            begun = self._columns[operation.began]
            over = following if operation.ended is None or operation.unknown else self._columns[operation.ended]
            width = max(over - begun, 1) * _COLUMN - 4
            records = " ".join(map(str, self._records[id(operation)]))
            yield (
                f'<button class="{self._classes(operation)}" id="op-{self._number[id(operation)]}" '
                f'data-n="{self._number[id(operation)]}" data-records="{records}" '
                f'style="left:{_x(begun)}px;width:{width}px;--w:{width}px"><span>{operation.call}<br>{escape(_label(operation))}</span></button>'
            )

    def _classes(self, operation: Operation) -> str:
        names = ["op", _COLOURS.get(operation.call, "change")]
        names += ["unknown"] * operation.unknown + ["failed"] * operation.failed
        return " ".join(names + ["found"] * (id(operation) in self._found))

    def _rows(self, finding: Finding | None) -> Iterator[str]:
        """Yield table rows for the records of the first finding, or for all records."""
        concerned = [id for o in (finding.operations if finding else self._history) for id in self._records[_key(o)]]
        named = [id for id in dict.fromkeys(concerned) if finding is None or str(id) in finding.text]
        for record_id in named or dict.fromkeys(concerned):
            record = next(filter(None, (_record(o, record_id) for o in self._of[record_id])), None)
            queue, unique = (record.queue, record.unique_key or "") if record else ("", "")
            yield (
                f'<tr><td><button class="record" data-id="{record_id}"><code>{record_id}</code></button></td>'
                f"<td>{escape(queue)}</td><td>{escape(unique)}</td><td>{len(self._of[record_id])}</td></tr>"
            )

    def _details(self, operation: Operation) -> str:
        given = "\n".join(f"{name} = {render(value)}" for name, value in operation.given.items())
        ended = "never returned" if operation.ended is None else f"to {operation.ended}"
        result = f"-> {_rendered(operation.answer)}" if operation.error is None else f"raised {operation.error!r}"
        return (
            f'<template id="details-{self._number[id(operation)]}"><p><b>{operation.call}</b> by '
            f"{escape(operation.client)}, from {operation.began} {ended}</p>"
            f"<pre>{escape(given)}\n\n{escape(result)}</pre></template>"
        )


def _key(operation: Operation) -> int:
    return id(operation)


def _operations_of_records(history: Iterable[Operation]) -> dict[UUID, list[Operation]]:
    facts, _ = gather(history)
    return {id: list({_key(fact.operation): fact.operation for fact in of}.values()) for id, of in facts.items()}


def _record(operation: Operation, id: UUID) -> Record | None:
    answer = operation.answer
    rows = answer if isinstance(answer, list | tuple) else answer.values() if isinstance(answer, dict) else ()
    found = (row if isinstance(row, Record) else getattr(row, "record", None) for row in rows)
    return next((record for record in found if record is not None and record.id == id), None)


def _x(column: int) -> int:
    return _NAMES + 14 + column * _COLUMN


def _shown_time(time: int, column: int) -> str:
    return str(time) if time < 10**6 else str(column)


def _rendered(answer: object) -> str:
    if isinstance(answer, list | tuple) and not hasattr(answer, "_asdict"):
        return "[\n" + "".join(f"  {render(item)}\n" for item in answer) + "]" if answer else "[]"
    return render(answer)


def _label(operation: Operation) -> str:
    """Return a short label for the result of a call."""
    answer = operation.answer
    if operation.error is not None or operation.ended is None:
        return "failed" if operation.failed else "?"
    match operation.call:
        case "settle" | "extend" | "report_progress":
            return ",".join(_SHORT.get(item, str(item)) for item in answer)
        case "insert":
            return f"{sum(item.created for item in answer)} of {len(answer)}"
        case "pause" | "resume":
            return str(operation.given["queue"])
        case "stats" | "purge":
            return str(getattr(answer, "total", answer))
        case _:
            return str(len(answer))
