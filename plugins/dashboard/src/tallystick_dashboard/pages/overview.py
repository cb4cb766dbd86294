"""The overview, and the pages of failures, queues, workers and the audit log."""

from starlette.responses import Response

from ..control import actions, failures, overview
from ..control.times import WINDOWS
from ..rejections import Rejection
from .page import Page, first, page

_BACK = {"overview": "/", "queues": "/queues"}


@page
async def show_overview(p: Page) -> Response:
    """Show whether all is well."""
    found = await p.call(overview.overview, p.plane)
    schedules = (await p.call(p.plane.snapshot)).schedules
    return p.render("overview.html", overview=found, schedules=schedules)


@page
async def show_failures(p: Page) -> Response:
    """Show the failures of a window in groups."""
    window = p.request.query_params.get("window", "24h")
    window = window if window in WINDOWS else "24h"
    found = await p.call(failures.grouped, p.plane, p.user, window)
    return p.render("failures.html", failures=found, windows=list(WINDOWS), filter_of=failures.filter_of)


@page
async def show_queues(p: Page) -> Response:
    """Show the queues."""
    found = await p.call(overview.overview, p.plane)
    return p.render("queues.html", queues=found.queues)


@page
async def show_workers(p: Page) -> Response:
    """Show the workers."""
    found = await p.call(overview.overview, p.plane)
    return p.render("workers.html", workers=found.workers)


@page
async def show_audit(p: Page) -> Response:
    """Show the latest actions."""
    return p.render("audit.html", entries=p.plane.audit.latest(), bulk=p.site.bulk.latest())


@page
async def queue_action(p: Page) -> Response:
    """Pause or resume a queue."""
    form, action = await p.form(), p.request.path_params["action"]
    if action not in ("pause", "resume"):
        raise Rejection(404, "there is no such action")
    await p.call(actions.set_paused, p.plane, p.user, first(form, "name"), paused=action == "pause")
    return p.redirect(_BACK.get(first(form, "back"), "/queues"), done=f"{action}_queue")
