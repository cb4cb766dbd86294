"""A description of this machine, without its name."""

import os
import platform
from typing import TypedDict


class Machine(TypedDict):
    """What the figures of a benchmark depend on. `load` is the mean number of busy processes of the last minute."""

    cores: int
    memory_gib: float | None
    system: str
    python: str
    load: float | None


def this_machine() -> Machine:
    """Describe this machine."""
    return {
        "cores": _cores(),
        "memory_gib": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def in_words(machine: Machine) -> str:
    """Return the description as one line."""
    memory = f"{machine['memory_gib']:.0f} GiB, " if machine["memory_gib"] else ""
    load = "" if machine["load"] is None else f", load {machine['load']:.1f}"
    return f"{machine['cores']} cores, {memory}{machine['system']}, Python {machine['python']}{load}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
