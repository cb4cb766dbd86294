"""Backends with one known bug each. `tallystick conform mutants` runs them to prove that the kit finds the bugs.

A module of mutants imports the plugin that it patches, so this package imports only the modules of installed plugins.
"""

from importlib import import_module
from importlib.util import find_spec

from tallystick_conformance import Mutant

_MODULES = {
    "tallystick_memory": (
        "memory_inserts", "memory_claims", "memory_ends", "memory_queries", "memory_values", "memory_stores",
        "memory_limits", "memory_races", "memory_costs", "memory_schedules", "memory_histories", "memory_cuts",
        "memory_neighbours", "memory_moments", "memory_corners", "memory_lengths", "memory_wholes",
        "memory_wall_clock", "memory_far_limits", "memory_identities", "memory_caches", "memory_crowds",
    ),
    "tallystick_sqlite": ("sqlite_claims", "sqlite_ends", "sqlite_queries", "sqlite_stores", "sqlite_undeclared",
                       "sqlite_openings", "sqlite_leaks", "sqlite_steps", "sqlite_blocks"),
    "tallystick_postgres": ("postgres",),
    "tallystick_mongo": ("mongo",),
}  # fmt: skip

ABSENT = tuple(plugin for plugin in _MODULES if not find_spec(plugin))
"""The plugins that are not installed, whose mutants are skipped."""

MUTANTS: tuple[Mutant, ...] = tuple(
    mutant
    for plugin, modules in _MODULES.items()
    if find_spec(plugin)
    for module in modules
    for mutant in import_module(f"{__name__}.{module}").MUTANTS
)
