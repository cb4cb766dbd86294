"""Finding mutants: in the modules that are named, or in those of the installed distributions."""

import pickle
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

from tallystick import Backend, ConfigurationError

from .mutant import Mutant
from .servers import why_not
from .target import Target

GROUP = "tallystick.mutants"
"""The entry points whose values are modules of mutants, such as that of `tallystick-mutants`."""


class Found(NamedTuple):
    """A mutant, and the module in whose `MUTANTS` another process finds it by its name."""

    module: str
    mutant: Mutant

    def target(self, folder: str, servers: Mapping[str, str]) -> Target:
        """Break the backend, and return it as a target that other processes can open too."""
        url = self.mutant.filled(folder, servers)
        target = self.mutant.opened_at(url)
        if not _is_importable(self.mutant.make):
            target.make = partial(_open, self.module, self.mutant.name, url)
        return target


def find(modules: Sequence[str] = (), names: Sequence[str] = ()) -> list[Found]:
    """Return the mutants that modules define as `MUTANTS`, all or those of these names.

    Args:
        modules: Names of modules; the modules of the installed distributions if there is none.
        names: Names of mutants; all if there is none.

    Raises:
        ConfigurationError: a module cannot be imported or defines none, no distribution of mutants is installed, two
            mutants of a module have one name, or no mutant has a name that was asked for.
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
    if twice := [name for name, times in Counter(mutant.name for mutant in mutants).items() if times > 1]:
        raise ConfigurationError(f"{module!r} has several mutants called {twice[0]!r}; give each a name of its own")
    return mutants


def _is_importable(make: object) -> bool:
    try:
        pickle.dumps(make)
    except Exception:  # what pickle raises for a class or function inside a function differs between Pythons
        return False
    return True


def _open(module: str, name: str, url: str, namespace: str) -> Backend:
    """Open a client of a mutant in a process that must find it first."""
    [(_, mutant)] = find([module], [name])
    return mutant.opened_at(url).make(namespace)


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
