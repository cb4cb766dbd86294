"""The command line: `tallystick jobs list`, `tallystick worker app.jobs:runner` and others. Start reading at `app`."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, or print what to install if the extra is missing."""
    try:
        from .app import run  # noqa: PLC0415  # the core must import without the extra
    except ModuleNotFoundError as exc:
        if exc.name not in ("rich", "typer"):
            raise
        print(f"error: the command line needs {exc.name}; install tallystick-core[cli]", file=sys.stderr)
        sys.exit(2)
    run()
