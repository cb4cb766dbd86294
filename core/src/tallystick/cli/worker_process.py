"""One worker process of a supervisor: `python -m tallystick.cli.worker_process SOCKET`."""

import sys

from ..errors import TallystickError
from ..processes import ChildLink
from .app import exit_code
from .show import one_line
from .worker import run_worker
from .worker_plan import WorkerPlan


def main() -> int:
    """Run the worker of the plan that the supervisor sends. Return its exit code."""
    link = ChildLink(int(sys.argv[1]))
    try:
        run_worker(WorkerPlan.of_bytes(link.plan()), link=link)
    except TallystickError as exc:
        print(f"error: {one_line(str(exc))}", file=sys.stderr)
        return exit_code(exc)
    return 0


if __name__ == "__main__":
    sys.exit(main())
