"""Tallystick with the jobs of `bench.workloads`: a backlog of jobs of one shape, and a worker for it."""

import asyncio
import base64
import json
import logging
import os
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import monotonic, process_time
from typing import Any

from child import batches, begin
from on_bare import AT_ONCE, SLEEP, compute
from tallystick import Context, Fixed, Job, NewRecord, Runner, open_backend
from tallystick.processes.limits import used_memory

PAYLOAD = 4_096
"""Bytes of a large payload."""

QUEUES = tuple(f"queue-{n:02}" for n in range(50))
PRIORITIES = 10

SETTINGS: dict[str, dict[str, Any]] = {"queues": {"queues": QUEUES}, "sleep": {"concurrency": AT_ONCE}}
"""The settings of a shape that are not the defaults."""


class Noop(Job[None]):
    """Does nothing."""

    kind = "bench:noop"
    n: int
    text: str = ""

    def work(self, ctx: Context) -> None:
        """Do nothing."""


class Failing(Job[None]):
    """Fails at its first attempt, if its number is odd."""

    kind = "bench:failing"
    retry = Fixed(timedelta(0))
    n: int

    def work(self, ctx: Context) -> None:
        """Fail once."""
        if self.n % 2 and ctx.attempt == 1:
            raise ValueError(self.n)


class Sleep(Job[None]):
    """Sleeps in the event loop."""

    kind = "bench:sleep"
    n: int

    async def work(self, ctx: Context) -> None:
        """Sleep."""
        await asyncio.sleep(SLEEP)


class Compute(Job[None]):
    """Computes in a thread."""

    kind = "bench:compute"
    loops: int

    def work(self, ctx: Context) -> None:
        """Compute."""
        compute(self.loops)


def fill(url: str, shape: str, jobs: int, loops: int) -> None:
    """Create the store if necessary, and insert jobs of one shape."""
    with open_backend(url) as backend:
        backend.setup()
        for numbers in batches(jobs):
            backend.insert([_record(shape, n, loops) for n in numbers])


def _record(shape: str, n: int, loops: int) -> NewRecord:
    payload = b'{"n": %d}' % n
    match shape:
        case "payload":
            return NewRecord(kind=Noop.kind, payload=_large(n))
        case "queues":
            return NewRecord(kind=Noop.kind, payload=payload, queue=QUEUES[n % len(QUEUES)])
        case "priorities":
            return NewRecord(kind=Noop.kind, payload=payload, priority=n % PRIORITIES)
        case "compute":
            return NewRecord(kind=Compute.kind, payload=b'{"loops": %d}' % loops)
        case "failing" | "sleep":
            return NewRecord(kind=f"bench:{shape}", payload=payload)
        case _:
            return NewRecord(kind=Noop.kind, payload=payload)


def _large(n: int) -> bytes:
    """Return a payload of `PAYLOAD` bytes that a database cannot compress well."""
    text = base64.b64encode(random.Random(n).randbytes(PAYLOAD)).decode()
    empty = len(json.dumps({"n": n, "text": ""}))
    return json.dumps({"n": n, "text": text[: PAYLOAD - empty]}).encode()


def work(url: str, shape: str) -> None:
    """Work until standard input ends. Answer each line with the CPU seconds since the begin and the memory in bytes."""
    logging.basicConfig(filename=os.devnull)  # a worker formats its log: each failed attempt with its traceback
    with _runner(url, shape) as client:
        _ = client.backend
        begin()
        began = process_time()
        client.start()
        for _ in sys.stdin:
            print(json.dumps([process_time() - began, used_memory()]), flush=True)
        client.stop(grace=timedelta(0))


def enqueue(url: str, jobs: int, threads: int) -> list[float]:
    """Enqueue this many jobs in each thread, one by one; return the elapsed seconds and the CPU seconds."""
    with _runner(url, "plain") as client, ThreadPoolExecutor(threads) as pool:
        client.enqueue(Noop(n=0))  # opens the connection

        def enqueue_some() -> None:
            for n in range(jobs):
                client.enqueue(Noop(n=n))

        began, cpu = monotonic(), process_time()
        for each in [pool.submit(enqueue_some) for _ in range(threads)]:
            each.result()
        return [monotonic() - began, process_time() - cpu]


def alone(shape: str, jobs: int) -> list[float]:
    """Work jobs in the memory of this process; return the elapsed seconds and the CPU seconds."""
    done, remaining = Event(), iter(range(jobs - 1, -1, -1))
    with _runner("memory://bench", shape) as client:

        @client.on_completed
        def count(record: object, outcome: object) -> None:
            if next(remaining) == 0:
                done.set()

        for numbers in batches(jobs):
            client.backend.insert([_record(shape, n, 0) for n in numbers])
        began, cpu = monotonic(), process_time()
        client.start()
        done.wait()
        seconds = [monotonic() - began, process_time() - cpu]
        client.stop()
    return seconds


def _runner(url: str, shape: str) -> Runner:
    client = Runner(url, **SETTINGS.get(shape, {}))
    for job in (Noop, Failing, Sleep, Compute):
        client.register(job)
    return client
