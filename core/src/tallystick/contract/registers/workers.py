"""Workers as they describe themselves."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .. import claims, validation
from ..records import Claim

LONGEST_TTL = timedelta(days=1)
"""The longest time that a beat may count."""

WORKERS_KEPT = timedelta(days=1)
"""How long a worker is listed after its latest beat has ceased to count."""

MOST_RUNNING = 100
"""The maximum number of attempts that a beat lists."""

MOST_QUEUES = 1_000
"""The maximum number of queues that a beat lists."""

_LARGEST_PID = 2**31 - 1
_MOST_SLOTS = 1_000_000


class Running(NamedTuple):
    """An attempt that a worker executes, and since when."""

    claim: Claim
    kind: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A worker's description of itself.

    Args:
        worker: The worker's name, as for `claim`.
        host: The name of its machine. host and version are 1 to 255 printable characters.
        pid: Its process id.
        version: The version of the application, or of Tallystick.
        queues: The queues that it serves, at most 1,000.
        concurrency: How many jobs it executes at once, at most.
        started_at: When it started, an aware datetime.
        running: The attempts that it executes, the longest first: at most 100 of them.
        busy: The number of attempts that it executes.
        draining: Whether it has stopped claiming.
    """

    worker: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime
    running: tuple[Running, ...] = ()
    busy: int = 0
    draining: bool = False

    def __post_init__(self) -> None:
        for name in ("worker", "host", "version"):
            self._set(name, validation.name(getattr(self, name), name))
        validation.within(self.pid, 0, _LARGEST_PID, "pid")
        self._set("queues", validation.names(self.queues, "queues"))
        validation.within(len(self.queues), 0, MOST_QUEUES, "the number of queues of a worker")
        validation.within(self.concurrency, 1, _MOST_SLOTS, "concurrency")
        self._set("started_at", validation.utc(self.started_at, "started_at"))
        validation.collection(self.running, "running", "attempts")
        validation.within(len(self.running), 0, MOST_RUNNING, "the number of attempts that a beat lists")
        self._set("running", tuple(map(_checked, self.running)))
        validation.within(self.busy, len(self.running), _LARGEST_PID, "busy")
        if not isinstance(self.draining, bool):
            raise InvalidArgument(f"draining is {safe_repr(self.draining)}; it must be True or False")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def to_json(self) -> str:
        """Serialize as ASCII JSON, which every store keeps unchanged."""
        return json.dumps(
            {
                "host": self.host,
                "pid": self.pid,
                "version": self.version,
                "queues": self.queues,
                "concurrency": self.concurrency,
                "started_at": self.started_at.isoformat(),
                "running": [[str(c.id), c.attempt, kind, since.isoformat()] for c, kind, since in self.running],
                "busy": self.busy,
                "draining": self.draining,
            }
        )

    @classmethod
    def from_json(cls, worker: str, text: str | bytes) -> Self:
        """Parse the JSON of `to_json`. Any other text raises `InvalidArgument`."""
        try:
            written: dict[str, Any] = json.loads(text)
            written["started_at"] = datetime.fromisoformat(written["started_at"])
            written["running"] = [
                Running(Claim(UUID(id), attempt), kind, datetime.fromisoformat(since))
                for id, attempt, kind, since in written["running"]
            ]
            return cls(worker=worker, **written)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as exc:
            raise InvalidArgument(
                f"the beat of worker {safe_repr(worker)} cannot be read; start workers of the same version"
            ) from exc

    def info(self, seen_at: datetime, ttl: timedelta) -> "WorkerInfo":
        """Return the worker as a store lists it."""
        return WorkerInfo(
            worker=self.worker,
            host=self.host,
            pid=self.pid,
            version=self.version,
            queues=self.queues,
            concurrency=self.concurrency,
            started_at=self.started_at,
            running=self.running,
            busy=self.busy,
            draining=self.draining,
            seen_at=seen_at,
            ttl=ttl,
        )


class WorkerInfo(NamedTuple):
    """A worker as its latest beat described it. Datetimes are aware, in UTC."""

    worker: str
    host: str
    pid: int
    version: str
    queues: tuple[str, ...]
    concurrency: int
    started_at: datetime
    running: tuple[Running, ...]
    busy: int
    draining: bool
    seen_at: datetime
    ttl: timedelta

    def is_alive(self, now: datetime) -> bool:
        """Return whether the latest beat still counts."""
        return now < self.seen_at + self.ttl


def _checked(running: Running) -> Running:
    if not isinstance(running, Running):
        raise InvalidArgument(f"running has {safe_repr(running)}; each must be a Running")
    claims.check(running.claim)
    kind = validation.name(running.kind, "the kind of a running attempt")
    return Running(running.claim, kind, validation.utc(running.since, "since"))
