"""Keys of claims, and the order in which every statement locks rows."""

from collections.abc import Mapping
from operator import itemgetter
from typing import TypeVar

from tallystick import Claim

T = TypeVar("T")

Key = tuple[int, int]
"""The id and the attempt of a claim, as numbers, which hash and sort quickly."""


def key(claim: Claim) -> Key:
    """Return the key of a claim."""
    return claim.id.int, claim.attempt


def in_locking_order(items: Mapping[Key, T]) -> list[T]:
    """Sort items newest first: every statement locks rows in this order, so that no two deadlock."""
    return [item for _, item in sorted(items.items(), key=itemgetter(0), reverse=True)]
