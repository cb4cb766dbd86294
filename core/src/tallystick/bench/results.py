"""The results of a benchmark, and their form as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from .._version import __version__
from ..hooks.plugins import installed
from .machine import Machine
from .session import Sizes


@dataclass(frozen=True)
class Result:
    """The figures of one work, one for each round.

    Args:
        name: Describes the work.
        unit: `jobs/s` or `ms`.
        rounds: The figure of each round.
        limit: The name of the result that limits this one.
    """

    name: str
    unit: str
    rounds: tuple[float, ...]
    limit: str | None = None

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return median(self.rounds)

    def share_of(self, limit: "Result") -> float:
        """Return the median of the ratios of each round. A slow round slows both, and so does not change its ratio."""
        return median(own / other for own, other in zip(self.rounds, limit.rounds, strict=True))


@dataclass(frozen=True)
class Results:
    """All results of a benchmark, and what they depend on."""

    backend: str
    distribution: str
    sizes: Sizes
    rounds: int
    machine: Machine
    date: datetime
    results: Sequence[Result]

    @classmethod
    def of(cls, url: str, results: Sequence[Result], *, sizes: Sizes, rounds: int, machine: Machine) -> "Results":
        """Return the results with a description of the store. The URL itself is not part of it."""
        scheme = urlsplit(url).scheme
        [offer] = [offer for offer in installed().offers if offer.scheme == scheme]
        distribution = f"{offer.distribution} {offer.version}"
        return cls(scheme, distribution, sizes, rounds, machine, datetime.now(UTC), results)

    def share(self, result: Result) -> float | None:
        """Return the share of its limit that a result reaches, or None if it has no limit."""
        limits = {other.name: other for other in self.results}
        return result.share_of(limits[result.limit]) if result.limit else None

    def document(self) -> dict[str, Any]:
        """Return the form as JSON."""
        return {
            "tallystick": __version__,
            "backend": self.backend,
            "distribution": self.distribution,
            "date": self.date.isoformat(timespec="seconds"),
            "machine": self.machine,
            "jobs": self.sizes.jobs,
            "depth": self.sizes.depth,
            "rounds": self.rounds,
            "results": [
                {
                    "name": result.name,
                    "unit": result.unit,
                    "median": _round(result.median),
                    "lowest": _round(min(result.rounds)),
                    "highest": _round(max(result.rounds)),
                    "rounds": [_round(figure) for figure in result.rounds],
                    "limit": result.limit,
                    "share_of_limit": _round(self.share(result)),
                }
                for result in self.results
            ],
        }


def _round(figure: float | None) -> float | None:
    return None if figure is None else float(f"{figure:.4g}")
