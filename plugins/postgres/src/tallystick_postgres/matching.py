"""Change the records that match a filter."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from tallystick import Filter
from tallystick.backends.calls import ChangeCall

from .execute import Execute


def parameters(filter: Filter) -> dict[str, Any]:
    """Return the parameters of a filter. A NULL list matches every record."""
    return {
        name: None if (values := getattr(filter, name)) is None else list(values)
        for name in ("ids", "states", "kinds", "queues", "tags")
    }


def change(execute: Execute, query: LiteralString, call: ChangeCall) -> Sequence[UUID]:
    """Change matching records, up to `limit`; repeat the statement, since one execution may miss some of them.

    All statements run in one transaction. Otherwise another client could change a record back in between, and this
    call would change it twice.
    """
    asked = {**parameters(call.filter), "now": call.given}
    changed: list[UUID] = []
    while len(changed) < call.limit:
        more = [id for [id] in execute(query, {**asked, "limit": call.limit - len(changed)})]
        if not more:
            break
        changed += more
    return changed
