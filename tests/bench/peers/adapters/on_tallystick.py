"""Tallystick with its default settings, in the store of a URL or in memory."""

from datetime import timedelta
from threading import Event
from time import monotonic

import tallystick.worker.worker  # noqa: F401  # loaded before the time begins, as the other adapters load their workers
from child import batches, begin, pause, picked_up, until_end
from tallystick import Context, Job, Runner, open_backend


class Noop(Job[None]):
    """Does nothing, or reports its latency."""

    kind = "bench:noop"
    n: int
    sent: float | None = None

    def work(self, ctx: Context) -> None:
        """Report the latency of a ping."""
        if self.sent is not None:
            picked_up(self.sent)


def runner(url: str) -> Runner:
    """Return a runner with default settings."""
    client = Runner(url)
    client.register(Noop)
    return client


def setup(url: str) -> None:
    """Create the tables."""
    with open_backend(url) as backend:
        backend.setup()


def enqueue_one(url: str, jobs: int) -> float:
    """Enqueue one by one."""
    with runner(url) as client:
        client.enqueue(Noop(n=0))
        began = monotonic()
        for n in range(jobs):
            client.enqueue(Noop(n=n))
        return monotonic() - began


def enqueue_batch(url: str, jobs: int) -> float:
    """Enqueue in batches."""
    with runner(url) as client:
        _ = client.backend
        began = monotonic()
        for numbers in batches(jobs):
            client.enqueue_batch([Noop(n=n) for n in numbers])
        return monotonic() - began


def work(url: str) -> None:
    """Work until standard input ends."""
    with runner(url) as client:
        _ = client.backend
        begin()
        client.start()
        until_end()
        client.stop(grace=timedelta(0))


def ping(url: str, times: int) -> None:
    """Enqueue pings."""
    with runner(url) as client:
        for n in range(times):
            client.enqueue(Noop(n=n, sent=monotonic()))
            pause()


def alone(jobs: int, pings: int) -> dict[str, object]:
    """Do each work in this process."""
    latencies: list[float] = []
    done = Event()
    with Runner("memory://bench") as client:
        client.register(Noop)
        remaining = iter(range(jobs - 1, -1, -1))

        @client.job("bench:ping")
        def latency(sent: float, ctx: Context) -> None:
            latencies.append(monotonic() - sent)

        @client.on_completed(kind=Noop)
        def count(record: object, outcome: object) -> None:
            if next(remaining) == 0:
                done.set()

        began = monotonic()
        for numbers in batches(jobs):
            client.enqueue_batch([Noop(n=n) for n in numbers])
        enqueued = monotonic()
        client.start()
        done.wait()
        drained = monotonic()
        for _ in range(pings):
            pause()
            client.enqueue(latency.job(monotonic()))
        while len(latencies) < pings:
            pause()
        client.stop()
    return {"enqueue_batch": enqueued - began, "drain": drained - enqueued, "latencies": latencies}
