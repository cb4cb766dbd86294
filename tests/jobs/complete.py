"""A worker whose job completes in a transaction with an effect, and then hangs, to be killed: `complete.py URL WHERE`.

WHERE is `before` or `after` the commit.
"""

import sys
import threading
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from homes import Home, print_line
from tallystick import Context, Runner

url, where = sys.argv[1:]
home = Home.of(url)
runner = Runner(url, lease=timedelta(seconds=1), poll=timedelta(seconds=0.05))


@runner.job("effect")
def effect(number: int, ctx: Context) -> str:
    """Record the effect, complete the job, and hang before or after the commit."""
    with home.transaction() as transaction:
        home.record_effect(transaction, number)
        ctx.complete("by the killed one", transaction=transaction)
        if where == "before":
            print_line("hangs")
            threading.Event().wait()
    print_line("hangs")
    threading.Event().wait()
    raise AssertionError("the process was not killed")


runner.run()
