"""The pages of bulk actions: preview, confirmation and progress."""

from typing import Any

from starlette.responses import Response

from ..control import bulk
from ..control.actions import JobChanges
from ..control.bulk import BulkRequest
from ..control.queries import JobFilter
from ..http import grouped
from ..permissions import Permission
from .page import Page, first, page, read


@page
async def bulk_preview(p: Page) -> Response:
    """Show which jobs an action would change, and ask for a confirmation."""
    request = _request(dict_of(p.request.query_params.multi_items()))
    needs_changes = request.action == "update" and request.changes is None
    shown = None if needs_changes else await p.call(bulk.preview, p.plane, p.user, request)
    return p.render("bulk_preview.html", bulk=request, preview=shown, permission=Permission(request.action))


@page
async def bulk_start(p: Page) -> Response:
    """Start a bulk action, and show its progress."""
    progress = await p.call(p.site.bulk.start, p.user, _request(await p.form()))
    return p.redirect(f"/bulk/{progress.id}")


@page
async def bulk_progress(p: Page) -> Response:
    """Show the progress of a bulk action."""
    return p.render("bulk.html", progress=p.site.bulk.get(p.id))


@page
async def bulk_stop(p: Page) -> Response:
    """Stop a bulk action."""
    progress = p.site.bulk.stop(p.user, p.id)
    return p.redirect(f"/bulk/{progress.id}")


def dict_of(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the values of each name."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _request(form: dict[str, list[str]]) -> BulkRequest:
    pairs = [
        (name, value) for name, values in form.items() if name in JobFilter.model_fields for value in values if value
    ]
    values: dict[str, Any] = {"action": first(form, "action"), "filter": grouped(pairs, JobFilter)}
    changes = {name: first(form, f"new_{name}") for name in JobChanges.model_fields}
    if any(changes.values()):
        values["changes"] = read(JobChanges, changes)
    values["everything"] = bool(first(form, "everything"))
    return BulkRequest.model_validate(values)
