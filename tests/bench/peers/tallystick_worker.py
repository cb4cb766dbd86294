"""Tallystick beside its peers."""

import sys
from datetime import timedelta
from time import sleep, time

import psycopg
from tallystick import Context, Job, Runner, open_backend

SCHEMA = "tallystick_peers"


class Noop(Job[None]):
    """Does nothing, or tells how long it was on its way."""

    kind = "noop"
    n: int
    sent: float | None = None

    def work(self, ctx: Context) -> None:
        """Do it."""
        if self.sent is not None:
            print(time() - self.sent, flush=True)


def runner(url: str) -> Runner:
    """Return a runner of defaults."""
    made = Runner(f"{url}?schema={SCHEMA}")
    made.register(Noop)
    return made


def prepare(url: str) -> None:
    """Make an empty store."""
    with open_backend(f"{url}?schema={SCHEMA}") as backend:
        backend.teardown()
        backend.setup()


def enqueue(url: str, jobs: int) -> None:
    """Enqueue in batches of 1,000."""
    with runner(url) as made:
        for start in range(0, jobs, 1_000):
            made.enqueue_batch([Noop(n=n) for n in range(start, min(start + 1_000, jobs))])


def ping(url: str, times: int, pause: float) -> None:
    """Enqueue one job after another, and wait a little after each."""
    with runner(url) as made:
        for n in range(times):
            made.enqueue(Noop(n=n, sent=time()))
            sleep(pause)


def left(url: str) -> int:
    """Return how many have not ended, by their indexes alone: a finished job stays in the table."""
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        found = connection.execute(
            f"SELECT (SELECT count(*) FROM {SCHEMA}.jobs WHERE state IN ('pending', 'retrying'))"
            f" + (SELECT count(*) FROM {SCHEMA}.jobs WHERE state = 'running')"
        ).fetchone()
    return int(found[0]) if found else 0


def work(url: str) -> None:
    """Begin at a line of standard input, and work until its end."""
    with runner(url) as made:
        print("ready", flush=True)
        sys.stdin.readline()
        made.start()
        sys.stdin.read()
        made.stop(grace=timedelta(0))
