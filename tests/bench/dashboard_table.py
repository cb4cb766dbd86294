"""The page of the documentation with the times of `dashboard.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

GOAL = 100
"""Milliseconds. A larger 95th percentile is printed in bold."""

_HEAD = """\
# Speed of the dashboard

This page lists how long the server works for each page of the [dashboard](dashboard.md) on a store of {records:,}
records: the median and the 95th percentile of {requests} requests in milliseconds (of ten, for requests of more than
1 s). It was measured on {date} on this machine: {machine}. A 95th percentile above {goal} ms is bold. Run
`nox -s bench_dashboard` to measure on your machine, which needs Linux.

The numbers are CPU time: of the dashboard (the check of the request, the reads of the store, HTML), and of the
PostgreSQL server, which ran on the same machine with `fsync` on. Elapsed time would depend on other programs. Waiting
for disk, network and browser is not included.

Every request of the first table reads the store anew, as for the first viewer in each interval of five seconds. Other
viewers in the interval share the numbers that it read: the second table has their times. The meters of the day before
are kept for five minutes.

The records are those of [Searches](searches.md). That page also explains `search=true`, which some filters need.
"""


def page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    stores: Mapping[str, Any] = results["stores"]
    names = list(dict.fromkeys(name for store in stores.values() for name in store["pages"]))
    versions = ", ".join(dict.fromkeys(store["version"] for store in stores.values()))
    head = _HEAD.format_map({**results, "goal": GOAL})
    return (
        f"{head}\nMeasured with {versions}.\n\n"
        f"## The first viewer in an interval\n\n{_table(stores, names, 0)}\n"
        f"## The other viewers in the interval\n\n{_table(stores, names, 1)}"
    )


def _table(stores: Mapping[str, Any], names: Sequence[str], which: int) -> str:
    lines = [
        f"| median / 95 % | {' | '.join(stores)} |",
        f"| --- |{' ---: |' * len(stores)}",
        *(f"| {name} | {' | '.join(_cell(store, name, which) for store in stores.values())} |" for name in names),
    ]
    return "\n".join(lines) + "\n"


def _cell(store: Mapping[str, Any], name: str, which: int) -> str:
    if name not in store["pages"]:
        return "-"
    middle, high = store["pages"][name][which]
    shown = _shown(high)
    return f"{_shown(middle)} / {f'**{shown}**' if high > GOAL else shown}"


def _shown(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
