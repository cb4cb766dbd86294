"""Fork with a running worker, exit the child normally, and continue in the parent: `forking.py URL`."""

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
    """Use the parent's client, which is closed here, and the runner, which opens its own."""
    try:
        direct.stats()
    except Closed:
        print("closed", flush=True)
    direct.close()
    print("running" if runner.running else "not running", flush=True)
    print(runner.enqueue(echo.job("child")).id, flush=True)
    runner.close()


with runner, direct:
    runner.start()
    assert runner.result(runner.enqueue(echo.job("before")), timeout=timedelta(seconds=60)) == "before"
    direct.stats()
    warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork with threads
    if (pid := os.fork()) == 0:
        child()
        sys.exit()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    direct.stats()
    assert runner.result(runner.enqueue(echo.job("after")), timeout=timedelta(seconds=60)) == "after"
    print("parent stored", direct.stats().total, flush=True)
