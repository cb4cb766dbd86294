"""The dashboard inside other frameworks, as the manual describes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient
from tallystick import Runner, State
from tallystick_dashboard import dashboard

from .application import discard, make_runner
from .conftest import BROWSER


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Runner]:
    """Return a runner on a file."""
    with make_runner(f"sqlite:///{tmp_path}/jobs.db") as runner:
        yield runner


def visit(client: Any, runner: Runner) -> None:
    """Read a page, take an action and load a script, below the mount."""
    id = discard(runner.backend)
    page = client.get("/tallystick/jobs", headers=BROWSER)
    assert page.status_code == 200
    assert f'href="/tallystick/jobs/{id}"' in page.text
    script = page.text.partition('<script nonce="')[2].partition('src="')[2].partition('"')[0]
    assert client.get(script, headers=BROWSER).status_code == 200
    sent = client.post(f"/tallystick/jobs/{id}/requeue", headers=BROWSER)
    assert sent.status_code == 303
    assert sent.headers["location"] == f"/tallystick/jobs/{id}?done=requeue"
    assert runner.get(id).state is State.PENDING
    forged = client.post(f"/tallystick/jobs/{id}/cancel", headers={**BROWSER, "sec-fetch-site": "cross-site"})
    assert forged.status_code == 403


def test_in_fastapi(store: Runner) -> None:
    """`app.mount` is all that it takes; the application's own routes stay."""
    from fastapi import FastAPI  # noqa: PLC0415

    app = FastAPI()
    app.mount("/tallystick", dashboard(store, allowed_hosts=("testserver",)))

    @app.get("/hello")
    def hello() -> str:
        return "Hello!"

    client = TestClient(app, client=("127.0.0.1", 1), follow_redirects=False)
    assert client.get("/hello").json() == "Hello!"
    visit(client, store)


def test_in_django(store: Runner) -> None:
    """The dashboard and Django's ASGI application share a router."""
    import django  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.core.asgi import get_asgi_application  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.routing import Mount  # noqa: PLC0415

    if not settings.configured:
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"], SECRET_KEY="test")
        django.setup()
    inner = dashboard(store, allowed_hosts=("testserver",))
    app = Starlette(routes=[Mount("/tallystick", inner), Mount("/", get_asgi_application())])
    client = TestClient(app, client=("127.0.0.1", 1), follow_redirects=False)
    assert client.get("/hello").status_code == 404  # by Django, which has no routes here
    visit(client, store)


urlpatterns: list[Any] = []
"""The routes of the Django project."""


def test_in_flask(store: Runner) -> None:
    """`a2wsgi` and werkzeug's dispatcher carry the dashboard in a WSGI application."""
    from a2wsgi import ASGIMiddleware  # noqa: PLC0415
    from flask import Flask  # noqa: PLC0415
    from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: PLC0415

    app = Flask(__name__)
    inner = ASGIMiddleware(dashboard(store, allowed_hosts=("testserver",)))
    wsgi = DispatcherMiddleware(app.wsgi_app, {"/tallystick": inner})

    def served(environ: dict[str, Any], start_response: Any) -> Any:
        """Add the port of the client, as servers do."""
        return wsgi({**environ, "REMOTE_PORT": "50000"}, start_response)

    transport = httpx.WSGITransport(app=served, remote_addr="127.0.0.1")
    with httpx.Client(transport=transport, base_url="http://testserver") as client:
        assert client.get("/hello").status_code == 404
        visit(client, store)
