"""Fork beside a worker, end the child as a program ends, and go on in the parent: `forking.py URL`."""

import os
import sys
import warnings
from datetime import timedelta

from tallystick import Closed, Context, Runner, open_backend

runner = Runner(sys.argv[1])
direct = open_backend(sys.argv[1])


@runner.job("echo")
def echo(payload: str, ctx: Context) -> str:
    """Return the payload."""
    return payload


def child() -> None:
    """Use a client of the parent, which is refused, and the runner, which opens one of this process."""
    try:
        direct.stats()
    except Closed:
        print("refused", flush=True)
    direct.close()
    print("running" if runner.running else "not running", flush=True)
    print(runner.enqueue(echo.job("child")).id, flush=True)
    runner.close()


with runner, direct:
    runner.start()
    assert runner.result(runner.enqueue(echo.job("before")), timeout=timedelta(seconds=60)) == "before"
    direct.stats()
    warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads
    if (pid := os.fork()) == 0:
        child()
        sys.exit()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    direct.stats()
    assert runner.result(runner.enqueue(echo.job("after")), timeout=timedelta(seconds=60)) == "after"
    print("parent went on", direct.stats().total, flush=True)
