"""The application of `tallystick demo`: thousands of small jobs, and a ledger of their ends."""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from .contract.failure import LEASE_EXPIRED
from .contract.outcomes import Outcome
from .contract.records import Record
from .contract.state import State
from .jobs.context import Context
from .jobs.job_base import Job
from .runner.runner import Runner

LEDGER = "DEMO_LEDGER"
"""The environment variable that names the file of the ledger."""

LEASE = timedelta(seconds=3)
"""How long the jobs of the killed process wait at most. It is shorter than usual, so that the demo ends soon."""


class Digest(Job[str]):
    """Computes the digest of a number."""

    kind = "demo:digest"
    queue = "demo"
    number: int

    def work(self, ctx: Context) -> str:
        """Return the digest."""
        return digest(self.number)


def digest(number: int) -> str:
    """Return the digest of a number in hex."""
    return sha256(str(number).encode()).hexdigest()


def make_runner() -> Runner:
    """Return the runner of a worker process. It appends a line to the ledger for each end that the store recorded."""
    runner = Runner(lease=LEASE, maintenance=LEASE / 3, poll=timedelta(seconds=0.1))
    runner.register(Digest)
    ledger = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @runner.on_completed
    def note(record: Record, outcome: Outcome) -> None:
        os.write(ledger, f"{record.id}\n".encode())  # a write this short is atomic

    return runner


class Books(NamedTuple):
    """Each enqueued job, and how it ended.

    Args:
        lost: Jobs that the store does not have, or that have not completed.
        wrong: Jobs with a wrong result.
        twice: Jobs whose end was recorded twice.
        died: Jobs with attempts that died with their process.
    """

    enqueued: int
    lost: list[UUID]
    wrong: list[UUID]
    twice: list[UUID]
    died: list[Record]

    @classmethod
    def of(cls, jobs: dict[UUID, int], records: Iterable[Record], ledger: Path) -> Self:
        """Return the books for the enqueued jobs, from their records and the ledger."""
        completed = {record.id: record for record in records if record.state is State.COMPLETED}
        ends = Counter(map(UUID, ledger.read_text().split())) if ledger.exists() else Counter[UUID]()
        return cls(
            enqueued=len(jobs),
            lost=[id for id in jobs if id not in completed],
            wrong=[id for id, record in completed.items() if not _is_right(record, jobs[id])],
            twice=[id for id in jobs if ends[id] > 1],
            died=[record for record in completed.values() if died_attempts(record)],
        )

    @property
    def balance(self) -> bool:
        """Whether every job ended once, with the right result."""
        return not (self.lost or self.wrong or self.twice)


def died_attempts(record: Record) -> list[int]:
    """Return the attempts of a job that died with their process."""
    return [each.attempt for each in record.errors if each.error.type == LEASE_EXPIRED.type]


def _is_right(record: Record, number: int) -> bool:
    return record.result == f'"{digest(number)}"'.encode()
