"""A process with several runners whose jobs append their tick to a file: `ticks.py URL LOG RUNNERS`.

It prints "ready" when all runners work, and stops on SIGTERM.
"""

import os
import signal
import sys
from datetime import timedelta
from threading import Event

from tallystick import Context, Runner

url, log, count = sys.argv[1:]
lease = timedelta(seconds=5)
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
stop = Event()


def new_runner() -> Runner:
    """Return a runner that is not started."""
    runner = Runner(url, lease=lease, maintenance=lease / 2, concurrency=2)

    @runner.job("tick")
    def tick(payload: None, ctx: Context) -> None:
        """Append one line; a write this short is atomic."""
        assert ctx.tick is not None
        os.write(out, f"{ctx.tick.isoformat()} {ctx.attempt} {os.getpid()}\n".encode())

    return runner


signal.signal(signal.SIGTERM, lambda *_: stop.set())
runners = [new_runner() for _ in range(int(count))]
for runner in runners:
    runner.start()
print("ready", flush=True)
while not stop.wait(1):
    pass
sys.exit(sum([runner.stop() for runner in runners]))
