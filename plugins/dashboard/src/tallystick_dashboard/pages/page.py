"""What the handlers of pages share: the form, calls of the store, templates and redirects."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..control.plane import ControlPlane
from ..http import LARGEST_BODY, error_response, limited_body
from ..permissions import User
from ..problems import as_rejection
from ..rejections import Rejection
from ..site import Site, site_of, user_of
from .render import error_page, prefers_html, render, url_for

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

_MOST_FIELDS = 2_000


class Page:
    """A request for a page."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.site: Site = site_of(request)
        self.plane: ControlPlane = self.site.plane

    @property
    def user(self) -> User:
        """The user."""
        return user_of(self.request)

    async def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call a function of the control plane in a thread."""
        return await self.site.call(lambda: function(*args, **kwargs))

    @property
    def id(self) -> UUID:
        """The id in the path. One that is not a UUID is not found."""
        try:
            return UUID(self.request.path_params["id"])
        except ValueError:
            raise Rejection(404, "nothing has this id: it is not a UUID") from None

    def render(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        return render(self.site, self.request, template, status, **values)

    def redirect(self, path: str, **query: Any) -> Response:
        """Send the browser to another page, after an action."""
        return RedirectResponse(url_for(self.request, path, query), 303)

    async def form(self) -> dict[str, list[str]]:
        """Return the fields of a form, with all values of each."""
        content_type = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in ("application/x-www-form-urlencoded", ""):
            raise Rejection(415, "send the form as application/x-www-form-urlencoded")
        body = await limited_body(self.request, LARGEST_BODY)
        fields: dict[str, list[str]] = {}
        try:
            for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS):
                fields.setdefault(name, []).append(value)
        except ValueError:
            raise Rejection(400, "the form cannot be read: it is no UTF-8, or has too many fields") from None
        return fields


def page(handler: Callable[[Page], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn a handler of a `Page` into an endpoint. Errors become pages."""

    async def serve(request: Request) -> Response:
        try:
            return await handler(Page(request))
        except Exception as exc:
            if (rejection := as_rejection(exc)) is None:
                raise
            if not prefers_html(request):
                return error_response(rejection)
            return error_page(site_of(request), request, rejection)

    return serve


def first(form: dict[str, list[str]], name: str, default: str = "") -> str:
    """Return the first value of a field."""
    return form.get(name, [default])[0]


def read(model: type[ModelT], values: dict[str, Any]) -> ModelT:
    """Return the fields of a form that are not empty, as a model."""
    return model.model_validate({name: value for name, value in values.items() if value not in ("", None)})
