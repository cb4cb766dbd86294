"""Options of a kind of job: how its jobs are queued and run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypedDict, get_args

from ..contract import unique_options, validation
from ..contract.meta import NO_META, Meta
from ..contract.records import MAX_ATTEMPTS, PRIORITIES, OnConflict, UniqueUntil
from ..errors import DefinitionError, InvalidArgument
from ..messages.advice import unknown_option
from ..messages.safe_repr import safe_repr
from .retry import RetryPolicy, check_policy
from .unique_by import UniqueBy, check_by

LATEST_VERSION = 1_000
"""The highest `payload_version`."""

Isolation = Literal["process"]
"""Where a handler runs, if not in a thread or on the event loop of the worker."""

MEMORY_LIMITS = 2**20, 2**50
"""The lowest and the highest `memory_limit`, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the jobs of a kind are queued and run. An enqueue can override some of these options.

    Args:
        max_attempts: The job is discarded after this many failed attempts. Unset, it is the runner's setting.
        retry: Decides how long to wait before each further attempt. Unset, it is the runner's
            setting.
        timeout: The longest that an attempt may take before it fails with TimeoutError. Unset, it is the runner's
            setting; `timedelta.max` is no limit. An async handler is cancelled. A thread cannot be cancelled: the
            worker abandons and replaces it (see `Snapshot.stuck`).
        isolation: "process" runs the handler in a child process of the worker, which is killed at its timeout, when the
            job is cancelled, and when the lease is lost. If the process crashes, the attempt fails with
            `ProcessCrashed`. An import must find the handler.
        memory_limit: The most address space of that process in bytes, with all its libraries, from 1 MiB. An allocation
            beyond it raises MemoryError. macOS does not enforce it.
        meta: Text that each job carries; see `NewRecord`.
        payload_version: The version of the payload's type. Raise it when the type changes so that stored payloads no
            longer validate, and add an `upgrade_from` function for the old version. Each job stores its version, in
            `meta`.
        aliases: Former kinds, if you renamed it. A worker also runs their jobs.
        keep_result: How long the result of a completed job can be read; None is as long as its record is kept.
        unique_by: The fields of the payload that make the unique key of a job: jobs of the kind with equal values have
            the same key. "payload" is the whole payload. Applies to jobs that are enqueued without a `unique_key`.
        unique_until: How long a job with a unique key holds it; see `NewRecord`.
        on_conflict: The effect if another job holds the unique key; see `NewRecord`.
        debounce_max: The longest delay by `debounce`; see `NewRecord`.
        keep_completed: How long the records of completed jobs are kept. None is the runner's setting; `timedelta.max`
            keeps them forever. Each worker of the store should register the kind: others purge by their setting.
        keep_discarded: The same for discarded jobs.
        keep_cancelled: The same for cancelled jobs.
    """

    queue: str = "default"
    priority: int = 0
    max_attempts: int | None = None
    retry: RetryPolicy | None = None
    timeout: timedelta | None = None
    isolation: Isolation | None = None
    memory_limit: int | None = None
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = NO_META
    payload_version: int = 1
    aliases: tuple[str, ...] = ()
    keep_result: timedelta | None = None
    unique_by: UniqueBy = ()
    unique_until: UniqueUntil = "finished"
    on_conflict: OnConflict = "skip"
    debounce_max: timedelta | None = None
    keep_completed: timedelta | None = None
    keep_discarded: timedelta | None = None
    keep_cancelled: timedelta | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "queue", validation.name(self.queue, "queue"))
        validation.within(self.priority, *PRIORITIES, "priority")
        if self.max_attempts is not None:
            validation.within(self.max_attempts, *MAX_ATTEMPTS, "max_attempts")
        if self.retry is not None:
            check_policy(self.retry, "retry")
        if self.timeout is not None:
            validation.positive(self.timeout, "timeout")
        self._check_isolation()
        object.__setattr__(self, "tags", validation.names(self.tags, "tags"))
        object.__setattr__(self, "meta", self.meta if type(self.meta) is Meta else Meta(self.meta))
        validation.within(self.payload_version, 1, LATEST_VERSION, "payload_version")
        object.__setattr__(self, "aliases", validation.names(self.aliases, "aliases"))
        object.__setattr__(self, "unique_by", check_by(self.unique_by))
        unique_options.check_until(self.unique_until)
        unique_options.check_conflict(self.on_conflict, self.debounce_max)
        for name in ("keep_result", "keep_completed", "keep_discarded", "keep_cancelled"):
            if (keep := getattr(self, name)) is not None:
                validation.not_negative(keep, name)

    def _check_isolation(self) -> None:
        if self.isolation is not None and self.isolation not in get_args(Isolation):
            raise InvalidArgument(f'isolation is {safe_repr(self.isolation)}; it must be "process", or be left out')
        if self.memory_limit is not None:
            validation.within(self.memory_limit, *MEMORY_LIMITS, "memory_limit")
            if self.isolation is None:
                raise InvalidArgument(
                    'memory_limit needs isolation="process": only a process of its own can have a limit'
                )


_NOT_NONE = {
    "max_attempts": f"write a number from {MAX_ATTEMPTS[0]:,} to {MAX_ATTEMPTS[1]:,}",
    "retry": "write Never() for no further attempt",
    "timeout": "write timedelta.max for no limit",
}
"""What to write for an option whose None another library takes for "no limit" or "never"."""

DEFAULTS = Options()
OPTION_NAMES = tuple(Options.__dataclass_fields__)


def read_options(kind: str, given: dict[str, Any]) -> Options:
    """Return options from a decorator's keyword arguments.

    Raises:
        DefinitionError: an option does not exist, or its None could mean two things.
        InvalidArgument: an option has an invalid value.
    """
    for word in given:
        if word not in OPTION_NAMES:
            raise DefinitionError(f"{kind!r} has no option {word!r}: {unknown_option(word, OPTION_NAMES)}")
    check_none(kind, given)
    return Options(**given)


def check_none(kind: str, given: Mapping[str, Any]) -> None:
    """Reject an explicit None where it could mean "no limit" or "never" as well as the runner's setting.

    Raises:
        DefinitionError: such an option is None.
    """
    for name, instead in _NOT_NONE.items():
        if name in given and given[name] is None:
            raise DefinitionError(f"{name} of {kind!r} is None; leave it out for the runner's setting, or {instead}")


class OptionArgs(TypedDict, total=False):
    """The options of a kind as keyword arguments; see `Options`."""

    queue: str
    priority: int
    max_attempts: int
    retry: RetryPolicy
    timeout: timedelta
    isolation: Isolation | None
    memory_limit: int | None
    tags: tuple[str, ...]
    meta: Mapping[str, str]
    payload_version: int
    aliases: tuple[str, ...]
    keep_result: timedelta | None
    unique_by: UniqueBy
    unique_until: UniqueUntil
    on_conflict: OnConflict
    debounce_max: timedelta | None
    keep_completed: timedelta | None
    keep_discarded: timedelta | None
    keep_cancelled: timedelta | None
