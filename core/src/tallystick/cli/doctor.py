"""`tallystick doctor`: check a store, and advise what to do."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from ..diagnostics import Finding, Severity
from ..errors import NotSetUp
from . import show
from .options import Json, examples, opened
from .unworked import unworked

EXAMPLES = examples(
    "tallystick doctor postgresql://db/app --concurrency 50",
    "tallystick doctor sqlite:///jobs.db --json | jq -r '.[] | select(.severity != \"ok\") | .advice'",
)

_FAULTY = 1

_STYLES = {Severity.OK: "green", Severity.WARNING: "yellow", Severity.FAULT: "bold red"}

Store = Annotated[
    str | None, typer.Argument(metavar="URL", envvar="TALLYSTICK_BACKEND", help="The store, e.g. sqlite:///jobs.db.")
]
Concurrency = Annotated[int | None, typer.Option(min=1, metavar="N", help="Concurrency of the workers on this store.")]


def doctor(url: Store = None, *, concurrency: Concurrency = None, as_json: Json = False) -> None:
    """Check a store, and advise what to do.

    Also reports queues whose jobs no worker runs. Exits with 1 if there is a
    fault.

    With --json: an array of objects with the keys name, severity (ok, warning
    or fault), found and advice.
    """
    with opened(url) as store:
        findings = [*store.diagnose(concurrency=concurrency)]
        try:
            findings += unworked(store)
        except NotSetUp:
            if not findings:  # otherwise `diagnose` has reported it
                raise
    if as_json:
        show.document([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.severity is Severity.FAULT for finding in findings):
        raise typer.Exit(_FAULTY)


def _print(findings: Sequence[Finding]) -> None:
    if not findings:
        typer.echo("this store has nothing to check")
        return
    table = show.table(
        "check",
        "",
        "found",
        "what to do",
        narrow={"check": 12, "found": 20, "what to do": 20},
        fold=("check", "found", "what to do"),
    )
    for finding in findings:
        mark = show.text(finding.severity, _STYLES[finding.severity])
        table.add_row(show.text(finding.name), mark, show.text(finding.found), show.text(finding.advice))
    show.put(table)
