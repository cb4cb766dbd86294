"""The ASGI application of the dashboard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp
from tallystick import Backend, Runner

from .api.routes import routes as api_routes
from .http import error_response
from .pages.render import error_page, prefers_html
from .pages.routes import routes as page_routes
from .rejections import Rejection
from .security.guard import Guard
from .settings import DashboardSettings
from .site import Site


def dashboard(
    source: Runner | Backend | str, settings: DashboardSettings | None = None, /, **arguments: Any
) -> ASGIApp:
    """Return the dashboard as an ASGI application, to serve or to mount in another one.

    Without authentication it serves this machine only. See `DashboardSettings` for the settings.

    Args:
        source: The application's runner, which also knows the registered jobs; or a backend, or the URL of a store.
        settings: The settings, in place of arguments.
        arguments: The settings as keyword arguments.

    Raises:
        ConfigurationError: a setting is invalid.
    """
    return of_site(Site.of(source, DashboardSettings(**arguments) if settings is None else settings))


def of_site(site: Site) -> ASGIApp:
    """Return the dashboard of prepared parts."""
    return _guarded(site, pages=site.settings.pages)


def control_plane(site: Site) -> ASGIApp:
    """Return the control plane alone, for an address of its own. It shares the parts of a dashboard."""
    return _guarded(site, pages=False)


def _guarded(site: Site, *, pages: bool) -> ASGIApp:
    handlers = {HTTPException: _http_error, Exception: _bug}
    shown = [*(page_routes() if pages else []), *api_routes(with_status=not pages)]
    app = Starlette(routes=shown, exception_handlers=handlers, lifespan=_lifespan)  # type: ignore[arg-type]  # by type
    app.state.site = site
    app.state.pages = pages
    return Guard(app, site.settings, site.authentication, lambda request, error: _rejected(site, request, error, pages))


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    yield
    site: Site = app.state.site
    if site.plane.owns_runner:
        site.plane.runner.close()


def _http_error(request: Request, exc: HTTPException) -> Response:
    return _rejected(request.app.state.site, request, _of_http_error(exc), request.app.state.pages)


def _of_http_error(exc: HTTPException) -> Rejection:
    headers = dict(exc.headers or {})
    match exc.status_code:
        case 404:
            return Rejection(404, "there is no such page", headers=headers)
        case 405:
            return Rejection(405, "this page does not accept this method", headers=headers)
        case status:
            return Rejection(status, detail=exc.detail, headers=headers)


def _bug(request: Request, exc: Exception) -> Response:
    rejection = Rejection(
        500, "the dashboard failed with %(error)s; its log has the traceback", error=type(exc).__name__
    )
    return _rejected(request.app.state.site, request, rejection, request.app.state.pages)


def _rejected(site: Site, request: Request, rejection: Rejection, pages: bool) -> Response:
    return error_page(site, request, rejection) if pages and prefers_html(request) else error_response(rejection)
