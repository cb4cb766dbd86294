"""The command `tallystick conform` and its subcommands."""

from enum import StrEnum
from pathlib import Path
from signal import SIGINT
from typing import Annotated, Any

import typer
from tallystick import TallystickError
from typer.core import TyperGroup

from .. import reports
from ..contract.clauses import CLAUSES, selected
from ..harness.interrupts import as_interrupts
from ..reports.columns import columns
from ..reports.report import Report
from ..reports.terminal import described
from ..reports.verify import verified
from ..running.engine import Interrupted, conform
from ..running.known import parsed
from ..subject.redaction import Redaction
from . import HELP
from .exits import FAILED, SIGNALLED, UNDECIDED, misused
from .mutants import mutants
from .progress import watching
from .replay import replay


class RunProfile(StrEnum):
    """How much to test, and for how long."""

    quick = "quick"
    standard = "standard"
    soak = "soak"


class _UrlFirst(TyperGroup):
    """`conform URL` is short for `conform run URL`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


conform_app = typer.Typer(
    cls=_UrlFirst,
    no_args_is_help=True,
    help=HELP,
    epilog="Exit codes: 0: no clause failed; 1: a clause failed; 2: bad usage, or the store cannot be opened; "
    "3: the time limits left too little tested, or too many mutants hung; 130, 143: interrupted.",
)


@conform_app.command()
def run(
    url: Annotated[
        str,
        typer.Argument(
            help="The backend's URL. The kit creates its own stores next to the one at the URL, and removes them."
        ),
    ] = "",
    *,
    profile: Annotated[
        RunProfile,
        typer.Option(help="quick takes up to one minute, standard up to ten; soak repeats standard with new seeds."),
    ] = RunProfile.quick,
    minutes: Annotated[
        float, typer.Option(min=0.01, metavar="N", help="Duration of a soak in minutes; other profiles ignore it.")
    ] = 60,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Repeat the run that reported this seed. By default, standard draws a new one."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="CLAUSE",
            help="Test only this clause (CLAIM-05) or family of clauses (CLAIM). Repeatable.",
        ),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--known",
            metavar="CLAUSE=LINK",
            help="A clause that is known to fail, with a link. The run fails if it passes. Repeatable.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Test the rest of a family even after one of its clauses failed.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="DIR", file_okay=False, help="Write reports, traces and timelines to this folder."
        ),
    ] = None,
    traces: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            file_okay=False,
            help="Keep traces of violations in this folder, and replay them first. Default: "
            ".tallystick-conform in the --report folder.",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete traces that no longer show a violation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the report as JSON, as in report.json.")] = False,
    list_clauses: Annotated[
        bool, typer.Option("--list", help="List every clause with its tier, level and sentence, and exit.")
    ] = False,
) -> None:
    """Test the backend at a URL, clause by clause. You may omit the word `run`."""
    if list_clauses:
        typer.echo(columns((clause.id, clause.tier, clause.level, clause.text) for clause in CLAUSES.values()))
        return
    if not url:
        raise misused("no URL was given; write: tallystick conform URL")
    if traces is None and folder is not None:
        traces = folder / ".tallystick-conform"
    try:
        options = {"minutes": minutes, "seed": seed, "everything": everything, "traces": traces, "forget": forget}
        ids = selected(only or CLAUSES)
        report, code = _conform(url, profile=profile.value, only=ids, known_failures=parsed(known or []), **options)
    except TallystickError as exc:
        raise misused(Redaction(url).text(str(exc))) from exc
    if report is None:
        typer.echo("interrupted before any clause was tested", err=True)
        raise typer.Exit(code)
    if folder is not None:
        reports.write(report, folder)
    typer.echo(report.to_json() if as_json else described(report, folder), nl=not as_json)
    if code:
        raise typer.Exit(code)


def _conform(url: str, *, only: list[str], **options: Any) -> tuple[Report | None, int]:
    """Run the engine; return its report (None if interrupted before the first clause) and the exit code."""
    with as_interrupts() as signals, watching(len(only)) as (on_start, on_progress):
        try:
            report = conform(url, only=only, on_start=on_start, on_progress=on_progress, **options)
        except KeyboardInterrupt as interrupt:
            found = interrupt.report if isinstance(interrupt, Interrupted) else None
            return found, SIGNALLED + (signals[0] if signals else SIGINT)
    return report, FAILED if report.failures else UNDECIDED if report.incomplete else 0


@conform_app.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="REPORT", help="The report.json that `--report` wrote.")],
) -> None:
    """Check that a report proves its backend: every core clause, and every clause of a declared capability, passed.

    Exit codes: 0: it does; 1: it does not, for the printed reasons; 2: the file is not a readable report.
    """
    try:
        reasons = verified(path)
    except (OSError, RecursionError, TypeError, ValueError) as exc:
        raise misused(f"{path} is not a readable report: {exc}") from exc
    for reason in reasons:
        typer.echo(reason)
    typer.echo(f"{path} does not verify" if reasons else f"{path} verifies")
    if reasons:
        raise typer.Exit(FAILED)


conform_app.command()(replay)
conform_app.command()(mutants)
