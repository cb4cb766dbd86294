"""Measure the pages of the dashboard on stores with a million records: median and 95th percentile of the CPU time.

The time is that of this process and of a PostgreSQL server on this machine, so other programs hardly change it. It is
read from `/proc`, hence on Linux only.

`python tests/bench/dashboard.py [--records 1000000] [--requests 60] [--filled] [--write] [URL ...]`
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from time import process_time
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from bench import dashboard_table, million
from bench import search_records as data
from bench.search import version
from starlette.types import ASGIApp, Message
from tallystick import Backend, Filter, State, open_backend
from tallystick_dashboard import DashboardSettings
from tallystick_dashboard.app import of_site
from tallystick_dashboard.site import Site

RESULTS = Path(__file__).parents[2] / "docs" / "dashboard_speed.json"
SLOW = 1.0
"""After a request this slow, in seconds, ten requests are enough."""

_TICK = 1 / os.sysconf("SC_CLK_TCK")

HTML = {"accept": "text/html", "sec-fetch-site": "same-origin", "host": "127.0.0.1"}
JSON = {**HTML, "accept": "application/json"}


class Visit(NamedTuple):
    """A page to measure, by its name."""

    name: str
    path: str
    headers: dict[str, str] = HTML
    day: bool = False
    """Whether the meters of the day, which are kept for five minutes, are read again, too."""


def visits(backend: Backend) -> list[Visit]:
    """Return the pages to measure."""
    [newest] = backend.list(Filter(), limit=1)
    [failed] = backend.list(Filter(states=[State.DISCARDED]), limit=1)
    middle = data.end().timestamp() - data.DAYS / 2 * 86_400
    deep = f"/jobs?after={UUID(int=int(middle * 1_000) << 80)}"
    options = {
        "state completed": "state=completed",
        "state pending": "state=pending",
        "state discarded": "state=discarded",
        "queue": f"queue={data.QUEUES[1]}",
        "kind, common": f"kind={data.KINDS[0]}",
        "kind, rare": f"kind={data.RARE_KINDS[0]}",
        "kind, unknown": "kind=unknown",
        "tag": f"tag={data.TAGS[0]}",
        "tag, rare": f"tag={data.RARE_TAG}",
        "error type, common": f"error_type={data.ERROR_TYPES[0]}",
        "error type, rare": f"error_type={data.ERROR_TYPES[-1]}",
        "error text, some": "error_text=shard+42+",
        "worker": f"worker={data.WORKERS[3]}",
        "unique key": "unique_key=key-507",
        "created in the last day": "created_since=24h",
        "finished in the last week": "finished_since=7d",
        "discarded, queue and kind": f"state=discarded&queue={data.QUEUES[0]}&kind={data.KINDS[0]}",
        "by latest end": "order=finished_at",
        "by next due": "order=run_at&state=pending",
    }
    jobs = [Visit(f"jobs: {name}", f"/jobs?{query}") for name, query in options.items()]
    return [
        Visit("overview", "/"),
        Visit("overview, once in five minutes", "/", day=True),
        Visit("jobs", "/jobs"),
        Visit("jobs: a page in the middle", deep),
        *jobs,
        Visit("one job", f"/jobs/{newest.id}"),
        Visit("one discarded job", f"/jobs/{failed.id}"),
        Visit("failures of 24 hours", "/failures?window=24h"),
        Visit("failures of 7 days", "/failures?window=7d"),
        Visit("schedules", "/schedules"),
        Visit("queues", "/queues"),
        Visit("workers", "/workers"),
        Visit("enqueue", "/enqueue"),
        Visit("audit log", "/audit"),
        Visit("preview: retry all discarded", "/bulk?action=requeue&state=discarded"),
        Visit("preview: delete a kind", f"/bulk?action=delete&kind={data.KINDS[0]}"),
        Visit("JSON: `/jobs`", "/jobs", JSON),
        Visit("JSON: `/api/overview`", "/api/overview", JSON),
        Visit("JSON: `/api/throughput`, 24 hours", "/api/throughput?window=24h&step=10m", JSON),
        Visit("`/metrics`", "/metrics", JSON),
        Visit("`/healthz`", "/healthz", JSON),
    ]


class Clock:
    """Reads the CPU time of this process and of the database server, in seconds."""

    def __init__(self, url: str) -> None:
        self._server = None if url.startswith("sqlite") else _server_of(url)

    def __call__(self) -> float:
        """Return the time that was spent so far."""
        return process_time() + (0.0 if self._server is None else _spent(self._server))


def _server_of(url: str) -> int:
    with psycopg.connect(url) as connection:  # whose process ends with it
        return int(_stat(connection.info.backend_pid)[1])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _spent(server: int) -> float:
    """Return the CPU time of the server's processes: of those that run, and of those that have ended."""
    ended = sum(map(int, _stat(server)[13:15])) * _TICK
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    running = 0
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):
            running += int(Path(f"/proc/{child}/schedstat").read_text().split()[0])
    return ended + running / 1e9


async def measured(site: Site, page: Visit, clock: Clock, requests: int, *, shared: bool) -> list[float]:
    """Return the milliseconds of some requests, after one more. Unless shared, each of them reads everything anew."""
    taken: list[float] = []
    app = of_site(site)
    for n in range(requests + 1):
        if not shared:
            site.plane.shared.forget()
            if page.day:
                site.plane.forget_day()
        began = clock()
        status = await get(app, page)
        taken.append(clock() - began)
        assert status == 200, page.path
        if taken[-1] > SLOW and n >= 10:
            break
    return [1_000 * each for each in taken[1:]]


async def get(app: ASGIApp, page: Visit) -> int:
    """Send a request to the application, and return the status of the response."""
    path, _, query = page.path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in page.headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"])


def spread(taken: list[float]) -> list[float]:
    """Return the median and the 95th percentile."""
    return [round(median(taken), 1), round(quantiles(taken, n=20, method="inclusive")[-1], 1)]


async def measure(url: str, requests: int) -> dict[str, Any]:
    """Return the times of one store: of requests that read everything, and of those that share what was read."""
    with open_backend(url) as backend:
        clock = Clock(url)
        site = Site.of(backend, DashboardSettings(interval=3_600, timeout=600))
        pages = {}
        for page in visits(backend):
            if "error_text" in page.path and not backend.capabilities.error_text:
                continue
            fresh = spread(await measured(site, page, clock, requests, shared=False))
            pages[page.name] = [fresh, spread(await measured(site, page, clock, requests, shared=True))]
            print(page.name, pages[page.name], flush=True)
        return {"version": version(url), "pages": pages}


def main() -> None:
    """Fill the stores, measure, and print tables."""
    million.run(
        __doc__,
        lambda url, requests: asyncio.run(measure(url, requests)),
        dashboard_table.page,
        RESULTS,
        requests=60,
    )


if __name__ == "__main__":
    main()
