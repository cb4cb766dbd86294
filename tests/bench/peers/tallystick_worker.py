"""Tallystick, for the comparison with its peers."""

import sys
from datetime import timedelta
from time import sleep, time

import psycopg
from tallystick import Context, Job, Runner, open_backend

SCHEMA = "tallystick_peers"


class Noop(Job[None]):
    """Does nothing, or prints its latency."""

    kind = "noop"
    n: int
    sent: float | None = None

    def work(self, ctx: Context) -> None:
        """Print the latency of a ping."""
        if self.sent is not None:
            print(time() - self.sent, flush=True)


def runner(url: str) -> Runner:
    """Return a runner with default settings."""
    client = Runner(f"{url}?schema={SCHEMA}")
    client.register(Noop)
    return client


def prepare(url: str) -> None:
    """Create an empty store."""
    with open_backend(f"{url}?schema={SCHEMA}") as backend:
        backend.teardown()
        backend.setup()


def enqueue(url: str, jobs: int) -> None:
    """Enqueue in batches of 1,000."""
    with runner(url) as client:
        for start in range(0, jobs, 1_000):
            client.enqueue_batch([Noop(n=n) for n in range(start, min(start + 1_000, jobs))])


def ping(url: str, times: int, pause: float) -> None:
    """Enqueue one job at a time, with a pause after each."""
    with runner(url) as client:
        for n in range(times):
            client.enqueue(Noop(n=n, sent=time()))
            sleep(pause)


def left(url: str) -> int:
    """Return the number of unfinished jobs, using the indexes only, because finished jobs stay in the table."""
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        found = connection.execute(
            f"SELECT (SELECT count(*) FROM {SCHEMA}.jobs WHERE state IN ('pending', 'retrying'))"
            f" + (SELECT count(*) FROM {SCHEMA}.jobs WHERE state = 'running')"
        ).fetchone()
    return int(found[0]) if found else 0


def work(url: str) -> None:
    """Begin at a line on standard input, and work until it ends."""
    with runner(url) as client:
        print("ready", flush=True)
        sys.stdin.readline()
        client.start()
        sys.stdin.read()
        client.stop(grace=timedelta(0))
