"""The command `tallystick conform mutants`."""

from enum import StrEnum
from math import isfinite
from pathlib import Path
from signal import SIGINT
from typing import Annotated

import typer
from tallystick import TallystickError

from ..harness.interrupts import as_interrupts
from ..mutants import matrix, servers
from ..mutants.discovery import find, split
from ..mutants.mutant import Verdict
from ..mutants.table import kill_matrix
from .exits import FAILED, SIGNALLED, UNDECIDED, misused
from .progress import counting


class ProfileOption(StrEnum):
    """How much to test on each mutant."""

    quick = "quick"
    standard = "standard"


def mutants(
    *,
    profile: Annotated[
        ProfileOption,
        typer.Option(help="How much to test on each mutant; standard takes about ten times as long."),
    ] = ProfileOption.quick,
    modules: Annotated[
        list[str] | None,
        typer.Option(
            "--module",
            metavar="MODULE",
            help="Run the MUTANTS of this module instead of the installed ones. The module may be in the current "
            "directory. Repeatable.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Run only the mutant of this name. Repeatable."),
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            "--server",
            metavar="NAME=URL",
            help="A server that mutants need, such as postgres=postgresql://host/db. Default: "
            "TALLYSTICK_TEST_<NAME>_URL in the environment. Repeatable.",
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many mutants run at a time, each in its own process.")
    ] = 2,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            metavar="N",
            help="Seconds after which a mutant counts as hung. Default: 120, or 600 under standard.",
        ),
    ] = None,
    as_json: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", dir_okay=False, help="Write the matrix to this file as JSON."),
    ] = None,
) -> None:
    """Run the kit on backends with one known bug each, and report which clause finds it.

    Exit codes: 0: enough mutants were killed (85 % under quick, 97 % under standard); 1: too many survived; 2: bad
    usage; 3: too many hung or crashed to decide; 130, 143: interrupted.
    """
    verdicts: list[Verdict] = []
    if seconds is not None and not isfinite(seconds):
        raise misused(f"--seconds is {seconds}; it must be a finite number")
    if as_json is not None and not as_json.parent.is_dir():
        raise misused(f"--json is {as_json}, but its folder does not exist")
    try:
        given = servers.given(at or [])
        found, left_out = split(find(modules or [], only or []), given)
    except TallystickError as exc:
        raise misused(str(exc)) from exc
    code = 0
    with as_interrupts() as signals, counting(len(found)) as on_verdict:
        try:
            for verdict in matrix.run(
                found, profile.value, jobs=jobs, seconds=seconds, servers=given, on_verdict=on_verdict
            ):
                verdicts.append(verdict)
        except KeyboardInterrupt:
            code = SIGNALLED + (signals[0] if signals else SIGINT)
    if as_json is not None:
        as_json.write_text(matrix.to_json(verdicts, found, profile.value), "utf-8")
    typer.echo(kill_matrix(verdicts, profile.value))
    for why in left_out:
        typer.echo(why)
    code = code or {True: 0, False: FAILED, None: UNDECIDED}[matrix.reaches(verdicts, profile.value)]
    if code:
        raise typer.Exit(code)
