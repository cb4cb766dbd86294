"""Extend the leases of a batch of claims."""

from collections.abc import Sequence

from tallystick import Hold
from tallystick.backends.calls import ExtendCall
from tallystick.backends.transitions import hold

from .execute import Execute
from .keys import in_locking_order, key
from .queries import Queries


def extend(execute: Execute, queries: Queries, call: ExtendCall) -> Sequence[Hold]:
    """Extend the leases; return a result for each claim, in order."""
    keys = [key(claim) for claim in call.claims]
    held = in_locking_order(dict(zip(keys, call.claims, strict=True)))
    parameters = {
        "ids": [claim.id for claim in held],
        "attempts": [claim.attempt for claim in held],
        "lease": call.lease,
        "now": call.given,
    }
    found = execute(queries.extend, parameters)
    flagged = {(id.int, attempt): cancel_requested for id, attempt, cancel_requested in found}
    return [hold(flagged.get(key)) for key in keys]
