"""The command line door: `tallystick conform URL`, `tallystick conform verify` and `tallystick conform mutants`."""

from enum import StrEnum
from pathlib import Path
from signal import SIGINT
from typing import Annotated, Any

import typer
from tallystick import TallystickError
from typer.core import TyperGroup

from . import matrix, reports, servers, tables
from .account import account
from .clauses import CLAUSES, selected
from .engine import Interrupted, conform
from .known import parsed
from .mutant import Verdict
from .progress import bar, watching
from .redaction import Redaction
from .report import Report
from .reports.verify import verified
from .signals import as_interrupts

FAILED, MISUSED, INCOMPLETE, SIGNALLED = 1, 2, 3, 128


class ProfileOption(StrEnum):
    """How much is tested."""

    quick = "quick"
    standard = "standard"


class RunProfile(StrEnum):
    """How much is tested, and for how long."""

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
    help="Test a backend against the contract: `tallystick conform URL`.",
    epilog="Exit codes: 0 it conforms, 1 a clause failed, 2 bad usage, or the store could not be opened, "
    "3 too little of the work was done in its time limit, 130 and 143 interrupted.",
)


@conform_app.command()
def run(
    url: Annotated[str, typer.Argument(help="The backend's URL; stores beside it are made, and removed.")] = "",
    *,
    profile: Annotated[RunProfile, typer.Option(help="quick is up to a minute.")] = RunProfile.quick,
    minutes: Annotated[float, typer.Option(min=0.01, metavar="N", help="How long a soak goes on.")] = 60,
    seed: Annotated[int | None, typer.Option(min=0, metavar="N", help="Repeat the run that had this seed.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CLAUSE", help="Test this clause only, or this family: CLAIM.")
    ] = None,
    known: Annotated[
        list[str] | None, typer.Option("--known", metavar="CLAUSE=LINK", help="A failure that is known.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Go on with a family of clauses after one of it failed.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", file_okay=False, help="Write reports here.")
    ] = None,
    traces: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Keep traces here, and replay them first."),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete traces that show nothing any more.")] = False,
    scripts: Annotated[
        bool | None,
        typer.Option(
            "--script/--no-script", help="Print each violation's script; by default the first, or none with --report."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    list_clauses: Annotated[bool, typer.Option("--list", help="List the clauses, and test nothing.")] = False,
) -> None:
    """Test the backend at a URL, clause by clause. The word `run` may be left out."""
    if list_clauses:
        typer.echo(tables.clauses())
        return
    if not url:
        raise _misused("no URL was given")
    if traces is None and folder is not None:
        traces = folder / ".tallystick-conform"
    try:
        options = {"minutes": minutes, "seed": seed, "everything": everything, "traces": traces, "forget": forget}
        ids = selected(only or CLAUSES)
        report, code = _conform(url, profile=profile.value, only=ids, known_failures=parsed(known or []), **options)
    except TallystickError as exc:
        raise _misused(Redaction(url).text(str(exc))) from exc
    if report is None:
        typer.echo("interrupted before anything was tested", err=True)
        raise typer.Exit(code)
    if folder is not None:
        reports.write(report, folder)
    typer.echo(report.to_json() if as_json else account(report, folder, scripts=scripts), nl=not as_json)
    if code:
        raise typer.Exit(code)


def _conform(url: str, *, only: list[str], **options: Any) -> tuple[Report | None, int]:
    """Run the engine; return its report, none where it was interrupted before it began, and the exit code."""
    with as_interrupts() as came, watching(len(only)) as (on_start, on_progress):
        try:
            report = conform(url, only=only, on_start=on_start, on_progress=on_progress, **options)
        except KeyboardInterrupt as interrupt:
            found = interrupt.report if isinstance(interrupt, Interrupted) else None
            return found, SIGNALLED + (came[0] if came else SIGINT)
    return report, FAILED if report.failures else INCOMPLETE if report.incomplete else 0


@conform_app.command()
def verify(
    path: Annotated[Path, typer.Argument(metavar="REPORT", help="The report.json of a run.")],
) -> None:
    """Say whether a report proves its backend: no clause of the core failed, was skipped or is missing."""
    try:
        reasons = verified(path)
    except (OSError, TypeError, ValueError) as exc:
        raise _misused(f"{path} is no report that can be read: {exc}") from exc
    for reason in reasons:
        typer.echo(reason)
    typer.echo(f"{path} does not verify" if reasons else f"{path} verifies")
    if reasons:
        raise typer.Exit(FAILED)


@conform_app.command()
def mutants(
    *,
    profile: Annotated[ProfileOption, typer.Option(help="How much of the kit is run on each.")] = ProfileOption.quick,
    modules: Annotated[
        list[str] | None,
        typer.Option("--module", help="Run the MUTANTS of this module instead of those that are installed."),
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Run this mutant only.")] = None,
    at: Annotated[
        list[str] | None,
        typer.Option("--server", metavar="NAME=URL", help="A server that mutants need, if not in the environment."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="How many to run at a time, each in a process of its own.")] = 2,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the matrix as JSON.")] = None,
) -> None:
    """Run the kit on backends with one known bug each. Exits with 1 where it catches fewer than the profile's bar."""
    verdicts: list[Verdict] = []
    try:
        given = servers.given(at or [])
        found, left_out = matrix.split(matrix.find(modules or [], only or []), given)
    except TallystickError as exc:
        raise _misused(str(exc)) from exc
    with bar() as progress:
        running = matrix.run(found, profile.value, jobs=jobs, servers=given)
        verdicts += progress.track(running, total=len(found), description="mutants")
    if as_json is not None:
        as_json.write_text(matrix.to_json(verdicts, profile.value), "utf-8")
    typer.echo(tables.kill_matrix(verdicts, profile.value))
    for why in left_out:
        typer.echo(why)
    if matrix.rate(verdicts) < matrix.BARS[profile.value]:
        raise typer.Exit(FAILED)


def _misused(why: str) -> typer.Exit:
    typer.echo(f"error: {' '.join(why.split())}", err=True)
    return typer.Exit(MISUSED)
