"""How the jobs of a kind are queued and run."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypedDict

from . import guards
from .records import MAX_ATTEMPTS, PRIORITIES
from .retry import Exponential, RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the jobs of a kind are queued and run, unless an enqueue says otherwise.

    Args:
        max_attempts: After so many failed attempts the job is discarded.
        retry: How long to wait before each further attempt.
        timeout: The longest that an attempt may take; then it fails with TimeoutError. An async handler is cancelled;
            a sync one cannot be, so its thread is given up and replaced (see `Snapshot.stuck`). None is no limit.
    """

    queue: str = "default"
    priority: int = 0
    max_attempts: int = 20
    retry: RetryPolicy = field(default_factory=Exponential)
    timeout: timedelta | None = None
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        guards.name(self.queue, "queue")
        guards.within(self.priority, *PRIORITIES, "priority")
        guards.within(self.max_attempts, *MAX_ATTEMPTS, "max_attempts")
        if self.timeout is not None:
            guards.positive(self.timeout, "timeout")
        object.__setattr__(self, "tags", guards.names(self.tags, "tags"))


DEFAULTS = Options()


class OptionArgs(TypedDict, total=False):
    """The options of a kind as keyword arguments; see `Options`."""

    queue: str
    priority: int
    max_attempts: int
    retry: RetryPolicy
    timeout: timedelta | None
    tags: tuple[str, ...]
