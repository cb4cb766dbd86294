"""Exit codes of `tallystick conform`."""

import typer

FAILED, MISUSED, UNDECIDED, SIGNALLED = 1, 2, 3, 128


def misused(why: str) -> typer.Exit:
    """Print why a command cannot be run, and return what to raise."""
    typer.echo(f"error: {' '.join(why.split())}", err=True)
    return typer.Exit(MISUSED)
