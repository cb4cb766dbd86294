"""What goes into a store and what comes out of it: immutable values, no behaviour.

`Record` and the smaller answers are named tuples, since a busy worker makes some hundred thousand of them a second and
a frozen dataclass of this width takes six times as long to make.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from traceback import format_exception, format_tb
from typing import ClassVar, Literal, NamedTuple, Self
from uuid import UUID

from uuid_utils.compat import uuid7

from . import validation
from .errors import InvalidArgument
from .interrupts import from_signal
from .safe_repr import safe_repr, safe_str, type_name
from .state import State

PRIORITIES = (-(2**15), 2**15 - 1)
"""The lowest and the highest priority; higher is claimed first."""

MAX_ATTEMPTS = (1, 1_000_000)
"""The fewest and the most attempts that a new job may be given."""

_LONGEST_CHAIN = 100  # the most causes that a traceback shows

UniqueUntil = Literal["finished", "purged"]
"""How long a unique key is held: while the job lives, or as long as its record is kept."""


class Claim(NamedTuple):
    """The right to end one attempt of one job. No two attempts of a job ever have the same claim."""

    id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, as text. Any text is kept as it is, NUL and lone surrogates included."""

    type: str
    message: str
    traceback: str = ""

    MESSAGE_LENGTH: ClassVar = 4_000
    """The most characters that `of` keeps of a message."""
    TRACEBACK_LENGTH: ClassVar = 32_000
    """The most characters that `of` keeps of a traceback."""

    def __post_init__(self) -> None:
        for name in ("type", "message", "traceback"):
            if not isinstance(value := getattr(self, name), str):
                raise InvalidArgument(f"{name} of a Failure is {validation.shown(value)}; it must be a string")

    @classmethod
    def of(cls, exc: BaseException) -> Self:
        """Describe an exception; of a long message the head is kept, of a long traceback the tail."""
        return cls(
            type=type_name(exc),
            message=safe_str(exc)[: cls.MESSAGE_LENGTH],
            traceback=_traceback(exc)[-cls.TRACEBACK_LENGTH :],
        )

    def to_json(self) -> str:
        """Write as ASCII JSON, which every store keeps exactly and a person can read."""
        return json.dumps({"type": self.type, "message": self.message, "traceback": self.traceback})

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote; anything else becomes a failure of type `Unreadable` with that text."""
        try:
            written = json.loads(text)
            if written.keys() == {"type", "message", "traceback"} and all(
                type(part) is str for part in written.values()
            ):
                return cls(**written)
        except (ValueError, TypeError, AttributeError, RecursionError):
            pass
        if isinstance(text, bytes):
            text = text.decode(errors="backslashreplace")
        return cls("Unreadable", text if isinstance(text, str) else safe_repr(text))


def _traceback(exc: BaseException) -> str:
    """Format a traceback; where the exception's own code raises or its causes are too many, the frames alone."""
    try:
        if _is_short_chain(exc):
            return "".join(format_exception(exc))
    except BaseException as broken:  # it calls the exception's __str__, __getattr__ and __notes__
        if from_signal(broken):
            raise
    try:
        return "".join(format_tb(BaseException.__getattribute__(exc, "__traceback__")))
    except BaseException as broken:  # it reads source lines by the module's own loader
        if from_signal(broken):
            raise
        return ""


def _is_short_chain(exc: BaseException) -> bool:
    link: BaseException | None = exc
    for _ in range(_LONGEST_CHAIN):
        if link is None:
            return True
        link = link.__cause__ or link.__context__
    return False


LEASE_EXPIRED = Failure("LeaseExpired", "the worker stopped extending its lease: it was killed, cut off or frozen")
"""What `rescue` records as the error of the attempt that it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecord:
    """A job to insert. It refuses at once what no backend would keep.

    Args:
        kind: Which handler works it; 1 to 255 printable characters, as are queue, unique_key and each tag.
        payload: Opaque bytes, kept exactly.
        id: Made here, so that an insert whose answer was lost can be repeated.
        priority: From -32768 to 32767; higher is claimed first.
        max_attempts: From 1 to 1,000,000.
        run_at: When it is due: an aware datetime, or a delay from the insert's now; None is at once.
        unique_key: At most one job that holds this key is in the store at a time.
        unique_until: Whether the key is held until the job has `finished`, or until its record is `purged` or deleted.
        tags: Distinct labels for finding it; kept in their order.
    """

    kind: str
    payload: bytes = b""
    queue: str = "default"
    id: UUID = field(default_factory=uuid7)
    priority: int = 0
    max_attempts: int = 20
    run_at: datetime | timedelta | None = None
    unique_key: str | None = None
    unique_until: UniqueUntil = "finished"
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._set_name("kind", self.kind)
        self._set_name("queue", self.queue)
        validation.within(self.priority, *PRIORITIES, "priority")
        validation.within(self.max_attempts, *MAX_ATTEMPTS, "max_attempts")
        if not isinstance(self.payload, bytes):
            raise InvalidArgument(f"payload is of type {type(self.payload).__name__}; it must be bytes")
        if not isinstance(self.id, UUID):
            raise InvalidArgument(f"id is {validation.shown(self.id)}; it must be a uuid.UUID")
        validation.due(self.run_at)
        if self.unique_key is not None:
            self._set_name("unique_key", self.unique_key)
        if not isinstance(self.unique_until, str) or self.unique_until not in ("finished", "purged"):
            raise InvalidArgument(
                f"unique_until is {validation.shown(self.unique_until)}; it must be 'finished' or 'purged'"
            )
        if type(self.tags) is not tuple or self.tags:
            object.__setattr__(self, "tags", validation.names(self.tags, "tags"))

    def _set_name(self, field: str, value: str) -> None:
        if (name := validation.name(value, field)) is not value:
            object.__setattr__(self, field, name)

    def stored(self, now: datetime, run_at: datetime | None = None) -> "Record":
        """Return the record that this becomes when it is inserted: pending, due at `run_at`, else as it says itself."""
        return Record(
            id=self.id,
            kind=self.kind,
            queue=self.queue,
            payload=self.payload,
            priority=self.priority,
            state=State.PENDING,
            attempt=0,
            max_attempts=self.max_attempts,
            run_at=validation.moment(self.run_at, now) if run_at is None else run_at,
            created_at=now,
            updated_at=now,
            attempted_at=None,
            finished_at=None,
            lease_until=None,
            worker=None,
            cancel_requested=False,
            unique_key=self.unique_key,
            unique_until=self.unique_until,
            last_error=None,
            result=None,
            tags=self.tags,
        )


class Record(NamedTuple):
    """A job as it is stored. Datetimes are aware UTC.

    `attempt` counts the claims so far and never falls. `worker` and `attempted_at` tell of the latest attempt,
    `last_error` of the latest that failed. `lease_until` is set while running, `finished_at` once final.
    """

    id: UUID
    kind: str
    queue: str
    payload: bytes
    priority: int
    state: State
    attempt: int
    max_attempts: int
    run_at: datetime
    created_at: datetime
    updated_at: datetime
    attempted_at: datetime | None
    finished_at: datetime | None
    lease_until: datetime | None
    worker: str | None
    cancel_requested: bool
    unique_key: str | None
    unique_until: UniqueUntil
    last_error: Failure | None
    result: bytes | None
    tags: tuple[str, ...]

    @property
    def claim(self) -> Claim:
        """The claim of the current attempt."""
        return Claim(self.id, self.attempt)


class Inserted(NamedTuple):
    """The answer for one record of an insert: what was stored, or, where not `created`, the duplicate that it met."""

    record: Record
    created: bool


class Hold(StrEnum):
    """What `extend` answers for a claim."""

    HELD = "held"
    CANCEL_REQUESTED = "cancel_requested"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which records: those that fit every field given. None fits all; an empty collection fits none."""

    ids: Sequence[UUID] | None = None
    states: Sequence[State] | None = None
    kinds: Sequence[str] | None = None
    queues: Sequence[str] | None = None
    tags: Sequence[str] | None = None
    """At least one of these."""

    def __post_init__(self) -> None:
        if self.ids is not None:
            self._set("ids", tuple(map(_id, validation.collection(self.ids, "ids", "ids"))))
        if self.states is not None:
            self._set("states", tuple(map(_state, validation.collection(self.states, "states", "states"))))
        for name in ("kinds", "queues", "tags"):
            if (values := getattr(self, name)) is not None:
                self._set(name, validation.names(values, name))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def fits(self, record: Record) -> bool:
        """Say whether a record is one of those."""
        return (
            (self.ids is None or record.id in self.ids)
            and (self.states is None or record.state in self.states)
            and (self.kinds is None or record.kind in self.kinds)
            and (self.queues is None or record.queue in self.queues)
            and (self.tags is None or not set(self.tags).isdisjoint(record.tags))
        )


def _id(value: UUID) -> UUID:
    if not isinstance(value, UUID):
        raise InvalidArgument(f"ids has {validation.shown(value)}; it must be a uuid.UUID")
    return value


def _state(value: State) -> State:
    try:
        return State(value)
    except ValueError:
        raise InvalidArgument(f"states has {validation.shown(value)}; the states are: {', '.join(State)}") from None


class Queue(NamedTuple):
    """A queue: known from its first insert or pause, and from then on."""

    name: str
    paused: bool


class QueueStats(NamedTuple):
    """One queue in numbers. `due` counts what could be claimed were it not paused; `oldest_due` is its least run_at."""

    total: int
    due: int
    oldest_due: datetime | None
    paused: bool


class Stats(NamedTuple):
    """The store in numbers: every state and every known queue has its entry, also at zero; a kind only with records."""

    total: int
    by_state: Mapping[State, int]
    by_kind: Mapping[str, int]
    by_queue: Mapping[str, QueueStats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do beyond the core of the contract. The kit tests each yes, and probes each no.

    Args:
        durable: What was acknowledged survives the death of every process. Without it, calls may be forgotten, but each
            as a whole.
        multi_process: Several processes can open the same store. Without it, another one is refused, or has a store of
            its own, and does no harm.
        notify: `wait` returns soon after another client's insert. Without it, at its timeout at the latest.
        transactions: `insert` and `settle` can take part in the caller's own transaction.
        time_precision: Stored times are exact to this; a due time is rounded up to it, never down.
        max_payload_bytes: The most bytes of a payload, and of a result.
        max_batch: The most items of one call.
    """

    durable: bool
    multi_process: bool
    notify: bool
    transactions: bool
    time_precision: timedelta
    max_payload_bytes: int
    max_batch: int
