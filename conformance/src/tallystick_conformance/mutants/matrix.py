"""The kill matrix: run every mutant in its own process, several at a time, with a time limit for each."""

import json
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from threading import Event
from typing import Any, get_args

from ..harness.profiles import ProfileName
from .discovery import Found, find
from .mutant import Fate, Verdict
from .servers import given
from .trial import try_mutant

BARS: dict[str, float] = {"quick": 0.85, "standard": 0.97}
"""The minimum share of mutants that each profile must kill."""

SECONDS: dict[str, float] = {"quick": 120.0, "standard": 600.0}
"""The default time limit of a mutant in seconds, by profile."""

OnVerdict = Callable[[Verdict], None]


def run(
    found: Sequence[Found],
    profile: ProfileName,
    *,
    jobs: int = 2,
    seconds: float | None = None,
    servers: Mapping[str, str] | None = None,
    on_verdict: OnVerdict = lambda verdict: None,
) -> Iterator[Verdict]:
    """Run each mutant, and yield the verdicts in the order of `found`.

    Args:
        found: The mutants.
        profile: How much to test on each.
        jobs: How many run at a time.
        seconds: The time limit of each. A mutant that takes longer counts as hung, not as killed.
        servers: The URLs of the available servers by name; by default those in the environment.
        on_verdict: Called with each verdict as soon as it is known, in a worker thread.
    """
    limit, known = seconds or SECONDS[profile], given() if servers is None else servers
    running = _Running()

    def tried(one: Found) -> Verdict:
        verdict = running.try_apart(one, profile, limit, known)
        if not running.ended.is_set():
            on_verdict(verdict)
        return verdict

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(tried, found)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            running.end()


class _Running:
    """The processes that judge mutants now, so that an interrupt can end them."""

    def __init__(self) -> None:
        self.ended = Event()
        self._processes: dict[int, Any] = {}

    def try_apart(self, found: Found, profile: ProfileName, seconds: float, servers: Mapping[str, str]) -> Verdict:
        context = _context()
        answers, answer = context.Pipe(duplex=False)
        process = context.Process(target=_try_here, args=(found.module, found.mutant.name, profile, servers, answer))
        process.start()
        self._processes[process.pid] = process
        answer.close()
        try:
            if self.ended.is_set():
                return Verdict(found.mutant, "crashed", detail="interrupted")
            if not answers.poll(seconds):
                return Verdict(
                    found.mutant, "hung", detail=f"it was still running after {seconds:g} s", seconds=seconds
                )
            fate, by, detail, took = answers.recv()
            return Verdict(found.mutant, fate, by, detail, took)
        except (EOFError, ConnectionError):
            return Verdict(found.mutant, "crashed", detail="its process ended without a verdict")
        finally:
            del self._processes[process.pid]
            _end(process)

    def end(self) -> None:
        """Kill the processes that still run."""
        self.ended.set()
        for process in list(self._processes.values()):
            _kill(process)


def _context() -> Any:
    """Fork from a server that has imported the kit if the platform can; else start a new interpreter for each."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _try_here(module: str, name: str, profile: ProfileName, servers: Mapping[str, str], answer: Connection) -> None:
    if hasattr(os, "setsid"):
        os.setsid()  # so that `_kill` also ends its children
    fate: Fate
    try:
        [found] = find([module], [name])
        verdict = try_mutant(found, profile, servers)
        fate, by, detail, seconds = verdict.fate, verdict.by, verdict.detail, verdict.seconds
    except Exception as exc:
        fate, by, detail, seconds = "crashed", (), repr(exc), 0.0
    answer.send((fate, by, detail, seconds))


def _end(process: Any) -> None:
    process.join(1)
    if process.is_alive():
        _kill(process)
        process.join()


def _kill(process: Any) -> None:
    """Kill a mutant's process and its children."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # it has ended, or has not called setsid yet
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def rate(verdicts: Sequence[Verdict]) -> float:
    """Return the share of killed mutants."""
    return sum(verdict.killed for verdict in verdicts) / max(1, len(verdicts))


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return how many mutants had each fate."""
    counted = Counter(verdict.fate for verdict in verdicts)
    return {fate: counted[fate] for fate in get_args(Fate)}


def reaches(verdicts: Sequence[Verdict], profile: str) -> bool | None:
    """Return whether enough mutants were killed; None if that depends on those that hung or crashed."""
    counted = counts(verdicts)
    killed, undecided = counted["killed"], counted["hung"] + counted["crashed"]
    bar = BARS[profile] * max(1, len(verdicts))
    if killed >= bar:
        return True
    return None if killed + undecided >= bar else False


def to_json(verdicts: Sequence[Verdict], found: Sequence[Found], profile: str) -> str:
    """Return the matrix as JSON, one line per mutant, without details and times, which differ between runs."""
    modules = {id(mutant): module for module, mutant in found}
    head = json.dumps({"profile": profile, "rate": round(rate(verdicts), 4), **counts(verdicts)})
    lines = ",\n".join(json.dumps(_entry(verdict, modules[id(verdict.mutant)])) for verdict in verdicts)
    return f'{head[:-1]}, "mutants": [\n{lines}\n]}}\n'


def _entry(verdict: Verdict, module: str) -> dict[str, Any]:
    mutant = verdict.mutant
    return {
        "name": mutant.name,
        "module": module,
        "backend": mutant.backend,
        "clause": mutant.clause,
        "bug": mutant.bug,
        "source": mutant.source,
        "killed": verdict.killed,
        "fate": verdict.fate,
        "by": list(verdict.by),
    }
