"""Find mutants in named modules, or in the modules of installed distributions."""

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

from ..subject.target import Target
from .mutant import Mutant
from .servers import why_not

GROUP = "tallystick.mutants"
"""The group of entry points that name modules of mutants, such as those of `tallystick-mutants`."""


class Found(NamedTuple):
    """A mutant and its module; other processes find it there by its name in `MUTANTS`."""

    module: str
    mutant: Mutant

    def target(self, folder: str, servers: Mapping[str, str]) -> Target:
        """Return the broken backend as a target that other processes can open too."""
        url = self.mutant.filled(folder, servers)
        target = self.mutant.opened_at(url)
        if not _is_importable(self.mutant.make):
            target.make = partial(_open, self.module, self.mutant.name, url)
        return target


def find(modules: Sequence[str] = (), names: Sequence[str] = ()) -> list[Found]:
    """Return the mutants in the `MUTANTS` of the modules, optionally only those with these names.

    Args:
        modules: Names of modules; by default, those of the installed distributions.
        names: Names of mutants; by default, all.

    Raises:
        ConfigurationError: A module cannot be imported or has no `MUTANTS`, no distribution of mutants is installed,
            two mutants of a module have the same name, or no mutant has a requested name.
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
            "no mutants are installed; run `pip install tallystick-mutants`, or name a module with --module"
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
        raise ConfigurationError(f"{module!r} has several mutants called {twice[0]!r}; give each a unique name")
    return mutants


def _is_importable(make: object) -> bool:
    try:
        pickle.dumps(make)
    except Exception:  # the exception for a class or function inside a function depends on the Python version
        return False
    return True


def _open(module: str, name: str, url: str, namespace: str) -> Backend:
    """Find a mutant by its name, and open a client of it."""
    [(_, mutant)] = find([module], [name])
    return mutant.opened_at(url).make(namespace)


def split(found: Sequence[Found], servers: Mapping[str, str]) -> tuple[list[Found], list[str]]:
    """Return the mutants with available servers, and messages about those left out."""
    lacking = Counter(why_not(missing) for one in found if (missing := one.mutant.servers - servers.keys()))
    present = [one for one in found if one.mutant.servers <= servers.keys()]
    return present, [f"{count} left out: {why}" for why, count in lacking.items()] + _not_installed(found)


def _not_installed(found: Sequence[Found]) -> list[str]:
    absent = dict.fromkeys(
        plugin for module in {one.module for one in found} for plugin in getattr(import_module(module), "ABSENT", ())
    )
    return [f"mutants on {plugin} left out: it is not installed" for plugin in absent]
