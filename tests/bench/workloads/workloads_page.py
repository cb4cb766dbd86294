"""The page about the workloads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from bench.peers.peers_page import warning
from tallystick.bench.chart import figure
from tallystick.bench.machine import in_words

Entry = Mapping[str, Any]
"""A workload as `docs/workloads.json` has it."""

COMPUTED = 0.15
"""The share of the jobs that compute."""

PHASES = {"enqueue_one": "enqueue one by one", "enqueue_batch": "enqueue in batches of 1,000", "drain": "drain"}
"""The phases whose costs are counted."""

COUNTERS = {"wal_bytes": "WAL bytes", "commits": "commits", "statements": "statements"}
"""The counters of costs."""

TIMES = {"client_us": "client, µs", "server_us": "server, µs"}
"""The CPU times of costs."""

_CPU = {"cpu_us": "client, µs", "server_cpu_us": "server, µs"}

_HEAD = """\
# Workloads

This page measures workloads that differ from jobs that do nothing, each beside its base. `nox -s bench_workloads`
measures it again, on Linux. [Peers](peers.md) compares no-op jobs with other libraries, and
[`tallystick bench`](operating.md#measure-your-store) measures your store.

- In each round, all workloads take turns. The figures are medians of the rounds.
- The ratio is the median of the ratios of each round. A ratio that misses its target is bold.
- Each measurement begins with an empty store. PostgreSQL is on the same machine, with `fsync` and
  `synchronous_commit` on. SQLite is a file with the default options.
- A drain works jobs that were enqueued before. It ends when no job waits or runs.
- A worker has the default settings (10 threads, batches of 1,000) if the text says nothing else.
- Microseconds are the CPU time for one job: of all client processes (workers, or the one that enqueues), and of the
  database server. SQLite works in the process of the client. CPU time varies less than the rate on a busy machine.
- `cores` is how many cores both use together. Python runs one thread of a process at a time, so a client process uses
  at most one core.
"""

_SHAPES = """\
## Shapes of jobs

One worker drains {jobs:,} jobs, which do nothing. Beside plain jobs, the same number of other jobs:

- Payloads of 4 KB have random text, which the database cannot compress well. Plain ones have about ten bytes.
- The worker serves all of the 50 queues, which have equally many jobs.
- The jobs of the 10 priorities arrived in turn.
- Half of the jobs fail at their first attempt, and are retried without delay. So there are 1.5 attempts a job. The rate
  counts jobs. The worker formats its log, which has a traceback for each failure.
- The bare loop calls handlers without a queue. Half of the calls fail once. The standard library formats each failure,
  for a record and for the log. So it shows what failures cost in Python.
"""

_WORKERS = """\
## Two workers

One or two worker processes drain {jobs:,} plain jobs. Two of them can be faster only while cores are left: for the
workers, and for the database server.
"""

_ASYNC = """\
## Async handlers

One worker with `concurrency=200` drains {jobs:,} jobs, whose async handlers sleep 10 ms. The base is an event loop
without jobs, which does the same sleeps, 200 at a time.
"""

_COMPUTE = """\
## Handlers that compute

Two worker processes drain {computing:,} jobs, whose sync handlers do 5 ms of arithmetic. The base is two processes
without jobs, which do the same arithmetic in one thread each. Two others do it in ten threads each, as many as a worker
has for handlers. What they lose is the cost of passing on the interpreter's lock.
"""

_THREADS = """\
## Enqueue in threads

One process enqueues jobs one by one: {single:,} in one thread, or as many in each of 8 threads. The threads can share a
commit. While they wait for it, none of them can make its next call. Then Python runs one of them at a time. So a job
takes the client's CPU time, and its share of a commit.
"""

_IDLE = """\
## Idle workers

The share of a core that one worker process takes while no job comes, for 20 seconds. Beside it, a process whose only
thread wakes as often as the threads of a worker on SQLite together, and does nothing.
"""

_MEMORY = """\
## Memory of a worker

The resident memory of one worker process, while it runs jobs that do nothing. The target is at most {target:.0f} MB,
and no growth.
"""

_COSTS = """\
## Cost on PostgreSQL

The work of the server for one job of Tallystick, and of PgQueuer with the settings of [Peers](peers.md). The number in
parentheses is Tallystick's figure divided by this one.

- `full_page_writes` and `autovacuum` are off, so that no figure depends on the time of a checkpoint.
- Commits are transactions that write.
- Statements are all that the clients send, with BEGIN and COMMIT. `pg_stat_statements` counts them. The pool of
  PgQueuer's driver resets each connection that returns to it, which is one of its statements.
- {single:,} jobs were enqueued one by one, {jobs:,} in batches. PgQueuer deletes finished jobs, and Tallystick keeps
  their records.
- CPU times are those of a process with this many jobs, less those of the same process with none.
"""

_DEPTH = """\
## Depth

One client claims and completes 1,000 jobs at a time, while the store has {depth:,} other jobs: due ones, future ones of
a higher priority, or finished ones. `tallystick bench URL --only depth --depth {depth}` measures this on your store.
"""


class Section(NamedTuple):
    """A section of the page: its text, and the function that returns its table."""

    text: str
    table: Callable[[Sequence[Entry]], str]


def page(results: Mapping[str, Any]) -> str:
    """Return the page about the groups that were measured."""
    groups = {name: results[name] for name in GROUPS if name in results}
    measured = {name: _measured(group) for name, group in groups.items()}
    parts = [_HEAD]
    if is_common := len(set(measured.values())) == 1:
        parts += set(measured.values())
    for name, group in groups.items():
        parts += [_section(_SECTIONS[name], group), *([] if is_common else [measured[name]])]
    return "\n".join(parts)


def _measured(group: Mapping[str, Any]) -> str:
    """Describe the measurement of a group."""
    rounds = "One round" if group["rounds"] == 1 else f"Medians of {group['rounds']} rounds"
    return f"{rounds} on {group['date']}, on this machine: {in_words(group['machine'])}.\n{warning(group['machine'])}"


def _section(section: Section, group: Mapping[str, Any]) -> str:
    sizes = {"computing": round(group["jobs"] * COMPUTED), "single": max(1, group["jobs"] // 10)}
    target = (group["workloads"][0]["target"] or 0) / 1_000_000
    text = section.text.format(**{**group, **sizes, "target": target})
    return f"{text}\n{section.table(group['workloads'])}\n"


def _rates(workloads: Sequence[Entry]) -> str:
    cpu = [name for name in _CPU if any(name in each["rounds"] for each in workloads)]
    head = ["store", "workload", "jobs/s", *(_CPU[name] for name in cpu), *["cores"][: len(cpu)], "ratio", "target"]
    return _table(head, [list(_rate(each, workloads, cpu)) for each in workloads], texts=2)


def _rate(workload: Entry, workloads: Sequence[Entry], cpu: Sequence[str]) -> Iterator[str]:
    yield workload["store"] or "-"
    yield workload["name"]
    yield figure(median(workload["rounds"]["jobs_per_s"]))
    for name in cpu:
        rounds = workload["rounds"].get(name)
        yield figure(median(rounds)) if rounds else "-"
    if cpu:
        yield _cores(workload["rounds"])
    ratio = _ratio(workload, workloads)
    target = workload["target"]
    if ratio is None:
        yield "-"
    else:
        yield f"**{figure(ratio)}**" if target and ratio < target else figure(ratio)
    yield f"{target:g}" if target else "-"


def _cores(rounds: Mapping[str, Sequence[float]]) -> str:
    used = [rounds[name] for name in _CPU if name in rounds]
    if not used:
        return "-"
    each = zip(rounds["jobs_per_s"], *used, strict=True)
    return f"{median(rate * sum(times) / 1_000_000 for rate, *times in each):.2f}"


def _ratio(workload: Entry, workloads: Sequence[Entry]) -> float | None:
    """Return the ratio to the base; None without a base."""
    bases = [w for w in workloads if w["name"] == workload["base"] and w["store"] in ("", workload["store"])]
    if not bases:
        return None
    return _median_ratio(workload["rounds"]["jobs_per_s"], bases[0]["rounds"]["jobs_per_s"])


def _median_ratio(own: Sequence[float], other: Sequence[float]) -> float:
    return median(a / b for a, b in zip(own, other, strict=True))


def _memory(workloads: Sequence[Entry]) -> str:
    head = ["store", *(f"{int(jobs):,} jobs" for jobs in workloads[0]["rounds"])]
    return _table(head, [[each["store"], *_megabytes(each)] for each in workloads], texts=1)


def _megabytes(workload: Entry) -> Iterator[str]:
    for rounds in workload["rounds"].values():
        used = median(rounds)
        shown = f"{used / 1_000_000:.1f} MB"
        yield f"**{shown}**" if workload["target"] and used > workload["target"] else shown


def _shares(workloads: Sequence[Entry]) -> str:
    rows = [[each["store"] or "-", each["name"], *_share(each)] for each in workloads]
    return _table(["store", "process", "% of a core", "target"], rows, texts=2)


def _share(workload: Entry) -> Iterator[str]:
    share, target = median(workload["rounds"]["core_percent"]), workload["target"]
    yield f"**{figure(share)}**" if target and share > target else figure(share)
    yield f"{target:g}" if target else "-"


def _costs(workloads: Sequence[Entry]) -> str:
    ours = workloads[0]["rounds"]
    shown = {**COUNTERS, **TIMES}
    rows = []
    for phase, described in PHASES.items():
        for each in workloads:
            names = [f"{phase}.{counter}" for counter in shown]
            rows.append([described, each["name"], *(_cost(each["rounds"][name], ours[name]) for name in names)])
    return _table(["a job", "system", *shown.values()], rows, texts=2)


def _cost(rounds: Sequence[float], ours: Sequence[float]) -> str:
    shown = figure(median(rounds))
    return shown if rounds is ours or not all(rounds) else f"{shown} ({figure(_median_ratio(ours, rounds))})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int) -> str:
    """Return a table, whose first columns have texts and whose other columns have numbers."""
    rules = [*["---"] * texts, *["---:"] * (len(head) - texts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rules, *rows])


_SECTIONS = {
    "shapes": Section(_SHAPES, _rates),
    "processes": Section(_WORKERS, _rates),
    "async": Section(_ASYNC, _rates),
    "compute": Section(_COMPUTE, _rates),
    "threads": Section(_THREADS, _rates),
    "idle": Section(_IDLE, _shares),
    "resident": Section(_MEMORY, _memory),
    "costs": Section(_COSTS, _costs),
    "depth": Section(_DEPTH, _rates),
}

GROUPS = tuple(_SECTIONS)
"""The groups in the order of the page."""
