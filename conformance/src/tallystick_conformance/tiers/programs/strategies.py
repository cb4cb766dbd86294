"""Hypothesis strategies for generated programs.

No drawn value depends on the state of a store: a program names slots, anchors and lags, and `machine` resolves them at
run time. So Hypothesis can shrink a program, and it means the same on every backend.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from hypothesis import strategies as st
from tallystick import Filter, OnConflict, State, UniqueUntil
from tallystick.contract.records import MAX_ATTEMPTS, PRIORITIES

from ...contract.eligibility import FINAL

IDS = tuple(
    UUID(hex=f"{head}{'0' * 22}{tail}")
    for head in ("00000000", "01890000", "7fffffff", "80000000", "ff000000")
    for tail in ("01", "7f", "80")
)
"""Ids that differ in the first byte, in its highest bit, or in the last byte only."""

QUEUES = ("east", "north", "west")
KINDS = ("a", "b")
WORKERS = ("w1", "w2")


class Moment(NamedTuple):
    """A moment relative to an anchor: the current time, or a field of the n-th record that has it."""

    anchor: Literal["now", "run_at", "lease_until", "finished_at", "created_at"]
    slot: int
    ticks: int
    seconds: int


class Grip(NamedTuple):
    """A claim of the n-th running job or of the n-th id, `lag` attempts away from the current one."""

    slot: int
    running: bool
    lag: int


class Ending(NamedTuple):
    """An outcome for a grip."""

    grip: Grip
    by: Literal["complete", "retry", "discard", "release", "cancel"]
    at: Moment | timedelta | None
    text: str


class Step(NamedTuple):
    """A progress of a grip."""

    grip: Grip
    fraction: float | None
    message: str


class Policy(NamedTuple):
    """The options of a job for the case that another job holds its unique key."""

    on_conflict: OnConflict
    debounce_max: timedelta | None = None


_SKIP = Policy("skip")
_CHANGING = (Policy("replace"), Policy("debounce"), Policy("debounce", timedelta(seconds=10)))


class Draft(NamedTuple):
    """A job to insert."""

    slot: int
    kind: str
    queue: str
    payload: bytes
    priority: int
    max_attempts: int
    at: Moment | timedelta | None
    unique_key: str | None
    unique_until: UniqueUntil
    policy: Policy
    tags: tuple[str, ...]
    meta: Mapping[str, str]


class Whole(NamedTuple):
    """A record to restore. Its state follows from its place in the batch. If not `fresh`, its id may be stored."""

    draft: Draft
    fresh: bool
    attempt: int
    flag: bool
    created: Moment
    ended: Moment
    errors: int


class Change(NamedTuple):
    """New values for waiting jobs."""

    run_at: Moment | None
    priority: int | None
    queue: str | None


class Range(NamedTuple):
    """A range of `created_at` or `finished_at` for a filter. Either end may be open."""

    of: Literal["created", "finished"]
    since: Moment | None
    until: Moment | None


def _one_of(*strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw from one of these. Unlike `st.one_of`, a repeated strategy is drawn from more often."""
    return st.sampled_from(strategies).flatmap(lambda strategy: strategy)


slots = st.integers(0, len(IDS) - 1)
limits = st.sampled_from([2, 1, 3, 100])
leases = st.sampled_from([timedelta(seconds=30), timedelta(seconds=1), timedelta(hours=1), timedelta(days=3_650)])
delays = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=30), timedelta(days=400)])

clock_steps = st.builds(
    Moment, st.just("now"), st.just(0), st.sampled_from([0, 1]), st.sampled_from([0, 0, 1, 30, 86_400, -45, -3_600])
)


def _edges(anchor: str) -> st.SearchStrategy[Moment]:
    return st.builds(Moment, st.just(anchor), slots, st.sampled_from([0, -1, 1]), st.just(0))


moments = _one_of(clock_steps, clock_steps, _edges("run_at"), _edges("lease_until"), _edges("finished_at"))
due_moments = _one_of(clock_steps, _edges("run_at"))
lease_moments = _one_of(_edges("lease_until"), moments)
finish_moments = _one_of(_edges("finished_at"), moments)

changing_policies = st.sampled_from(_CHANGING)
drafts = st.builds(
    Draft,
    slot=slots,
    kind=st.sampled_from(KINDS),
    queue=st.sampled_from(QUEUES),
    payload=st.sampled_from([b"", b"{}", b"\x00\xff"]),
    priority=st.sampled_from([0, 0, 1, -1, *PRIORITIES]),
    max_attempts=st.sampled_from([1, 2, 20, MAX_ATTEMPTS[1]]),
    at=_one_of(st.none(), st.none(), st.none(), st.none(), moments, delays, delays),
    unique_key=st.sampled_from([None, None, "k", "l"]),
    unique_until=st.sampled_from(["finished", "purged", "started", timedelta(seconds=30)]),
    policy=st.sampled_from([_SKIP, _SKIP, *_CHANGING]),
    tags=st.sampled_from([(), (), ("red",), ("red", "blue")]),
    meta=st.sampled_from([{}, {}, {}, {"trace": "\x00\ud800", "b": ""}]),
)
batches = st.lists(drafts, min_size=1, max_size=5)
stocks = st.lists(drafts, min_size=1, max_size=8, unique_by=lambda draft: draft.slot)

wholes = st.lists(
    st.builds(
        Whole,
        drafts,
        st.sampled_from([True, True, True, False]),
        st.integers(1, 3),
        st.booleans(),
        clock_steps,
        clock_steps,
        st.sampled_from([0, 1, 2, 20]),
    ),
    min_size=2,
    max_size=6,
)
first_states = st.sampled_from(State)

grips = st.builds(Grip, slots, st.sampled_from([True] * 7 + [False]), st.sampled_from([0] * 8 + [-1, 1]))
endings = st.builds(
    Ending,
    grips,
    st.sampled_from(["complete", "retry", "discard", "release", "cancel"]),
    _one_of(delays, delays, moments, st.none()),
    st.sampled_from(["", "x", "done"]),
)
steps = st.builds(Step, grips, st.sampled_from([None, 0.0, 0.1, 1.0]), st.sampled_from(["", "page 1"]))

_ids = st.lists(slots, min_size=1, max_size=8).map(lambda drawn: [IDS[slot] for slot in drawn])
_states = st.lists(st.sampled_from(State), min_size=1, max_size=3)
_kinds = st.lists(st.sampled_from(KINDS), min_size=1, max_size=2)
_queues = st.lists(st.sampled_from(QUEUES), min_size=1, max_size=2)
_tags = st.lists(st.sampled_from(["red", "blue", "none"]), min_size=1, max_size=2)


def _some_of(*names: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2)


_nothing: st.SearchStrategy[list[Any] | None] = st.none() | st.builds(list)
filters = _one_of(
    st.just(Filter()),
    st.just(Filter()),
    st.builds(Filter, ids=_ids),
    st.builds(Filter, states=_states, kinds=st.none() | _kinds),
    st.builds(Filter, queues=_queues, tags=st.none() | _tags),
    st.builds(Filter, workers=_some_of("w1", "w2", "w3")),
    st.builds(Filter, unique_keys=_some_of("k", "l"), error_types=st.none() | _some_of("Error", "LeaseExpired")),
    st.builds(Filter, ids=_nothing, states=_nothing, kinds=_nothing, queues=_nothing, tags=_nothing | _tags),
)
wide_filters = _one_of(st.just(Filter()), filters)
queue_lists = _one_of(st.just(list(QUEUES)), st.just(list(QUEUES)), st.lists(st.sampled_from(QUEUES), max_size=4))
final_states = _one_of(st.just(sorted(FINAL)), st.lists(st.sampled_from(sorted(FINAL)), max_size=3))


_ends = st.none() | finish_moments | _edges("created_at")
ranges = st.none() | st.builds(Range, st.sampled_from(["created", "finished"]), _ends, _ends)
orders = st.sampled_from(["finished_at", "run_at", "id"])
purged_kinds: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {}, {"kinds": ["a"]}, {"kinds": ["b", "c"], "except_kinds": ["c"]}, {"except_kinds": ["a"]}, {"kinds": []}]
)


_priorities, _queue = st.sampled_from([0, 1, -1]), st.sampled_from(QUEUES)
changes = _one_of(
    st.builds(Change, due_moments, st.none(), st.none()),
    st.builds(Change, st.none(), _priorities, st.none()),
    st.builds(Change, st.none(), st.none(), _queue),
    st.builds(Change, due_moments, _priorities, _queue),
)


class Chore(NamedTuple):
    """A call about a schedule, a worker or a meter. The machine resolves the slot, the lag and the moments."""

    on: Literal["put", "advance", "remove", "beat", "meter"]
    slot: int
    lag: int
    ticks: int
    variant: int
    at: Moment


chores = st.builds(
    Chore,
    on=st.sampled_from(["put", "advance", "advance", "advance", "remove", "beat", "meter"]),
    slot=st.integers(0, 2),
    lag=st.sampled_from([0, 0, 0, 0, 1, -1]),
    ticks=st.integers(0, 3),
    variant=st.integers(0, 7),
    at=clock_steps,
)
"""What a program does with the registers, in a few calls at a time."""
