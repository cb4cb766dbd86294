"""Backends with one known bug each. `tallystick conform mutants` runs them to prove that the kit finds the bugs.

The mutants of a plugin are a package, and its modules are named after clause families. It imports the plugin, so only
the packages of installed plugins are imported.
"""

from importlib import import_module
from importlib.util import find_spec

from tallystick_conformance import Mutant

_MODULES = {
    "tallystick_memory": "memory",
    "tallystick_sqlite": "sqlite",
    "tallystick_postgres": "postgres",
    "tallystick_mongo": "mongo",
}

ABSENT = tuple(plugin for plugin in _MODULES if not find_spec(plugin))
"""The plugins that are not installed, whose mutants are skipped."""

MUTANTS: tuple[Mutant, ...] = tuple(
    mutant
    for plugin, module in _MODULES.items()
    if find_spec(plugin)
    for mutant in import_module(f"{__name__}.{module}").MUTANTS
)
