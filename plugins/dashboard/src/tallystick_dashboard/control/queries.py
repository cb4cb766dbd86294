"""The filter of jobs as a query: the fields of `Filter`, in the words of the command line."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from tallystick import Filter, State

from ..rejections import Rejection
from .times import parse_past

PAGE = 50
"""How many jobs a page shows."""

_MOST = 100  # values of one option
_LONGEST = 255

Name = Annotated[str, Field(min_length=1, max_length=_LONGEST)]
Names = Annotated[list[Name], Field(max_length=_MOST)]


def _check_time(value: str | None) -> str | None:
    if value:
        parse_past(value, datetime.now(UTC))
    return value or None


Time = Annotated[
    str | None,
    Field(default=None, max_length=64, description="ISO 8601, in UTC unless it has an offset; or an age, e.g. 2h."),
    AfterValidator(_check_time),
]


class JobFilter(BaseModel):
    """Selects jobs. Alternatives of one option are repeated; different options must all match."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[list[UUID], Field(max_length=1_000)] = []
    state: Annotated[list[State], Field(max_length=_MOST)] = []
    kind: Names = []
    queue: Names = []
    tag: Names = []
    worker: Names = []
    error_type: Names = []
    unique_key: Names = []
    error_text: Annotated[str | None, Field(default=None, max_length=_LONGEST)] = None
    created_since: Time = None
    created_until: Time = None
    finished_since: Time = None
    finished_until: Time = None

    @property
    def is_empty(self) -> bool:
        """Whether this filter matches all jobs."""
        return not any(getattr(self, name) for name in JobFilter.model_fields)

    def as_filter(self, now: datetime | None = None) -> Filter:
        """Return the filter of the contract.

        Raises:
            InvalidArgument: a value cannot be stored, so it matches no job.
        """
        now = datetime.now(UTC) if now is None else now
        return Filter(
            ids=self.id or None,
            states=self.state or None,
            kinds=self.kind or None,
            queues=self.queue or None,
            tags=self.tag or None,
            workers=self.worker or None,
            error_types=self.error_type or None,
            unique_keys=self.unique_key or None,
            error_text=self.error_text or None,
            created_since=_time(self.created_since, now),
            created_until=_time(self.created_until, now),
            finished_since=_time(self.finished_since, now),
            finished_until=_time(self.finished_until, now),
        )

    def fixed(self, now: datetime) -> "JobFilter":
        """Return the filter with absolute times that excludes later jobs, so that it means the same on each use."""
        times = {
            name: moment.isoformat()
            for name in ("created_since", "created_until", "finished_since", "finished_until")
            if (moment := _time(getattr(self, name), now)) is not None
        }
        if not self.id:
            times.setdefault("created_until", now.isoformat())
        return self.model_copy(update=times)

    def values(self) -> list[tuple[str, str]]:
        """Return the options that are set, one pair for each value."""
        pairs: list[tuple[str, str]] = []
        for name in JobFilter.model_fields:
            value = getattr(self, name)
            pairs += [(name, str(each)) for each in (value if isinstance(value, list) else [value] if value else [])]
        return pairs

    def query(self) -> str:
        """Return the filter as the query of a URL."""
        return urlencode(self.values())

    def text(self) -> str:
        """Return the filter for people and for the audit log."""
        return " ".join(f"{name}={value}" for name, value in self.values()) or "all jobs"


class JobQuery(JobFilter):
    """A page of the jobs that match a filter."""

    order: Literal["id", "finished_at", "run_at"] = "id"
    after: Annotated[str | None, Field(default=None, max_length=100, description="`next` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=500)] = PAGE

    def position(self) -> UUID | tuple[datetime, UUID] | None:
        """Return the position behind which the page begins."""
        if not self.after:
            return None
        moment, _, id = self.after.rpartition("~")
        try:
            position = (datetime.fromisoformat(moment), UUID(id)) if moment else UUID(id)
        except ValueError:
            position = None
        if position is None or (self.order == "id") == bool(moment):
            raise Rejection(422, "after is %(after)s; it must be `next` of the page before", after=repr(self.after))
        return position

    def only_filter(self) -> JobFilter:
        """Return the filter without the page."""
        return JobFilter(**{name: getattr(self, name) for name in JobFilter.model_fields})


def _time(text: str | None, now: datetime) -> datetime | None:
    return parse_past(text, now) if text else None
