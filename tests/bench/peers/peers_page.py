"""The page about the comparison with other libraries, and its charts."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from tallystick.bench.chart import Bar, Group, figure, svg
from tallystick.bench.machine import Machine, in_words

OURS = "Tallystick"

WORKS = {
    "enqueue_one": "enqueue one by one",
    "enqueue_batch": "in batches of 1,000",
    "drain_1": "drain, 1 process",
    "drain_2": "2 processes",
    "pick_up_p50": "pick-up p50, ms",
    "pick_up_p95": "p95, ms",
}
_CHARTED = {
    "drain_1": "drain with one process, jobs per second",
    "drain_2": "drain with two processes, jobs per second",
    "enqueue_batch": "enqueue in batches of 1,000, jobs per second",
    "enqueue_one": "enqueue one by one, jobs per second",
    "pick_up_p50": "pick-up latency, median in milliseconds (shorter is better)",
}

_HEAD = """\
# Peers

This page compares Tallystick with other libraries on the same machine. `nox -s bench_peers` measures it again. To
measure your own server, run [`tallystick bench`](operating.md#measure-your-store).

The figures are medians of {rounds} rounds, measured on {date} on this machine: {machine}.
The number in parentheses is Tallystick's figure divided by this one, the median over the rounds. Above 1, Tallystick
works more jobs per second. Below 1, its latency is shorter.
{warning}
- In each round, all systems do one work, and then the next. Each measurement begins with an empty database or file.
- A job does nothing, and its payload has about ten bytes.
- A drain has {jobs:,} jobs that were enqueued before, and fewer for slow systems. Each worker has loaded its
  modules before. A drain ends when no job waits or runs.
- Enqueue one by one has a tenth of these jobs.
- Pick-up is the time from an enqueue in one process to the handler in an idle worker, another process; {pings} jobs.
- PostgreSQL has `fsync` and `synchronous_commit` on, and runs on the same machine.
- Each library has an environment of its own, with the pinned versions in `tests/bench/peers/requirements`. Its settings
  are below the table. If you know faster ones, change its adapter in `tests/bench/peers/adapters`.
- The limits are bare loops. The first has the statements of Tallystick, and so its guarantees. The second only updates
  and deletes rows.

The libraries promise different things. Tallystick checks the attempt at each end, holds a lease for each job, and keeps
the records of finished jobs. PgQueuer deletes finished jobs and buffers their ends. Huey deletes a job before it runs.
[Comparison](comparison.md) lists the differences.
"""


_WARNING = """
**Other programs kept this machine busy during the measurement, as its load shows.** Each commit then waits for the disk
several times as long as on an idle machine. So these figures show only large differences. Measure again on an idle
machine before you rely on them.
"""


def page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    machine = results["machine"]
    head = _HEAD.format(**{**results, "machine": in_words(machine), "warning": warning(machine)})
    return "\n".join([head, *(_section(store, systems, results) for store, systems in _stores(results).items())])


def warning(machine: Machine) -> str:
    """Return a paragraph about other programs that used the machine; empty if it was idle."""
    return _WARNING if (machine["load"] or 0) > machine["cores"] / 2 else ""


def charts(results: Mapping[str, Any]) -> dict[str, str]:
    """Return the chart of each store as SVG, by the name of its file."""
    return {_file(store): _chart(store, systems) for store, systems in _stores(results).items()}


def _stores(results: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    stores: dict[str, list[Mapping[str, Any]]] = {}
    for system in results["systems"]:
        stores.setdefault(system["store"], []).append(system)
    return stores


def _section(store: str, systems: Sequence[Mapping[str, Any]], results: Mapping[str, Any]) -> str:
    title = f"{store} {results['versions'][store]}".strip()
    settings = "\n".join(f"- {_label(system)}: {system['settings']}{_share(system)}." for system in systems)
    chart = f"![Bar chart of the table below](images/{_file(store)})"
    return f"## {title[0].upper()}{title[1:]}\n\n{chart}\n\n{_table(systems)}\n\n{settings}\n"


def _table(systems: Sequence[Mapping[str, Any]]) -> str:
    works = [work for work in WORKS if any(work in system["rounds"] for system in systems)]
    rows = [["", *(WORKS[work] for work in works)], ["---", *("---:" for _ in works)]]
    ours: Mapping[str, Sequence[float]] = next((system["rounds"] for system in systems if system["name"] == OURS), {})
    for system in systems:
        rows.append([_label(system), *(_cell(work, system, ours) for work in works)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(work: str, system: Mapping[str, Any], ours: Mapping[str, Sequence[float]]) -> str:
    rounds = system["rounds"].get(work)
    if not rounds:
        return "-"
    if system["name"] == OURS or work not in ours:
        return figure(median(rounds))
    ratio = median(own / other for own, other in zip(ours[work], rounds, strict=True))
    return f"{figure(median(rounds))} ({figure(ratio)})"


def _label(system: Mapping[str, Any]) -> str:
    return f"{system['name']} {system['version']}".strip()


def _share(system: Mapping[str, Any]) -> str:
    return "" if system["share"] == 1 else f"; {system['share']:.0%} of the jobs"


def _chart(store: str, systems: Sequence[Mapping[str, Any]]) -> str:
    return svg(f"Tallystick and other libraries on {store}", list(_groups(systems)))


def _groups(systems: Sequence[Mapping[str, Any]]) -> Iterator[Group]:
    for work, title in _CHARTED.items():
        bars = [
            Bar(_label(system), median(system["rounds"][work]), system["name"] == OURS)
            for system in systems
            if work in system["rounds"] and not (system["name"].startswith("limit") and len(systems) <= 4)
        ]
        if bars:
            yield Group(title, bars)


def _file(store: str) -> str:
    return f"peers-{store.lower()}.svg"
