"""The command line: `windlass jobs list`, `windlass worker app.jobs:runner`, and so on. Start at `app`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without its extra, say what to install."""
    try:
        from .app import run  # noqa: PLC0415  # typer comes with an extra; the core imports without it
    except ModuleNotFoundError as exc:
        if exc.name not in ("rich", "typer"):
            raise
        print(f"error: the command line needs {exc.name}; install windlass-core[cli]", file=sys.stderr)
        sys.exit(2)
    run()
