"""The pages of jobs: the list, one job, and its actions."""

from time import monotonic
from uuid import UUID

from starlette.responses import Response
from tallystick import TRANSITIONS, State

from ..control import actions, jobs, status
from ..control.actions import JobChanges, Rerun
from ..control.queries import JobQuery
from ..http import grouped, json_response
from ..permissions import Permission
from ..rejections import Rejection
from .forms import payload_of
from .page import Page, first, page, read
from .render import prefers_html
from .timeline import timeline

SLOW = 0.2
"""A search that takes longer, in seconds, is explained if an optional index would make it fast."""

_ACTIONS = (Permission.REQUEUE, Permission.CANCEL, Permission.DELETE)


@page
async def job_list(p: Page) -> Response:
    """Show a page of jobs. Programs get the status as JSON."""
    if not prefers_html(p.request):
        document = await p.call(status.status, p.plane, p.user)
        return json_response(document.model_dump(mode="json"))
    query = read_query(p)
    began = monotonic()
    found = await p.call(jobs.page, p.plane, p.user, query)
    counts = await p.call(jobs.by_state, p.plane, query, found)
    took = monotonic() - began
    snapshot = await p.call(p.plane.snapshot)
    return p.render(
        "jobs.html",
        query=query,
        filter=query.only_filter(),
        jobs=found.jobs,
        next=found.next,
        counts=counts,
        queues=list(snapshot.queues),
        kinds=sorted({*snapshot.kinds, *p.plane.runner.definitions}),
        has_error_text=p.plane.backend.capabilities.error_text,
        took=took if took > SLOW and (query.kind or query.queue or query.worker) else None,
    )


def read_query(p: Page) -> JobQuery:
    """Return the query of the page. Options of other pages are left out, and a search is sorted into its option."""
    pairs = [pair for pair in p.request.query_params.multi_items() if pair[1] and pair[0] in JobQuery.model_fields]
    return JobQuery.model_validate(grouped(pairs, JobQuery))


@page
async def search(p: Page) -> Response:
    """Send the browser to the job with an id, or to the jobs with a word: `kind:`, `queue:`, `tag:` or a kind."""
    text = p.request.query_params.get("q", "").strip()
    try:
        return p.redirect(f"/jobs/{UUID(text)}")
    except ValueError:
        pass
    name, colon, value = text.partition(":")
    options = {"queue", "kind", "tag", "worker", "state", "error_type", "unique_key", "error_text"}
    if colon and name in options and value:
        return p.redirect("/jobs", **{name: value})
    snapshot = await p.call(p.plane.snapshot)
    if text in snapshot.queues:
        return p.redirect("/jobs", queue=text)
    is_kind = text in snapshot.kinds or text in p.plane.runner.definitions
    if text and not is_kind and p.plane.backend.capabilities.error_text:
        return p.redirect("/jobs", error_text=text)
    return p.redirect("/jobs", kind=text)


@page
async def job(p: Page) -> Response:
    """Show one job."""
    id = p.id
    record = await p.call(jobs.details, p.plane, p.user, id)
    possible = {action: record.state in TRANSITIONS.sources(action) for action in (*_ACTIONS, Permission.UPDATE)}
    if record.state is State.RUNNING and record.cancel_requested:
        possible[Permission.CANCEL] = False
    return p.render("job.html", job=record, possible=possible, timeline=timeline(record))


@page
async def job_action(p: Page) -> Response:
    """Take an action on one job, and show it again."""
    id, name = p.id, p.request.path_params["action"]
    if name not in _ACTIONS:
        raise Rejection(404, "there is no such action")
    changed = await p.call(actions.change_jobs, p.plane, p.user, Permission(name), [id])
    done = name if changed else f"not_{name}"
    return p.redirect("/jobs" if name == "delete" and changed else f"/jobs/{id}", done=done)


@page
async def job_update(p: Page) -> Response:
    """Change run_at, priority or queue of a job."""
    id, form = p.id, await p.form()
    changes = read(JobChanges, {name: first(form, name) for name in JobChanges.model_fields})
    changed = await p.call(actions.change_jobs, p.plane, p.user, Permission.UPDATE, [id], changes)
    return p.redirect(f"/jobs/{id}", done="update" if changed else "not_update")


@page
async def job_rerun(p: Page) -> Response:
    """Run a job again as a new job, and show the new one."""
    id, form = p.id, await p.form()
    how = Rerun() if "payload" not in form else Rerun(same_payload=False, payload=payload_of(first(form, "payload")))
    stored = await p.call(actions.rerun, p.plane, p.user, id, how)
    return p.redirect(f"/jobs/{stored.id}", done="rerun")
