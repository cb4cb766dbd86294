"""Deleting jobs in each state, and many jobs at once."""

from functools import partial
from typing import Any

from tallystick import Complete, Discard, Filter, Release, Retry

from ..harness.case import LEASE, NOW, Case, example
from .common import ERROR, LARGEST_LIMIT, insert_many


@example("DELETE-02")
def every_state_but_one_is_deleted(case: Case) -> None:
    """`delete` removes jobs in each state except running, with and without a unique key."""
    keys: tuple[dict[str, Any], ...] = ({}, {"unique_key": "key"}, {"unique_key": "kept", "unique_until": "purged"})
    for fields in keys:
        for end in (Complete, partial(Discard, error=ERROR), partial(Retry, run_at=LEASE, error=ERROR), Release):
            ended = case.running(**fields)
            case.backend.settle([end(ended.claim)], now=NOW)
            case.equal([ended.id], list(case.backend.delete(Filter(ids=[ended.id]), limit=1)))
        running = case.running(**fields)
        case.equal([], list(case.backend.delete(Filter(), limit=1)))
        case.backend.rescue(limit=1, now=NOW + LEASE)
        case.equal([running.id], list(case.backend.delete(Filter(), limit=1)))


@example("DELETE-02")
def many_are_deleted_at_once(case: Case) -> None:
    """A delete with a large limit removes every job that fits."""
    size = insert_many(case)
    case.equal(size, len(set(case.backend.delete(Filter(kinds=["k"]), limit=LARGEST_LIMIT))))
    case.equal(0, case.backend.stats(now=NOW).total)
