"""Helpers for backends: they implement what every store does in the same way. Use all, some or none of them.

The conformance kit uses none of these modules, so that it judges them too.

- `calls`: check and normalise the arguments of each call.
- `register_calls`: the same for the calls about schedules, workers and meters.
- `restore_calls`: the same for `restore`, and which of its records a store adds.
- `registers`: the effect of these calls on values in memory.
- `transitions`: change a record as the table of states says.
- `selection`: find and order records that are in memory.
- `counting`: sum up counts to `Stats`.
- `keys`: which job holds a unique key, and the effect of an insert on it.
- `waiting`: the loop of `wait`, and wake-ups for it.
- `group_commit`: store single inserts of several threads in one commit.
- `lazy_records`: a batch whose records are made when the store needs them.
- `lifetime`: reject calls after `close` and in a forked child.
- `locations`: split a URL into the backend's options and the driver's.
- `callers`: the transaction of the caller, while a call in it opens the store.
- `decoding`: read stored values without failing on damaged ones.
- `times`: round times to the store's precision, and convert them to microseconds.
- `batches`: the checks of batches and filters that `calls` uses.
"""

from . import (
    batches,
    callers,
    calls,
    counting,
    decoding,
    group_commit,
    keys,
    lazy_records,
    lifetime,
    locations,
    register_calls,
    registers,
    restore_calls,
    selection,
    times,
    transitions,
    waiting,
)

__all__ = [
    "batches",
    "callers",
    "calls",
    "counting",
    "decoding",
    "group_commit",
    "keys",
    "lazy_records",
    "lifetime",
    "locations",
    "register_calls",
    "registers",
    "restore_calls",
    "selection",
    "times",
    "transitions",
    "waiting",
]
