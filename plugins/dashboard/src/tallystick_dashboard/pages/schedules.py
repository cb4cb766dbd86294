"""The pages of schedules: list, edit, and their actions."""

from typing import Any

from starlette.responses import Response
from tallystick import InvalidArgument

from ..control import schedules, status
from ..control.schedules import ScheduleForm
from ..problems import as_rejection
from ..rejections import Rejection
from .forms import payload_of
from .page import Page, first, page, read
from .render import pretty


@page
async def show_schedules(p: Page) -> Response:
    """Show the schedules."""
    return p.render("schedules.html", schedules=await p.call(schedules.all_schedules, p.plane, p.user))


@page
async def edit_schedule(p: Page) -> Response:
    """Show the form of a new or a stored schedule."""
    name = p.request.query_params.get("name")
    stored = await p.call(schedules.one, p.plane, p.user, name) if name else None
    values: dict[str, Any] = {} if stored is None else stored.model_dump()
    values["payload"] = "{}" if stored is None else "" if stored.payload_error else pretty(stored.payload)
    return _form(p, values, is_new=stored is None)


def _form(p: Page, values: dict[str, Any], *, is_new: bool, error: Rejection | None = None) -> Response:
    kinds = status.definitions(p.plane)
    defaults = {"zone": "UTC", "queue": "default", "priority": 0, "max_attempts": 20, "missed": "last", "rule": ""}
    code = 200 if error is None else 422
    values = {**defaults, "name": "", "kind": "", "payload_error": None, **values}
    return p.render("schedule_form.html", code, values=values, is_new=is_new, kinds=kinds, error=error)


@page
async def save_schedule(p: Page) -> Response:
    """Store a schedule. An invalid form is shown again with its values."""
    form = await p.form()
    values: dict[str, Any] = {name: first(form, name) for name in ScheduleForm.model_fields}
    try:
        payload = payload_of(values["payload"])
        schedule = read(ScheduleForm, {**values, "payload": payload})
        await p.call(schedules.put, p.plane, p.user, schedule)
    except (InvalidArgument, ValueError, Rejection) as exc:
        rejection = as_rejection(exc)
        if rejection is None or rejection.status != 422:
            raise
        return _form(p, values, is_new=bool(first(form, "is_new")), error=rejection)
    return p.redirect("/schedules", done="save_schedule")


@page
async def schedule_action(p: Page) -> Response:
    """Pause, resume, run or remove a schedule."""
    form, action = await p.form(), p.request.path_params["action"]
    name = first(form, "name")
    match action:
        case "pause" | "resume":
            await p.call(schedules.set_paused, p.plane, p.user, name, paused=action == "pause")
        case "run":
            stored = await p.call(schedules.run_now, p.plane, p.user, name)
            return p.redirect(f"/jobs/{stored.id}", done="run_schedule")
        case "remove":
            await p.call(schedules.remove, p.plane, p.user, name)
        case _:
            raise Rejection(404, "there is no such action")
    return p.redirect("/schedules", done=f"{action}_schedule")


@page
async def preview_rule(p: Page) -> Response:
    """Show a rule in words with its next ticks, while it is typed."""
    rule, zone = (p.request.query_params.get(name, "") for name in ("rule", "zone"))
    try:
        shown, error = await p.call(schedules.preview, rule, zone), None
    except InvalidArgument as exc:
        shown, error = None, Rejection(422, "invalid rule", detail=str(exc))
    return p.render("rule_preview.html", preview=shown, error=error if rule else None)
