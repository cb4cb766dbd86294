"""The endpoints that change something. The functions that they call check permissions and write the audit log."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ..control import actions, bulk, schedules
from ..control.actions import Enqueued, JobChanges, NewJob, Rerun
from ..control.queries import Name
from ..permissions import Permission
from .endpoint import Call
from .table import Table

table = Table()


class Changed(BaseModel):
    """The ids of the jobs that changed. A job that is missing here was in another state."""

    changed: list[str]


class QueueName(BaseModel):
    """The name of a queue."""

    name: Name


class ScheduleName(BaseModel):
    """The name of a schedule."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class Done(BaseModel):
    """The action was carried out."""

    done: Literal[True] = True


@table.post("/api/jobs", Permission.ENQUEUE, NewJob)
def enqueue_job(c: Call) -> Enqueued:
    """Enqueue a job of a registered kind."""
    return actions.enqueue(c.plane, c.user, c.body)


def _add_change(action: Permission, summary: str, body: type[BaseModel] | None = None) -> None:
    def call(c: Call) -> Changed:
        actions.find(c.plane, c.known_id)
        return Changed(changed=list(map(str, actions.change_jobs(c.plane, c.user, action, [c.known_id], c.body))))

    call.__name__, call.__doc__ = f"{action}_job", summary
    add: Callable[[Callable[[Call], Changed]], object] = table.post(f"/api/jobs/{{id}}/{action}", action, body)
    add(call)


_add_change(Permission.REQUEUE, "Run a job again now.")
_add_change(Permission.CANCEL, "Cancel a waiting job, or ask a running one to stop.")
_add_change(Permission.DELETE, "Delete the record of a job that is not running.")
_add_change(Permission.UPDATE, "Change run_at, priority or queue of a waiting job.", JobChanges)


@table.post("/api/jobs/{id}/rerun", Permission.ENQUEUE, Rerun)
def rerun_job(c: Call) -> Enqueued:
    """Run a job again as a new job."""
    return actions.rerun(c.plane, c.user, c.known_id, c.body)


@table.post("/api/bulk/preview", None, bulk.BulkRequest)
def preview_bulk(c: Call) -> bulk.Preview:
    """Count the jobs that a bulk action would change."""
    return bulk.preview(c.plane, c.user, c.body)


@table.post("/api/bulk", Permission.REQUEUE, bulk.BulkRequest)
def start_bulk(c: Call) -> bulk.Progress:
    """Change all jobs that match a filter. Needs the permission of the action."""
    return c.site.bulk.start(c.user, c.body)


@table.post("/api/bulk/{id}/stop", Permission.REQUEUE)
def stop_bulk(c: Call) -> bulk.Progress:
    """Stop a bulk action after its current batch."""
    return c.site.bulk.stop(c.user, c.known_id)


@table.post("/api/queues/pause", Permission.QUEUES, QueueName)
def pause_queue(c: Call) -> Done:
    """Pause a queue."""
    actions.set_paused(c.plane, c.user, c.body.name, paused=True)
    return Done()


@table.post("/api/queues/resume", Permission.QUEUES, QueueName)
def resume_queue(c: Call) -> Done:
    """Resume a queue."""
    actions.set_paused(c.plane, c.user, c.body.name, paused=False)
    return Done()


@table.post("/api/schedules", Permission.SCHEDULES, schedules.ScheduleForm)
def put_schedule(c: Call) -> schedules.ScheduleDocument:
    """Add or edit a schedule."""
    return schedules.put(c.plane, c.user, c.body)


@table.post("/api/schedules/pause", Permission.SCHEDULES, ScheduleName)
def pause_schedule(c: Call) -> schedules.ScheduleDocument:
    """Pause a schedule."""
    return schedules.set_paused(c.plane, c.user, c.body.name, paused=True)


@table.post("/api/schedules/resume", Permission.SCHEDULES, ScheduleName)
def resume_schedule(c: Call) -> schedules.ScheduleDocument:
    """Resume a schedule with its next tick after now."""
    return schedules.set_paused(c.plane, c.user, c.body.name, paused=False)


@table.post("/api/schedules/run", Permission.SCHEDULES, ScheduleName)
def run_schedule(c: Call) -> Enqueued:
    """Enqueue a job of a schedule now."""
    return schedules.run_now(c.plane, c.user, c.body.name)


@table.post("/api/schedules/remove", Permission.SCHEDULES, ScheduleName)
def remove_schedule(c: Call) -> Done:
    """Remove a schedule. Its jobs stay."""
    schedules.remove(c.plane, c.user, c.body.name)
    return Done()
