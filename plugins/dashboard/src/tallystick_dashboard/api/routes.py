"""The routes of the control plane: the API, its document, health and metrics."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..control.metrics import CONTENT_TYPE, render
from ..http import error_response, json_response
from ..problems import as_rejection
from ..site import site_of
from .changing import table as changing
from .endpoint import Endpoint
from .openapi import document
from .reading import table as reading

ENDPOINTS: tuple[Endpoint, ...] = (*reading.endpoints, *changing.endpoints)


async def openapi(request: Request) -> Response:
    """Serve the OpenAPI document."""
    return json_response(document(ENDPOINTS, request.scope.get("root_path", "")))


async def health(request: Request) -> Response:
    """Serve 200 if the store responds, and 503 otherwise. It shows nothing else, because it needs no login."""
    site = site_of(request)
    try:
        await site.call(site.plane.snapshot)
    except Exception as exc:
        if as_rejection(exc) is None:
            raise
        return json_response({"status": "unavailable"}, 503)
    return json_response({"status": "ok"})


async def metrics(request: Request) -> Response:
    """Serve the metrics."""
    site = site_of(request)
    try:
        text = await site.call(lambda: render(site.plane, site.counters))
    except Exception as exc:
        if (rejection := as_rejection(exc)) is None:
            raise
        return error_response(rejection)
    return PlainTextResponse(text, media_type=CONTENT_TYPE)


def routes(*, with_status: bool) -> list[Route]:
    """Return the routes. The pages have their own route for `/jobs`, which serves the status to programs."""
    shown = [endpoint for endpoint in ENDPOINTS if with_status or endpoint.path != "/jobs"]
    return [
        *(_route(endpoint) for endpoint in shown),
        Route("/api/openapi.json", openapi),
        Route("/healthz", health),
        Route("/metrics", metrics),
    ]


def _route(endpoint: Endpoint) -> Route:
    return Route(endpoint.path, endpoint.handle, methods=[endpoint.method], name=f"api:{endpoint.name}")
