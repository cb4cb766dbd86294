"""Requeue jobs: execute `requeue.sql`, and release the unique keys whose time has passed."""

from collections.abc import Sequence
from uuid import UUID

from tallystick.backends.calls import ChangeCall

from . import matching
from .execute import Execute
from .queries import Queries


def requeue(execute: Execute, queries: Queries, call: ChangeCall) -> Sequence[UUID]:
    """Requeue matching jobs, up to `limit`; repeat the statement, since one execution may miss some of them."""
    parameters = {**matching.parameters(call.filter), "now": call.given}
    changed: list[UUID] = []
    while len(changed) < call.limit:
        found = execute(queries.requeue, {**parameters, "limit": call.limit - len(changed)})
        changed += [id for id, _ in found if id is not None]
        if not found:
            break
        passed = [key for _, key in found if key is not None]
        if passed:
            execute(queries.free_keys, {"keys": passed, "now": call.given})
    return changed
