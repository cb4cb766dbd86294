"""Take screenshots of every page in light, dark and phone width: `nox -s screenshots`.

`python plugins/dashboard/tests/browser/screenshots.py [FOLDER] [--only NAME] [--write]`
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from tallystick import Runner
from tallystick_dashboard import DashboardSettings
from tallystick_dashboard.app import of_site
from tallystick_dashboard.server import BoundServer
from tallystick_dashboard.site import Site

sys.path.insert(0, str(Path(__file__).parent))

from busy_store import Shop, filled  # type: ignore[import-not-found]  # in this folder

IMAGES = Path(__file__).parents[4] / "docs" / "images"
DOCUMENTED = {"overview": "dashboard", "job-retrying": "dashboard-job", "failures": "dashboard-failures"}
"""The light screenshots that the manual shows, with the names of their files."""

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light", "locale": "en-GB"},
    "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark", "locale": "en-GB"},
    "phone": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light", "locale": "de-DE"},
}


def paths(shop: Shop) -> dict[str, str]:
    """Return the pages, by the names of their files."""
    jobs = {f"job-{state}": f"/jobs/{id}" for state, id in shop.ids.items()}
    return {
        "overview-troubled": "/",
        "jobs": "/jobs",
        "jobs-filtered": "/jobs?state=discarded&queue=emails",
        "jobs-none": "/jobs?kind=unknown",
        **jobs,
        "failures": "/failures",
        "schedules": "/schedules",
        "schedule-edit": "/schedules/edit?name=report:daily",
        "schedule-new": "/schedules/edit",
        "queues": "/queues",
        "workers": "/workers",
        "enqueue": "/enqueue",
        "enqueue-form": "/enqueue?kind=card:charge",
        "audit": "/audit",
        "bulk-preview": "/bulk?action=requeue&state=discarded",
        "bulk-update": "/bulk?action=update&state=pending",
        "error": "/nothing",
    }


@contextmanager
def served(runner: Runner, **settings: Any) -> Iterator[str]:
    """Serve a dashboard during the block, and yield its URL."""
    server = BoundServer(of_site(Site.of(runner, DashboardSettings(interval=60, **settings))), "127.0.0.1", 0)
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield server.url.rstrip("/")
    finally:
        server.stop()
        thread.join()


def act(page: Page, base: str) -> None:
    """Take some actions, for the page of a bulk action and the audit log."""
    page.goto(f"{base}/queues")
    page.get_by_role("button", name="Resume").first.click()
    page.get_by_role("button", name="Pause").last.click()
    page.goto(f"{base}/bulk?action=requeue&state=discarded&kind=image:resize")
    page.locator(".confirm button").click()
    page.wait_for_url("**/bulk/*")


def take(browser: Browser, folder: Path, only: str | None) -> None:
    """Take all screenshots, or those whose names contain a text."""
    runner, shop = filled(healthy=False)
    healthy, _ = filled(healthy=True)
    with ExitStack() as stack:
        base = stack.enter_context(served(runner, name="Shop (staging)", colour="#2f6f5e"))
        well = stack.enter_context(served(healthy, name="Shop", colour="#2f6f5e"))
        empty = stack.enter_context(served(make_empty()))
        login = {"token": "0123456789abcdef-token", "name": "Shop (production)", "colour": "#8b1e3f"}
        locked = stack.enter_context(served(runner, **login))
        pages = {name: base + path for name, path in paths(shop).items()}
        pages |= {f"empty-{name}": f"{empty}/{name}".replace("/overview", "/") for name in EMPTY}
        pages |= {"overview": f"{well}/", "login": f"{locked}/"}
        for look, options in LOOKS.items():
            context = browser.new_context(timezone_id="Europe/Berlin", device_scale_factor=1, **options)
            page = context.new_page()
            if look == "light" and only is None:
                act(page, base)
            for name, url in pages.items():
                if only is None or only in name:
                    page.goto(url)
                    page.wait_for_load_state("networkidle")
                    page.screenshot(path=folder / f"{name}-{look}.png", full_page=name not in DOCUMENTED)
            if only is None or only in "help":
                page.goto(base)
                page.keyboard.press("?")
                page.screenshot(path=folder / f"help-{look}.png")
            context.close()
    runner.close()
    healthy.close()


EMPTY = ("overview", "jobs", "failures", "schedules", "queues", "workers", "enqueue", "audit")


def make_empty() -> Runner:
    """Return a runner without jobs."""
    return Runner("memory://empty")


def main() -> None:
    """Take the screenshots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screenshots"))
    parser.add_argument("--only", help="take the pages whose names contain this text")
    parser.add_argument("--write", action="store_true", help="renew the images of the manual")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    program = os.environ.get("TALLYSTICK_TEST_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        take(browser, options.folder, options.only)
        browser.close()
    if options.write:
        for name, image in DOCUMENTED.items():
            shutil.copy(options.folder / f"{name}-light.png", IMAGES / f"{image}.png")


if __name__ == "__main__":
    main()
