"""The endpoints that read."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..control import bulk, failures, overview, schedules, status
from ..control import jobs as jobs_
from ..control import throughput as sampler
from ..control.counts import JobCount
from ..control.documents import JobDetails
from ..control.queries import JobFilter, JobQuery
from ..security.audit import AuditEntry
from .endpoint import Call
from .table import Table

table = Table()


class CountQuery(JobFilter):
    """Jobs to count."""

    at_most: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000


class WindowQuery(BaseModel):
    """A window of failures."""

    model_config = ConfigDict(extra="forbid")
    window: Literal["1h", "24h", "7d"] = "24h"


class ThroughputQuery(BaseModel):
    """A window, and the length of its steps."""

    model_config = ConfigDict(extra="forbid")
    window: Annotated[str, Field(max_length=8)] = "1h"
    step: Annotated[str, Field(max_length=8)] = "1m"


class RuleQuery(BaseModel):
    """A rule of a schedule."""

    model_config = ConfigDict(extra="forbid")
    rule: Annotated[str, Field(min_length=1, max_length=255)]
    zone: Annotated[str, Field(max_length=64)] = "UTC"


@table.get("/jobs")
def get_status(c: Call) -> status.Status:
    """Return the runner, its definitions, the counts and the recent jobs."""
    return status.status(c.plane, c.user)


@table.get("/api/overview")
def get_overview(c: Call) -> overview.Overview:
    """Return problems, queues, workers and throughput."""
    return overview.overview(c.plane)


@table.get("/api/jobs", JobQuery)
def list_jobs(c: Call) -> jobs_.JobPage:
    """Return a page of jobs."""
    return jobs_.page(c.plane, c.user, c.query)


@table.get("/api/jobs/count", CountQuery)
def count_jobs(c: Call) -> JobCount:
    """Count jobs."""
    return jobs_.count(c.plane, c.query, c.query.at_most)


@table.get("/api/jobs/{id}")
def get_job(c: Call) -> JobDetails:
    """Return everything about a job."""
    return jobs_.details(c.plane, c.user, c.known_id)


@table.get("/api/failures", WindowQuery)
def get_failures(c: Call) -> failures.Failures:
    """Return failures by error type and kind."""
    return failures.grouped(c.plane, c.user, c.query.window)


@table.get("/api/queues")
def get_queues(c: Call) -> list[overview.QueueDocument]:
    """Return the queues."""
    return overview.queues_of(c.plane.snapshot())


@table.get("/api/workers")
def get_workers(c: Call) -> list[overview.WorkerDocument]:
    """Return the workers."""
    return overview.workers_of(c.plane.snapshot())


@table.get("/api/schedules")
def get_schedules(c: Call) -> list[schedules.ScheduleDocument]:
    """Return the schedules."""
    return schedules.all_schedules(c.plane, c.user)


@table.get("/api/schedules/preview", RuleQuery)
def preview_rule(c: Call) -> schedules.RulePreview:
    """Return a rule in words, with its next ticks."""
    return schedules.preview(c.query.rule, c.query.zone)


@table.get("/api/definitions")
def get_definitions(c: Call) -> list[status.DefinitionDocument]:
    """Return the registered kinds."""
    return status.definitions(c.plane)


@table.get("/api/throughput", ThroughputQuery)
def get_throughput(c: Call) -> sampler.Throughput:
    """Return the attempts by queue, step by step."""
    return sampler.throughput(c.plane, c.query.window, c.query.step)


@table.get("/api/audit")
def get_audit(c: Call) -> list[AuditEntry]:
    """Return the latest actions."""
    return c.plane.audit.latest()


@table.get("/api/bulk")
def list_bulk(c: Call) -> list[bulk.Progress]:
    """Return the latest bulk actions."""
    return c.site.bulk.latest()


@table.get("/api/bulk/{id}")
def get_bulk(c: Call) -> bulk.Progress:
    """Return the progress of a bulk action."""
    return c.site.bulk.get(c.known_id)
