"""A worker process of the benchmark: `python -m tallystick.bench.worker_process`.

It reads the URL from standard input, begins at the next line, and ends with the input. Each line that it writes is a
report. The first one says that it is ready.
"""

import json
import sys
from threading import Event, Thread

from .worker import Report, work


def main() -> None:
    """Work until standard input ends."""
    given = json.loads(sys.stdin.readline())
    ready, begun, ended = Event(), Event(), Event()
    Thread(target=_follow, args=(ready, begun, ended), name="tallystick-bench-input", daemon=True).start()
    work(given["url"], given["number"], report=_write, ready=ready, begun=begun, ended=ended)


def _follow(ready: Event, begun: Event, ended: Event) -> None:
    ready.wait()
    _write(Report(0, 0, 0.0, []))
    sys.stdin.readline()
    begun.set()
    sys.stdin.read()
    ended.set()


def _write(report: Report) -> None:
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
