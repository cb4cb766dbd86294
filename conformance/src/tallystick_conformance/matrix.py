"""The kill matrix: every mutant run in a process of its own, several at a time, each within a time limit."""

import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from tallystick import ConfigurationError

from .mutant import Fate, Mutant, Verdict, judge
from .profiles import ProfileName
from .servers import given, why_not

GROUP = "tallystick.mutants"
"""The entry points whose values are modules of mutants, such as that of `tallystick-mutants`."""

BARS: dict[str, float] = {"quick": 0.85, "standard": 0.97}
"""The least share of mutants that each profile must kill."""

_SECONDS = {"quick": 120.0, "standard": 600.0}


class Found(NamedTuple):
    """A mutant, and the module to find it in again in another process."""

    module: str
    mutant: Mutant


def find(modules: Sequence[str] = (), names: Sequence[str] = ()) -> list[Found]:
    """Return the mutants that modules define as `MUTANTS`, all or those of these names.

    Args:
        modules: Names of modules; the modules of the installed distributions if there is none.
        names: Names of mutants; all if there is none.

    Raises:
        ConfigurationError: a module cannot be imported or defines none, no distribution of mutants is installed, or no
            mutant has a name that was asked for.
    """
    found = [Found(module, mutant) for module in modules or _installed() for mutant in _defined(module)]
    unknown = set(names) - {mutant.name for _, mutant in found}
    if unknown:
        raise ConfigurationError(f"no mutant is called {', '.join(sorted(map(repr, unknown)))}")
    return [one for one in found if one.mutant.name in names or not names]


def _installed() -> list[str]:
    modules = sorted({entry_point.value for entry_point in entry_points(group=GROUP)})
    if not modules:
        raise ConfigurationError(
            "no mutants are installed; install those of Tallystick with `pip install tallystick-mutants`, "
            "or name a module of your own with --module"
        )
    return modules


def _defined(module: str) -> Sequence[Mutant]:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        mutants: Sequence[Mutant] = import_module(module).MUTANTS
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"{module!r} is not a module that defines MUTANTS: {exc}") from exc
    return mutants


def split(found: Sequence[Found], servers: Mapping[str, str]) -> tuple[list[Found], list[str]]:
    """Return the mutants whose servers are given, and in words how many were left out, and why."""
    lacking = Counter(why_not(missing) for one in found if (missing := one.mutant.servers - servers.keys()))
    present = [one for one in found if one.mutant.servers <= servers.keys()]
    return present, [f"{count} left out: {why}" for why, count in lacking.items()] + _not_installed(found)


def _not_installed(found: Sequence[Found]) -> list[str]:
    absent = dict.fromkeys(
        plugin for module in {one.module for one in found} for plugin in getattr(import_module(module), "ABSENT", ())
    )
    return [f"those over {plugin} left out: it is not installed" for plugin in absent]


def run(
    found: Sequence[Found],
    profile: ProfileName,
    *,
    jobs: int = 2,
    seconds: float | None = None,
    servers: Mapping[str, str] | None = None,
) -> Iterator[Verdict]:
    """Yield each mutant's verdict, in the order given.

    Args:
        found: The mutants.
        profile: How much of the kit is run on each.
        jobs: How many run at a time.
        seconds: How long each may take; it has hung if it takes longer, which is no kill.
        servers: The URLs of the servers that there are, by name; those of the environment unless given.
    """
    with ThreadPoolExecutor(jobs) as pool:
        judge_apart = partial(
            _judge_apart,
            profile=profile,
            seconds=seconds or _SECONDS[profile],
            servers=given() if servers is None else servers,
        )
        yield from pool.map(judge_apart, found)


def _judge_apart(found: Found, profile: ProfileName, seconds: float, servers: Mapping[str, str]) -> Verdict:
    context = _context()
    answers, answer = context.Pipe(duplex=False)
    process = context.Process(target=_judge_here, args=(found.module, found.mutant.name, profile, servers, answer))
    process.start()
    answer.close()
    try:
        if not answers.poll(seconds):
            return Verdict(found.mutant, "hung", detail=f"it had not ended after {seconds:.0f} s", seconds=seconds)
        fate, by, detail, took = answers.recv()
        return Verdict(found.mutant, fate, by, detail, took)
    except EOFError:
        return Verdict(found.mutant, "crashed", detail="its process ended without a verdict")
    finally:
        _end(process)


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
    [(_, mutant)] = find([module], [name])
    fate: Fate
    try:
        verdict = judge(mutant, profile, servers)
        fate, by, detail, seconds = verdict.fate, verdict.by, verdict.detail, verdict.seconds
    except Exception as exc:
        fate, by, detail, seconds = "crashed", (), repr(exc), 0.0
    answer.send((fate, by, detail, seconds))


def _end(process: Any) -> None:
    process.join(1)
    if process.is_alive():
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def rate(verdicts: Sequence[Verdict]) -> float:
    """Return the share that was killed."""
    return sum(verdict.killed for verdict in verdicts) / max(1, len(verdicts))


def to_json(verdicts: Sequence[Verdict], profile: ProfileName) -> str:
    """Write the matrix as JSON, without what differs from run to run."""
    mutants = [
        {
            "name": verdict.mutant.name,
            "backend": verdict.mutant.backend,
            "clause": verdict.mutant.clause,
            "bug": verdict.mutant.bug,
            "source": verdict.mutant.source,
            "killed": verdict.killed,
            "fate": verdict.fate,
            "by": list(verdict.by),
        }
        for verdict in verdicts
    ]
    return json.dumps({"profile": profile, "rate": round(rate(verdicts), 4), "mutants": mutants}, indent=2) + "\n"
