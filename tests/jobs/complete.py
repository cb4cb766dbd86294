"""A worker whose job has an effect and completes in its own transaction, and then hangs: `complete.py URL WHERE`.

WHERE is `before` or `after` the commit. For kill -9.
"""

import sys
import threading
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from homes import Home, say
from tallystick import Context, Runner

url, where = sys.argv[1:]
home = Home.of(url)
runner = Runner(url, lease=timedelta(seconds=1), poll=timedelta(seconds=0.05))


@runner.job("effect")
def effect(number: int, ctx: Context) -> str:
    """Have the effect, and say how far it is."""
    with home.transaction() as transaction:
        home.note(transaction, number)
        ctx.complete("by the killed one", transaction=transaction)
        if where == "before":
            say("hangs")
            threading.Event().wait()
    say("hangs")
    threading.Event().wait()
    raise AssertionError("it was to be killed")


runner.run()
