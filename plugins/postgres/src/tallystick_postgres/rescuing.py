"""Rescue the jobs whose leases have expired, and fold the ledger of counts."""

from collections.abc import Sequence
from contextlib import suppress

from tallystick import LEASE_EXPIRED, BackendError, Record
from tallystick.backends.calls import RescueCall

from . import rows
from .execute import Execute
from .queries import Queries

_FOLD = 100_000
"""The most ledger rows that one rescue folds."""


def rescue(execute: Execute, queries: Queries, call: RescueCall) -> Sequence[Record]:
    """Rescue the jobs; return them after the change."""
    parameters = {"limit": call.limit, "now": call.given, "error": LEASE_EXPIRED.to_json()}
    return rows.records(execute(queries.rescue, parameters))


def fold(execute: Execute, queries: Queries) -> None:
    """Fold the ledger. An error is suppressed: the rescue is committed, and the next one folds."""
    with suppress(BackendError):
        execute(queries.fold, {"limit": _FOLD})
