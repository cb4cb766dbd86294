"""Examples: small directed tests for what generated programs do not reach. Importing a module here registers them."""

from . import (
    batches,
    capabilities,
    clocks,
    edges,
    keys,
    names,
    openings,
    payloads,
    queries,
    queues,
    refusals,
    stores,
    times,
    undeclared,
    waiting,
)

__all__ = [
    "batches",
    "capabilities",
    "clocks",
    "edges",
    "keys",
    "names",
    "openings",
    "payloads",
    "queries",
    "queues",
    "refusals",
    "stores",
    "times",
    "undeclared",
    "waiting",
]
