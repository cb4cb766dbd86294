"""The page on which a person enqueues a job: a form from the type of the payload."""

from typing import Any

from starlette.responses import Response
from tallystick import TallystickError

from ..control import actions, status
from ..control.actions import NewJob
from ..problems import as_rejection
from ..rejections import Rejection
from .forms import PREFIX, fields_of, payload_from, payload_of
from .page import Page, first, page, read

_OPTIONS = ("queue", "priority", "max_attempts", "run_at", "unique_key")


@page
async def show_enqueue(p: Page) -> Response:
    """Show the kinds, or the form of one kind."""
    return _form(p, p.request.query_params.get("kind", ""), {})


def _form(p: Page, kind: str, form: dict[str, list[str]], error: Rejection | None = None) -> Response:
    kinds = {each.kind: each for each in status.definitions(p.plane)}
    chosen = kinds.get(kind)
    fields = None if chosen is None else fields_of(chosen.payload_schema)
    values = {name.removeprefix(PREFIX): texts[0] for name, texts in form.items()}
    code = 200 if error is None else 422
    return p.render("enqueue.html", code, kinds=kinds, chosen=chosen, fields=fields, values=values, error=error)


@page
async def enqueue(p: Page) -> Response:
    """Enqueue the job, and show it. An invalid form is shown again with its values."""
    form = await p.form()
    kind = first(form, "kind")
    try:
        stored = await p.call(actions.enqueue, p.plane, p.user, _job(p, kind, form))
    except (TallystickError, ValueError, Rejection) as exc:
        rejection = as_rejection(exc)
        if rejection is None or rejection.status != 422:
            raise
        return _form(p, kind, form, rejection)
    return p.redirect(f"/jobs/{stored.id}", done="enqueue" if stored.created else "duplicate")


def _job(p: Page, kind: str, form: dict[str, list[str]]) -> NewJob:
    fields = fields_of(p.plane.payload_schema(kind))
    payload = payload_of(first(form, "payload")) if fields is None else payload_from(fields, form)
    values: dict[str, Any] = {name: first(form, name) for name in _OPTIONS}
    tags = [tag.strip() for tag in first(form, "tags").split(",") if tag.strip()]
    return read(NewJob, {**values, "kind": kind, "payload": payload, "tags": tags})
