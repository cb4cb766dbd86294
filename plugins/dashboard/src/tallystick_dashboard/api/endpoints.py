"""The endpoints of the API. The pages show and do the same by the same functions."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..control import actions, bulk, failures, jobs, overview, schedules, status
from ..control import throughput as sampler
from ..control.actions import Enqueued, JobChanges, NewJob, Rerun
from ..control.queries import JobFilter, JobQuery, Name
from ..permissions import Permission
from ..security.audit import AuditEntry
from .endpoint import Call, Endpoint


class Changed(BaseModel):
    """The ids of the jobs that changed. A job that is missing here was in another state, or does not exist."""

    changed: list[str]


class QueueName(BaseModel):
    """The name of a queue."""

    name: Name


class ScheduleName(BaseModel):
    """The name of a schedule."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


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


class Done(BaseModel):
    """The action was carried out."""

    done: Literal[True] = True


def _change(action: Permission) -> Any:
    def call(c: Call) -> Changed:
        assert c.id is not None
        actions.find(c.plane, c.id)
        changed = actions.change_jobs(c.plane, c.user, action, [c.id], c.body)
        return Changed(changed=list(map(str, changed)))

    return call


def _pause(c: Call) -> Done:
    actions.set_paused(c.plane, c.user, c.body.name, paused=True)
    return Done()


def _resume(c: Call) -> Done:
    actions.set_paused(c.plane, c.user, c.body.name, paused=False)
    return Done()


def _remove_schedule(c: Call) -> Done:
    schedules.remove(c.plane, c.user, c.body.name)
    return Done()


def _count(c: Call) -> jobs.JobCount:
    filter = JobFilter(**{name: getattr(c.query, name) for name in JobFilter.model_fields})
    return jobs.count(c.plane, filter, c.query.at_most)


def _id(c: Call) -> Any:
    assert c.id is not None
    return c.id


def _get(path: str, name: str, summary: str, call: Any, returns: Any, query: type[BaseModel] | None = None) -> Endpoint:
    return Endpoint(method="GET", path=path, name=name, summary=summary, call=call, returns=returns, query=query)


def _post(
    path: str, name: str, summary: str, call: Any, returns: Any, permission: Permission, body: type[BaseModel] | None
) -> Endpoint:
    return Endpoint(
        method="POST",
        path=path,
        name=name,
        summary=summary,
        call=call,
        returns=returns,
        permission=permission,
        body=body,
    )


P = Permission

READING = (
    _get("/jobs", "status", "Runner, definitions, counts and recent jobs.", lambda c: status.status(c.plane, c.user), status.Status),
    _get("/api/overview", "overview", "Problems, queues, workers and throughput.", lambda c: overview.overview(c.plane), overview.Overview),
    _get("/api/jobs", "list_jobs", "A page of jobs.", lambda c: jobs.page(c.plane, c.user, c.query), jobs.JobPage, JobQuery),
    _get("/api/jobs/count", "count_jobs", "The number of jobs.", _count, jobs.JobCount, CountQuery),
    _get("/api/jobs/{id}", "get_job", "Everything about a job.", lambda c: jobs.details(c.plane, c.user, _id(c)), jobs.JobDetails),
    _get("/api/failures", "failures", "Failures by error type and kind.", lambda c: failures.grouped(c.plane, c.user, c.query.window), failures.Failures, WindowQuery),
    _get("/api/queues", "queues", "The queues.", lambda c: overview.queues_of(c.plane.snapshots.get()), list[overview.QueueDocument]),
    _get("/api/workers", "workers", "The workers.", lambda c: overview.workers_of(c.plane.snapshots.get()), list[overview.WorkerDocument]),
    _get("/api/schedules", "schedules", "The schedules.", lambda c: schedules.all_schedules(c.plane, c.user), list[schedules.ScheduleDocument]),
    _get("/api/schedules/preview", "preview_rule", "A rule in words, with its next ticks.", lambda c: schedules.preview(c.query.rule, c.query.zone), schedules.RulePreview, RuleQuery),
    _get("/api/definitions", "definitions", "The registered kinds.", lambda c: status.definitions(c.plane), list[status.DefinitionDocument]),
    _get("/api/throughput", "throughput", "Attempts by queue, step by step.", lambda c: sampler.throughput(c.plane, c.query.window, c.query.step), sampler.Throughput, ThroughputQuery),
    _get("/api/audit", "audit", "The latest actions.", lambda c: c.plane.audit.latest(), list[AuditEntry]),
    _get("/api/bulk", "bulk_actions", "The latest bulk actions.", lambda c: c.site.bulk.latest(), list[bulk.Progress]),
    _get("/api/bulk/{id}", "bulk_action", "The progress of a bulk action.", lambda c: c.site.bulk.get(_id(c)), bulk.Progress),
)  # fmt: skip

CHANGING = (
    _post("/api/jobs", "enqueue", "Enqueue a job of a registered kind.", lambda c: actions.enqueue(c.plane, c.user, c.body), Enqueued, P.ENQUEUE, NewJob),
    _post("/api/jobs/{id}/requeue", "requeue_job", "Run a job again now.", _change(P.REQUEUE), Changed, P.REQUEUE, None),
    _post("/api/jobs/{id}/cancel", "cancel_job", "Cancel a job, or ask a running one to stop.", _change(P.CANCEL), Changed, P.CANCEL, None),
    _post("/api/jobs/{id}/delete", "delete_job", "Delete the record of a job that is not running.", _change(P.DELETE), Changed, P.DELETE, None),
    _post("/api/jobs/{id}/update", "update_job", "Change run_at, priority or queue of a waiting job.", _change(P.UPDATE), Changed, P.UPDATE, JobChanges),
    _post("/api/jobs/{id}/rerun", "rerun_job", "Run a job again as a new job.", lambda c: actions.rerun(c.plane, c.user, _id(c), c.body), Enqueued, P.ENQUEUE, Rerun),
    _post("/api/bulk/preview", "preview_bulk", "Count the jobs that a bulk action would change.", lambda c: bulk.preview(c.plane, c.user, c.body), bulk.Preview, P.REQUEUE, bulk.BulkRequest),
    _post("/api/bulk", "start_bulk", "Change all jobs that match a filter.", lambda c: c.site.bulk.start(c.user, c.body), bulk.Progress, P.REQUEUE, bulk.BulkRequest),
    _post("/api/bulk/{id}/stop", "stop_bulk", "Stop a bulk action after its current batch.", lambda c: c.site.bulk.stop(c.user, _id(c)), bulk.Progress, P.REQUEUE, None),
    _post("/api/queues/pause", "pause_queue", "Pause a queue.", _pause, Done, P.QUEUES, QueueName),
    _post("/api/queues/resume", "resume_queue", "Resume a queue.", _resume, Done, P.QUEUES, QueueName),
    _post("/api/schedules", "put_schedule", "Add or edit a schedule.", lambda c: schedules.put(c.plane, c.user, c.body), schedules.ScheduleDocument, P.SCHEDULES, schedules.ScheduleForm),
    _post("/api/schedules/pause", "pause_schedule", "Pause a schedule.", lambda c: schedules.set_paused(c.plane, c.user, c.body.name, paused=True), schedules.ScheduleDocument, P.SCHEDULES, ScheduleName),
    _post("/api/schedules/resume", "resume_schedule", "Resume a schedule.", lambda c: schedules.set_paused(c.plane, c.user, c.body.name, paused=False), schedules.ScheduleDocument, P.SCHEDULES, ScheduleName),
    _post("/api/schedules/run", "run_schedule", "Enqueue a job of a schedule now.", lambda c: schedules.run_now(c.plane, c.user, c.body.name), Enqueued, P.SCHEDULES, ScheduleName),
    _post("/api/schedules/remove", "remove_schedule", "Remove a schedule. Its jobs stay.", _remove_schedule, Done, P.SCHEDULES, ScheduleName),
)  # fmt: skip

ENDPOINTS: tuple[Endpoint, ...] = (*READING, *CHANGING)
