"""A dashboard on a real server with a live worker, and a real browser: `nox -s browser`."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from runpy import run_path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from tallystick import Runner, open_backend
from tallystick.hooks.plugins import installed
from tallystick_dashboard import DashboardSettings
from tallystick_dashboard.app import of_site
from tallystick_dashboard.server import BoundServer
from tallystick_dashboard.site import Site

from ..application import make_runner

PLUGIN = Path(__file__).parent.parent.parent

Serve = Callable[..., str]

PATIENCE = 1_000 * int(os.environ.get("TALLYSTICK_TEST_PATIENCE", "300"))
"""Milliseconds that a step may take."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Debian's chromium, or the one that TALLYSTICK_TEST_CHROMIUM names."""
    path = os.environ.get("TALLYSTICK_TEST_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("no chromium was found; install it, e.g. apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def is_fault(message: ConsoleMessage) -> bool:
    """Return whether a message in the console is an error of a page, and not a rejected request."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


@pytest.fixture
def page(chromium: Browser, serve: Serve) -> Iterator[Page]:
    """Open a page. An error in the console, such as a violation of the policy, fails the test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/Berlin")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if is_fault(message) else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture(params=["sqlite", "postgres"])
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Runner]:
    """Return a runner on a store that processes share."""
    if request.param == "sqlite":
        with make_runner(f"sqlite:///{tmp_path}/jobs.db") as runner:
            yield runner
        return
    server: str = request.getfixturevalue("postgres_url")
    url = installed().backend(server).namespaced(server, f"test_{uuid4().hex[:12]}")
    with make_runner(url) as runner:
        yield runner
    with open_backend(url) as backend:
        backend.teardown()


@pytest.fixture
def serve(live: Runner) -> Iterator[Serve]:
    """Return a function that serves a dashboard with some settings, and returns its URL."""
    servers: list[tuple[BoundServer, threading.Thread]] = []

    def start(**settings: Any) -> str:
        site = Site.of(live, DashboardSettings(**{"interval": 1, **settings}))
        server = BoundServer(of_site(site), "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        servers.append((server, thread))
        return server.url.rstrip("/")

    yield start
    for server, thread in servers:
        server.stop()
        thread.join()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the source of axe-core, at its pinned hash."""
    vendor = run_path(str(PLUGIN / "vendor.py"))
    pin = json.loads((PLUGIN / "tests" / "axe.json").read_text())
    with TemporaryDirectory() as folder:
        files: dict[str, bytes] = vendor["unpacked"]("axe-core", pin, Path(folder))
    [source] = files.values()
    return source.decode()
