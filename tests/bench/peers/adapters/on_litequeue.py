"""litequeue, a queue without workers: a loop takes messages and marks them done. Its `synchronous` is NORMAL."""

from time import monotonic

from child import begin
from litequeue import LiteQueue


def setup(path: str) -> None:
    """Create the tables."""
    LiteQueue(path).close()


def enqueue_one(path: str, jobs: int) -> float:
    """Enqueue one by one."""
    queue = LiteQueue(path)
    began = monotonic()
    for n in range(jobs):
        queue.put(f'{{"n": {n}}}')
    elapsed = monotonic() - began
    queue.close()
    return elapsed


def work(path: str) -> None:
    """Work until the queue is empty."""
    queue = LiteQueue(path)
    begin()
    while (message := queue.pop()) is not None:
        queue.done(message.message_id, claim_id=message.claim_id)
    queue.close()
