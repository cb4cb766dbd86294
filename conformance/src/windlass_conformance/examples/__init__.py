"""Examples: small directed tests for what generated programs do not reach. Importing a module here registers them."""

from . import batches, capabilities, names, payloads, queries, queues, refusals, stores, times, waiting

__all__ = [
    "batches",
    "capabilities",
    "names",
    "payloads",
    "queries",
    "queues",
    "refusals",
    "stores",
    "times",
    "waiting",
]
