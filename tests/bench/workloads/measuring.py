"""Measure one workload once, on new and empty stores."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time, sleep
from typing import IO

from bench.dashboard import Clock
from bench.peers.children import Environments, begin, wait_for_ends
from bench.peers.systems import MEMORY, POSTGRES, SQLITE, SYSTEMS, System
from bench.peers.targets import target, wait_until_empty
from bench.search import version
from servers import postgres
from tallystick.bench.session import Session, Sizes

Figures = dict[str, float]
"""The figures of a workload by their names."""

RATE, CPU, SERVER_CPU, SHARE = "jobs_per_s", "cpu_us", "server_cpu_us", "core_percent"

CALIBRATED = 0.005
"""Seconds that the handler of a job computes."""

WAKE_UPS = 4
"""How often a second the threads of an idle worker on SQLite wake, all together."""

_IDLE_SECONDS = 20
_UNTIL_IDLE = 3

BARE = System("bare", "on_bare", MEMORY, "")

_OURS = {s.store: replace(s, adapter="on_workloads") for s in SYSTEMS if s.name == "Tallystick"}


@dataclass
class Bench:
    """One run of the benchmark. Close the stack to stop its server and remove its files."""

    jobs: int
    depth: int
    stack: ExitStack
    report: Callable[[str], None]
    _sessions: dict[str, Session] = field(default_factory=dict)

    @cached_property
    def environments(self) -> Environments:
        """The environments of the adapters."""
        return Environments(self.folder)

    @cached_property
    def folder(self) -> Path:
        """A folder for files of this run."""
        return Path(self.stack.enter_context(TemporaryDirectory()))

    @cached_property
    def server(self) -> str:
        """The URL of a server of PostgreSQL that loses no commit."""
        return self.stack.enter_context(postgres(None))

    @cached_property
    def _clock(self) -> Clock:
        return Clock(self.server)

    def server_seconds(self, store: str) -> float | None:
        """Return the CPU seconds of the server of a store so far. None: it has no server."""
        return self._clock() - process_time() if store == POSTGRES else None

    @cached_property
    def loops(self) -> int:
        """How often a handler loops to compute for `CALIBRATED` seconds."""
        return int(self.environments.call(BARE, "calibrate", CALIBRATED))

    def version(self, store: str) -> str:
        """Return the version of the database of a store; empty if it has none."""
        if store not in (POSTGRES, SQLITE):
            return ""
        return version(self.server if store == POSTGRES else "sqlite://").rpartition(" ")[2]

    def session(self, store: str) -> Session:
        """Return a session of `tallystick bench`, which creates stores and removes them."""
        if store not in self._sessions:
            url = self.server if store == POSTGRES else f"sqlite:///{self.folder / 'bench.db'}"
            sizes = Sizes(self.jobs, self.depth)
            self._sessions[store] = Session(url, sizes, stack=self.stack, report=self.report)
        return self._sessions[store]


Measure = Callable[[Bench, str], Figures]
"""Measures a workload on a store."""


def drain(shape: str, *, processes: int = 1, share: float = 1.0) -> Measure:
    """Return a function that lets worker processes work a backlog of jobs of one shape, a share of all."""

    def measure(bench: Bench, store: str) -> Figures:
        jobs, system = max(1, round(bench.jobs * share)), _OURS[store]
        if store == MEMORY:
            return _figures(jobs, *bench.environments.call(system, "alone", shape, jobs))
        with target(system, bench.server if store == POSTGRES else "") as place, ExitStack() as stack:
            bench.environments.call(system, "fill", place, shape, jobs, bench.loops if shape == "compute" else 0)
            workers = [stack.enter_context(bench.environments.worker(system, place, shape)) for _ in range(processes)]
            before, began = bench.server_seconds(store), _begin(workers)
            assert system.left is not None
            ended = wait_until_empty(system.left, place)
            found = _figures(jobs, ended - began, sum(_state(*worker)[0] for worker in workers))
            return found | _of_server(bench, store, before, jobs)

    return measure


def enqueue(*, threads: int = 1) -> Measure:
    """Return a function that enqueues jobs one by one: a tenth of all in each thread."""

    def measure(bench: Bench, store: str) -> Figures:
        jobs, system = max(1, bench.jobs // 10), _OURS[store]
        with target(system, bench.server if store == POSTGRES else "") as place:
            bench.environments.call(system, "fill", place, "plain", 0, 0)
            before = bench.server_seconds(store)
            seconds, cpu = bench.environments.call(system, "enqueue", place, jobs, threads)
            return _figures(jobs * threads, seconds, cpu) | _of_server(bench, store, before, jobs * threads)

    return measure


def _of_server(bench: Bench, store: str, before: float | None, jobs: int) -> Figures:
    """Return the CPU time of a store's server for one job, if it has a server."""
    after = bench.server_seconds(store)
    return {} if before is None or after is None else {SERVER_CPU: (after - before) / jobs * 1_000_000}


def failures(bench: Bench, store: str) -> Figures:
    """Call handlers in a bare loop, half of which fail once."""
    return _figures(bench.jobs, *bench.environments.call(BARE, "failures", bench.jobs))


def wake_ups(bench: Bench, store: str) -> Figures:
    """Wake a bare thread as often as the threads of an idle worker."""
    return {SHARE: bench.environments.call(BARE, "wake_ups", _IDLE_SECONDS, WAKE_UPS) / _IDLE_SECONDS * 100}


def idle(bench: Bench, store: str) -> Figures:
    """Let a worker wait for jobs that do not come."""
    system = _OURS[store]
    with target(system, bench.server if store == POSTGRES else "") as place:
        bench.environments.call(system, "fill", place, "plain", 0, 0)
        with bench.environments.worker(system, place, "plain") as worker:
            _begin([worker])
            sleep(_UNTIL_IDLE)
            before = _state(*worker)[0]
            sleep(_IDLE_SECONDS)
            return {SHARE: (_state(*worker)[0] - before) / _IDLE_SECONDS * 100}


def sleeps(bench: Bench, store: str) -> Figures:
    """Sleep in a bare event loop."""
    return {RATE: bench.jobs / bench.environments.call(BARE, "sleeps", bench.jobs)}


def computations(*, processes: int, share: float, threads: int = 1) -> Measure:
    """Return a function that lets bare processes compute, each in some threads."""

    def measure(bench: Bench, store: str) -> Figures:
        each = max(1, round(bench.jobs * share / processes))
        with ExitStack() as stack:
            arguments = (each, bench.loops, threads)
            workers = [stack.enter_context(bench.environments.worker(BARE, "", *arguments)) for _ in range(processes)]
            began = _begin(workers)
            jobs = each * processes
            return {RATE: jobs / (wait_for_ends([stdout for _, stdout in workers], jobs) - began)}

    return measure


def memory(*parts: int) -> Measure:
    """Return a function that lets one worker run jobs, and reads its resident memory after each of these multiples."""

    def measure(bench: Bench, store: str) -> Figures:
        found: Figures = {}
        system, done = _OURS[store], 0
        assert system.left is not None
        with target(system, bench.server) as place:
            bench.environments.call(system, "fill", place, "plain", 0, 0)
            with bench.environments.worker(system, place, "plain") as worker:
                _begin([worker])
                for part in parts:
                    bench.environments.call(system, "fill", place, "plain", part * bench.jobs - done, 0)
                    done = part * bench.jobs
                    wait_until_empty(system.left, place)
                    found[str(done)] = _state(*worker)[1]
        return found

    return measure


def of_bench(work: Callable[[Session], list[float]]) -> Measure:
    """Return a function that does a work of `tallystick bench`."""

    def measure(bench: Bench, store: str) -> Figures:
        [rate] = work(bench.session(store))
        return {RATE: rate}

    return measure


def _begin(workers: list[tuple[IO[str], IO[str]]]) -> float:
    began = monotonic()
    for stdin, _ in workers:
        begin(stdin)
    return began


def _state(stdin: IO[str], stdout: IO[str]) -> tuple[float, int]:
    """Return the CPU seconds of a worker since its begin, and its memory in bytes."""
    begin(stdin)
    seconds, used = json.loads(stdout.readline())
    return seconds, used


def _figures(jobs: int, seconds: float, cpu: float) -> Figures:
    return {RATE: jobs / seconds, CPU: cpu / jobs * 1_000_000}
