"""The kill matrix: every mutant run in a process of its own, several at a time, each within a time limit."""

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

from .discovery import Found, find
from .judging import judge
from .mutant import Fate, Verdict
from .profiles import ProfileName
from .servers import given

BARS: dict[str, float] = {"quick": 0.85, "standard": 0.97}
"""The least share of mutants that each profile must kill."""

SECONDS: dict[str, float] = {"quick": 120.0, "standard": 600.0}
"""The time limit of a mutant under each profile, unless another is given."""

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
    """Yield each mutant's verdict, in the order given.

    Args:
        found: The mutants.
        profile: How much of the kit is run on each.
        jobs: How many run at a time.
        seconds: The time limit of each; a mutant that takes longer has hung, which is no kill.
        servers: The URLs of the servers that there are, by name; those of the environment unless given.
        on_verdict: Called with each verdict as soon as it is known, in a thread of its own.
    """
    limit, known = seconds or SECONDS[profile], given() if servers is None else servers
    running = _Running()

    def judged(one: Found) -> Verdict:
        verdict = running.judge_apart(one, profile, limit, known)
        if not running.ended.is_set():
            on_verdict(verdict)
        return verdict

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(judged, found)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            running.end()


class _Running:
    """The processes that judge mutants now, so that an interrupt ends them."""

    def __init__(self) -> None:
        self.ended = Event()
        self._processes: dict[int, Any] = {}

    def judge_apart(self, found: Found, profile: ProfileName, seconds: float, servers: Mapping[str, str]) -> Verdict:
        context = _context()
        answers, answer = context.Pipe(duplex=False)
        process = context.Process(target=_judge_here, args=(found.module, found.mutant.name, profile, servers, answer))
        process.start()
        self._processes[process.pid] = process
        answer.close()
        try:
            if self.ended.is_set():
                return Verdict(found.mutant, "crashed", detail="interrupted")
            if not answers.poll(seconds):
                return Verdict(found.mutant, "hung", detail=f"it had not ended after {seconds:g} s", seconds=seconds)
            fate, by, detail, took = answers.recv()
            return Verdict(found.mutant, fate, by, detail, took)
        except (EOFError, ConnectionError):
            return Verdict(found.mutant, "crashed", detail="its process ended without a verdict")
        finally:
            del self._processes[process.pid]
            _end(process)

    def end(self) -> None:
        """Let no process outlive the matrix."""
        self.ended.set()
        for process in list(self._processes.values()):
            _kill(process)


def _context() -> Any:
    """Fork from a server that has the kit imported, where that can be; else start each interpreter anew."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _judge_here(module: str, name: str, profile: ProfileName, servers: Mapping[str, str], answer: Connection) -> None:
    if hasattr(os, "setsid"):
        os.setsid()  # so that what it starts can be ended with it
    fate: Fate
    try:
        [found] = find([module], [name])
        verdict = judge(found, profile, servers)
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
    """Kill a mutant's process with all that it has started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # it has ended, or has no group of its own yet
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def rate(verdicts: Sequence[Verdict]) -> float:
    """Return the share that was killed."""
    return sum(verdict.killed for verdict in verdicts) / max(1, len(verdicts))


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Return how many mutants had each fate."""
    counted = Counter(verdict.fate for verdict in verdicts)
    return {fate: counted[fate] for fate in get_args(Fate)}


def reaches(verdicts: Sequence[Verdict], profile: str) -> bool | None:
    """Say whether enough were killed; None where that depends on mutants without a verdict, which hung or crashed."""
    counted = counts(verdicts)
    killed, undecided = counted["killed"], counted["hung"] + counted["crashed"]
    bar = BARS[profile] * max(1, len(verdicts))
    if killed >= bar:
        return True
    return None if killed + undecided >= bar else False


def to_json(verdicts: Sequence[Verdict], found: Sequence[Found], profile: str) -> str:
    """Write the matrix as JSON, a line for each mutant, without what differs from run to run."""
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
