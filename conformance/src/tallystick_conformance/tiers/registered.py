"""The examples of the whole kit, by clause. Importing this module registers them."""

# ruff: noqa: F401 - importing a module registers its examples
from .. import examples
from ..harness.case import EXAMPLES
from .crashes import kills
from .faults import claims, network, setups, waits
from .histories import rules
from .leaks import closed_clients, open_clients
from .races import batches, calls, forks, processes, registers, removals
from .schedules import drawn, pairs, scenarios, sharing
from .schedules import setups as interleaved_setups

__all__ = ["EXAMPLES"]
