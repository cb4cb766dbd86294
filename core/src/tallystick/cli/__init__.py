"""The command line: `tallystick jobs list`, `tallystick worker app.jobs:runner`, and so on. Start at `app`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; without its extra, say what to install."""
    try:
        from .app import run  # noqa: PLC0415  # typer comes with an extra; the core imports without it
    except ModuleNotFoundError as exc:
        if exc.name not in ("rich", "typer"):
            raise
        print(f"error: the command line needs {exc.name}; install tallystick-core[cli]", file=sys.stderr)
        sys.exit(2)
    run()
