"""The share of the planned work that was run: a busy machine or a slow store may not have time for all of it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

FLOOR = 0.5
"""The minimum share of each kind of work. Below it, a run proves nothing about its backend."""


class Share(NamedTuple):
    """How many of the planned programs, schedules or rounds were run."""

    what: str
    tried: int
    planned: int

    @property
    def is_enough(self) -> bool:
        """Whether the share reaches the minimum."""
        return self.tried >= FLOOR * self.planned

    @property
    def percent(self) -> int:
        """The share, rounded down."""
        return 100 * self.tried // self.planned if self.planned else 100


def totals(shares: Iterable[Share]) -> list[Share]:
    """Add up the shares of each kind of work."""
    sums: dict[str, Share] = {}
    for what, tried, planned in shares:
        before = sums.get(what, Share(what, 0, 0))
        sums[what] = Share(what, before.tried + tried, before.planned + planned)
    return list(sums.values())


def incomplete(shares: Iterable[Share]) -> str:
    """Name the kinds of work below the minimum; empty if there is none."""
    missing = ", ".join(_written(share for share in totals(shares) if not share.is_enough))
    return missing and f"incomplete: {missing} tried"


def thinned(shares: Iterable[Share]) -> str:
    """Name the kinds of work that were not run in full; empty if there is none."""
    missing = ", ".join(_written(share for share in totals(shares) if share.tried < share.planned))
    return missing and f"{missing} tried"


def _written(shares: Iterable[Share]) -> Iterator[str]:
    return (f"{share.percent} % of the {share.what}" for share in shares)
