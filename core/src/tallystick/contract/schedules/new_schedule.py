"""A schedule to store."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Literal

from ...errors import InvalidArgument
from ...messages.safe_repr import safe_repr
from .. import validation
from ..meta import NO_META, Meta
from ..records import MAX_ATTEMPTS, PRIORITIES
from .parsing import parse_rule
from .rule import SECOND
from .schedule import TAG, Schedule

Missed = Literal["skip", "last", "all"]
"""Which missed ticks fire later: none, the latest one, or each. See `due_ticks`."""

NAME_LENGTH = 200
"""The maximum length of a schedule's name, in characters. It leaves room for the prefix of the tag."""

LONGEST_WINDOW = timedelta(days=366)
"""The longest window of a schedule."""

_MISSED = ("skip", "last", "all")
_DECLARED_LENGTH = 64
_RULE_FIELDS = ("rule", "zone", "start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule to store. The constructor raises `InvalidArgument` for values that no backend accepts.

    Args:
        name: Identifies the schedule in its store. 1 to 200 printable characters.
        rule: A cron text such as `*/5 * * * *`, a nickname such as `@daily`, or `every 5 minutes`. At most 255
            characters.
        kind: The kind of the job that each tick inserts. payload, queue, priority, max_attempts, tags and meta belong
            to this job, too; see `NewRecord`. A tag may not begin with "schedule:".
        unique_key: A key that each of these jobs holds until it has finished. A tick whose key is held inserts no job,
            so the jobs of a schedule do not overlap.
        zone: The IANA time zone of a cron text. "every ..." counts elapsed time and has none.
        start: The rule does not fire earlier. "every ..." counts from here.
        end: The rule fires only before this time.
        missed: Which missed ticks fire later: none (`skip`), the latest one (`last`), or `all`.
        window: No tick fires later than this after its time. Longer than zero, at most 366 days.
        declared: A fingerprint of the declaration in code, of 1 to 64 printable characters. While it stays the same, a
            repeated put does not overwrite changes by hand.
        after: The schedule fires later than this. None uses this machine's clock.
        last_tick: The latest tick that fired in another store. A new schedule fires only later ticks.
        paused: Whether a new schedule is paused.
        created_at: When a new schedule was created in another store. None uses the time of the call.
    """

    name: str
    rule: str
    kind: str
    payload: bytes = b""
    queue: str = "default"
    priority: int = 0
    max_attempts: int = 20
    tags: tuple[str, ...] = ()
    meta: Mapping[str, str] = NO_META
    unique_key: str | None = None
    zone: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    missed: Missed = "last"
    window: timedelta = timedelta(days=1)
    declared: str | None = None
    after: datetime | None = field(default=None, compare=False)
    last_tick: datetime | None = field(default=None, compare=False)
    paused: bool = field(default=False, compare=False)
    created_at: datetime | None = field(default=None, compare=False)
    next_tick: datetime | None = field(init=False, compare=False)
    """The first tick. None if the schedule has ended."""

    def __post_init__(self) -> None:
        for name in ("name", "kind", "queue"):
            self._set(name, validation.name(getattr(self, name), name))
        _shorter(self.name, NAME_LENGTH, "the name of a schedule")
        for name in ("unique_key", "declared"):
            if (value := getattr(self, name)) is not None:
                self._set(name, validation.name(value, name))
        _shorter(self.declared or "", _DECLARED_LENGTH, "declared")
        if not isinstance(self.payload, bytes):
            raise InvalidArgument(f"payload is of type {type(self.payload).__name__}; it must be bytes")
        validation.within(self.priority, *PRIORITIES, "priority")
        validation.within(self.max_attempts, *MAX_ATTEMPTS, "max_attempts")
        self._set("tags", validation.names(self.tags, "tags"))
        if reserved := [tag for tag in self.tags if tag.startswith(TAG)]:
            raise InvalidArgument(f"tags has {safe_repr(reserved[0])}; the prefix {TAG!r} is reserved")
        self._set("meta", self.meta if isinstance(self.meta, Meta) else Meta(self.meta))
        self._check_missed()
        self._set_rule()
        self._check_state()

    def _check_missed(self) -> None:
        if not isinstance(self.missed, str) or self.missed not in _MISSED:
            raise InvalidArgument(f"missed is {safe_repr(self.missed)}; it must be 'skip', 'last' or 'all'")
        window = validation.positive(self.window, "window")
        if window > LONGEST_WINDOW:
            raise InvalidArgument(f"window is {safe_repr(window)}; it must be at most {LONGEST_WINDOW.days} days")
        self._set("window", -(-window // SECOND) * SECOND)  # rounded up

    def _set_rule(self) -> None:
        rule = parse_rule(self.rule, zone=self.zone, start=self.start, end=self.end)
        after = datetime.now(UTC) if self.after is None else validation.utc(self.after, "after")
        self._set("rule", str(rule))
        self._set("start", rule.start)
        self._set("end", rule.end)
        self._set("after", after)
        self._set("next_tick", rule.next_tick(after))

    def _check_state(self) -> None:
        for name in ("last_tick", "created_at"):
            if (value := getattr(self, name)) is not None:
                self._set(name, validation.utc(value, name))
        if not isinstance(self.paused, bool):
            raise InvalidArgument(f"paused is {safe_repr(self.paused)}; it must be True or False")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def stored(self, now: datetime) -> Schedule:
        """Return the schedule to store under a new name."""
        return self._as_stored(
            next_tick=self.next_tick,
            last_tick=self.last_tick,
            paused=self.paused,
            revision=1,
            created_at=now if self.created_at is None else self.created_at,
            updated_at=now,
        )

    def replacing(self, old: Schedule, now: datetime) -> Schedule:
        """Return the schedule to store in place of `old`, which has the same name: `old` itself if nothing changes."""
        same_declaration = self.declared is not None and self.declared == old.declared
        if same_declaration or all(getattr(self, name) == getattr(old, name) for name in _DEFINITION):
            return old
        same_rule = all(getattr(self, name) == getattr(old, name) for name in _RULE_FIELDS)
        return self._as_stored(
            next_tick=old.next_tick if same_rule else self.next_tick,
            last_tick=old.last_tick,
            paused=old.paused,
            revision=old.revision + 1,
            created_at=old.created_at,
            updated_at=now,
        )

    def _as_stored(self, **state: object) -> Schedule:
        definition = {name: getattr(self, name) for name in _DEFINITION}
        return Schedule(**definition, **state)  # type: ignore[arg-type]  # `_DEFINITION` has their names


_DEFINITION = tuple(field.name for field in fields(NewSchedule) if field.name in Schedule._fields and field.compare)


def _shorter(text: str, longest: int, what: str) -> None:
    if len(text) > longest:
        raise InvalidArgument(f"{what} is {safe_repr(text)}; it must be at most {longest} characters")
