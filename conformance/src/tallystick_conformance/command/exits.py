"""Exit codes of `tallystick conform`."""

import typer

FAILED, MISUSED, UNDECIDED, SIGNALLED = 1, 2, 3, 128


def misused(why: str) -> typer.Exit:
    """Print an error about wrong usage, and return the exit to raise."""
    typer.echo(f"error: {' '.join(why.split())}", err=True)
    return typer.Exit(MISUSED)
