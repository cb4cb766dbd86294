"""`tallystick doctor`: how a store is, and what to do about it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from ..diagnostics import Finding, Severity
from ..errors import NotSetUp
from ..unworked import unworked
from . import show
from .options import Json, examples, opened

EXAMPLES = examples(
    "tallystick doctor postgresql://db/app --concurrency 50",
    "tallystick doctor sqlite:///jobs.db --json | jq -r '.[] | select(.severity != \"ok\") | .advice'",
)

_FAULTY = 1

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.FAULT: "bold red"}

Store = Annotated[
    str | None, typer.Argument(metavar="URL", envvar="TALLYSTICK_BACKEND", help="The store, e.g. sqlite:///jobs.db.")
]
Concurrency = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="The concurrency of the workers that will use the store.")
]


def doctor(url: Store = None, *, concurrency: Concurrency = None, as_json: Json = False) -> None:
    """Examine a store, and say what to do; exit with 1 where there is a fault.

    It also reports queues whose jobs no worker works.

    With --json: an array of objects with the keys name, severity (ok, warning
    or fault), found and advice.
    """
    with opened(url) as store:
        findings = [*store.diagnose(concurrency=concurrency)]
        try:
            findings += unworked(store)
        except NotSetUp:
            if not findings:  # else it is one of them
                raise
    if as_json:
        show.document([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.severity is Severity.FAULT for finding in findings):
        raise typer.Exit(_FAULTY)


def _print(findings: Sequence[Finding]) -> None:
    if not findings:
        typer.echo("there is nothing to examine in this store")
        return
    table = show.table("looked at", "", "found", "what to do")
    for finding in findings:
        mark = show.text(finding.severity, _STYLES[finding.severity])
        table.add_row(show.text(finding.name), mark, show.text(finding.found), show.text(finding.advice))
    show.put(table)
