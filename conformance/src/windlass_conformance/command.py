"""The command line door: `windlass conform URL` and `windlass conform mutants`."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from typer.core import TyperGroup
from windlass import WindlassError

from . import tables
from .clauses import CLAUSES
from .engine import conform
from .mutant import Verdict, judge_one
from .report import Report, Result

FAILED, MISUSED = 1, 2

_errors = Console(stderr=True)


class ProfileOption(StrEnum):
    """How much is tested."""

    quick = "quick"
    standard = "standard"


class _UrlFirst(TyperGroup):
    """`conform URL` is short for `conform run URL`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)


conform_app = typer.Typer(
    cls=_UrlFirst,
    no_args_is_help=True,
    help="Test a backend against the contract: `windlass conform URL`.",
    epilog="Exit codes: 0 it conforms, 1 a clause failed, 2 bad usage, or the store could not be opened.",
)


@conform_app.command()
def run(
    url: Annotated[str, typer.Argument(help="The backend's URL; stores beside it are made, and removed.")] = "",
    *,
    profile: Annotated[ProfileOption, typer.Option(help="quick is up to a minute.")] = ProfileOption.quick,
    only: Annotated[list[str] | None, typer.Option("--only", metavar="CLAUSE", help="Test this clause only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    list_clauses: Annotated[bool, typer.Option("--list", help="List the clauses, and test nothing.")] = False,
) -> None:
    """Test the backend at a URL, clause by clause. The word `run` may be left out."""
    if list_clauses:
        typer.echo(tables.clauses())
        return
    unknown = [id for id in only or [] if id not in CLAUSES]
    if unknown or not url:
        raise _misused(f"no clause is called {', '.join(unknown)}; see --list" if unknown else "no URL was given")
    try:
        report = _conform(url, profile, only or [])
    except WindlassError as exc:
        raise _misused(str(exc)) from exc
    typer.echo(report.to_json() if as_json else tables.report(report))
    if not report.passed:
        raise typer.Exit(FAILED)


def _conform(url: str, profile: ProfileOption, only: list[str]) -> Report:
    with _progress() as progress:
        task = progress.add_task("testing", total=len(only) or len(CLAUSES))

        def show(result: Result) -> None:
            progress.update(task, advance=1, description=f"{result.clause_id} {result.status}")

        return conform(url, profile=profile.value, only=only, on_progress=show)


@conform_app.command()
def mutants(
    *,
    as_json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the matrix as JSON.")] = None,
) -> None:
    """Run the kit on backends with one known bug each, and show which it catches by the clause that they break."""
    try:
        from .mutants import SHIPPED  # noqa: PLC0415 - mutants patch plugins, which need not be installed
    except ModuleNotFoundError as exc:
        raise _misused(f"mutants patch a plugin that is not installed: {exc}") from exc
    verdicts: list[Verdict] = []
    with _progress() as progress:
        for mutant in progress.track(SHIPPED, description="mutants"):
            verdicts.append(judge_one(mutant))
    if as_json is not None:
        as_json.write_text(json.dumps([tables.verdict(verdict) for verdict in verdicts], indent=2) + "\n")
    typer.echo(tables.kill_matrix(verdicts))
    if not all(verdict.killed for verdict in verdicts):
        raise typer.Exit(FAILED)


def _misused(why: str) -> typer.Exit:
    typer.echo(f"error: {why}", err=True)
    return typer.Exit(MISUSED)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=_errors, transient=True, disable=not _errors.is_terminal)
