"""Counts of jobs that stop early, so that their cost does not grow with the store."""

from pydantic import BaseModel, Field
from tallystick import Backend, Filter

MOST_COUNTED = 1_000
"""Counts stop here: a page shows 1,000+."""


class JobCount(BaseModel):
    """The number of matching jobs."""

    count: int
    complete: bool = Field(description="Whether all matching jobs were counted; otherwise there are more.")

    def plus(self, other: "JobCount") -> "JobCount":
        """Return the sum."""
        return JobCount(count=self.count + other.count, complete=self.complete and other.complete)


NONE = JobCount(count=0, complete=True)


def count(backend: Backend, filter: Filter, at_most: int = MOST_COUNTED) -> JobCount:
    """Count the jobs that match a filter, up to `at_most`."""
    found = backend.count(filter, at_most=at_most + 1)
    return JobCount(count=min(found, at_most), complete=found <= at_most)
