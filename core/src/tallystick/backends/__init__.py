"""Helpers for backends: they implement what every store does in the same way. Use all, some or none of them.

The conformance kit uses none of these modules, so that it judges them too.

- `calls`: check and normalise the arguments of each call.
- `transitions`: change a record as the table of states says.
- `selection`: find and order records that are in memory.
- `counting`: sum up counts to `Stats`.
- `waiting`: the loop of `wait`, and wake-ups for it.
- `lifetime`: reject calls after `close` and in a forked child.
- `locations`: split a URL into the backend's options and the driver's.
- `decoding`: read stored values without failing on damaged ones.
- `times`: round times to the store's precision, and convert them to microseconds.
- `batches`: the checks of batches and filters that `calls` uses.
"""

from . import batches, calls, counting, decoding, lifetime, locations, selection, times, transitions, waiting

__all__ = [
    "batches",
    "calls",
    "counting",
    "decoding",
    "lifetime",
    "locations",
    "selection",
    "times",
    "transitions",
    "waiting",
]
