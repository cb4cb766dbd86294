"""A program that ends while a job runs, and does not stop its runner: `forgetful.py URL`."""

import sys
import threading

from tallystick import Context, Runner

runner = Runner(sys.argv[1])
begun = threading.Event()


@runner.job("block")
def block(payload: None, ctx: Context) -> None:
    """Run until asked to stop."""
    begun.set()
    while not ctx.should_stop:
        threading.Event().wait(0.005)
    ctx.check()


runner.enqueue(block.job(None))
runner.start()
begun.wait()
