"""A million records as a busy store has them, for the benchmark of searches."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from tallystick import AttemptError, Failure, State

DAYS = 60
"""The records finished in this many days."""

QUEUES = ("default", "mail", "reports")
KINDS = tuple(f"kind_{n:02}" for n in range(20))
RARE_KINDS = KINDS[-2:]
RARE = 10
"""The number of records of each rare kind, rare type of errors and rare tag."""

WORKERS = tuple(f"host-{n:02}" for n in range(30))
ERROR_TYPES = ("Timeout", *(f"app.errors.Error{n}" for n in range(6)), "app.errors.Rare")
TAGS = tuple(f"tag_{n:02}" for n in range(40))
RARE_TAG = "tag_rare"

_TRACEBACK = "\n".join(
    f'  File "/srv/app/module_{n}.py", line {n * 17}, in step_{n}\n    return self.next_{n}(request, timeout={n})'
    for n in range(12)
)


@dataclass(slots=True)
class Stored:
    """The columns of a record."""

    id: UUID
    kind: str
    queue: str
    state: State
    created_at: datetime
    attempted_at: datetime | None
    finished_at: datetime | None
    worker: str | None
    unique_key: str | None
    tags: list[str]
    error: Failure | None


def end() -> datetime:
    """Return the time of the newest record: the last midnight in UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def records(count: int) -> Iterator[Stored]:
    """Yield records from the oldest to the newest.

    95 % have finished, and 2 % of all are discarded. The other 5 % were created on the last day and wait; some of these
    have failed once. A record in twenty has tags, and one in fifty a unique key.
    """
    random = Random(1)
    now = end()
    first_waiting = count - count // 20
    rare = {first_waiting * (2 * n + 1) // (2 * RARE): n for n in range(RARE)}
    for n in range(count):
        if n < first_waiting:
            created = now - (first_waiting - n) / first_waiting * DAYS * timedelta(days=1)
        else:
            created = now - (count - n) / (count - first_waiting) * timedelta(days=1)
        draw = random.random()
        state = State.COMPLETED
        if n >= first_waiting:
            state = State.RETRYING if draw < 0.02 else State.PENDING
        elif draw < 0.02 or n in rare:
            state = State.DISCARDED
        elif draw < 0.025:
            state = State.CANCELLED
        has_run = state is not State.PENDING
        is_final = n < first_waiting
        attempted = created + timedelta(seconds=1 + 60 * random.random()) if has_run else None
        kind = random.randrange(len(KINDS) - len(RARE_KINDS))
        yield (
            Stored(
                id=_id(created, random),
                kind=KINDS[kind],
                queue=QUEUES[kind % len(QUEUES)],
                state=state,
                created_at=created,
                attempted_at=attempted,
                finished_at=attempted + timedelta(seconds=5 * random.random()) if is_final and attempted else None,
                worker=random.choice(WORKERS) if has_run else None,
                unique_key=f"key-{n}" if n % 50 == 7 else None,
                tags=random.sample(TAGS, 2) if n % 20 == 3 else [],
                error=_error(random, n) if state in (State.DISCARDED, State.RETRYING) else None,
            )
            if n not in rare
            else _rare(random, n, created, rare[n])
        )


def _rare(random: Random, n: int, created: datetime, turn: int) -> Stored:
    attempted = created + timedelta(seconds=5)
    return Stored(
        id=_id(created, random),
        kind=RARE_KINDS[turn % 2],
        queue=QUEUES[0],
        state=State.DISCARDED,
        created_at=created,
        attempted_at=attempted,
        finished_at=attempted + timedelta(seconds=5),
        worker=WORKERS[0],
        unique_key=None,
        tags=[RARE_TAG],
        error=Failure(ERROR_TYPES[-1], f"row {n} has no needle", _TRACEBACK),
    )


def _error(random: Random, n: int) -> Failure:
    type_ = ERROR_TYPES[0] if random.random() < 0.6 else random.choice(ERROR_TYPES[1:-1])
    return Failure(type_, f"request {n} to shard {n % 97} failed after 30 s", _TRACEBACK)


def _id(moment: datetime, random: Random) -> UUID:
    """Return a UUID of version 7."""
    millis = int(moment.timestamp() * 1000)
    return UUID(int=millis << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62))


def errors(stored: Stored) -> list[str]:
    """Return the errors of a record as they are stored."""
    if stored.error is None or stored.attempted_at is None:
        return []
    return [AttemptError.of(1, stored.attempted_at, stored.error).to_json()]


def payload(stored: Stored) -> bytes:
    """Return a payload of about 100 bytes."""
    return json.dumps({"to": "ada@example.org", "template": "welcome", "order": str(stored.id)}).encode()
