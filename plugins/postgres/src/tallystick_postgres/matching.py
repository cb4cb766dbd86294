"""The parameters of a filter, and changes of the records that match it."""

from collections.abc import Sequence
from typing import Any, LiteralString
from uuid import UUID

from tallystick import CLAIMABLE, FINAL, Filter, State
from tallystick.backends.calls import ChangeCall, UpdateCall

from . import error_text
from .execute import Execute

_LISTS = ("ids", "kinds", "queues", "tags", "error_types", "workers", "unique_keys")
_TIMES = ("created_since", "created_until", "finished_since", "finished_until")


def parameters(filter: Filter) -> dict[str, Any]:
    """Return the parameters of a filter. A NULL list matches every record."""
    return {
        **{name: None if (values := getattr(filter, name)) is None else list(values) for name in _LISTS},
        **{name: getattr(filter, name) for name in _TIMES},
        "states": _states(filter),
        "error_part": None if filter.error_text is None else error_text.part(filter.error_text),
        "error_pattern": None if filter.error_text is None else error_text.pattern(filter.error_text),
    }


def _states(filter: Filter) -> list[State] | None:
    """Return the states that a filter matches. A range of `finished_at` names them, so that an index can be used."""
    if filter.finished_since is not None or filter.finished_until is not None:
        return final_states(filter)
    return None if filter.states is None else list(filter.states)


def final_states(filter: Filter) -> list[State]:
    """Return the final states that a filter matches."""
    return [state for state in State if state in FINAL and (filter.states is None or state in filter.states)]


def waiting_states(filter: Filter) -> list[State]:
    """Return the states of waiting jobs that a filter matches."""
    return [state for state in State if state in CLAIMABLE and (filter.states is None or state in filter.states)]


def is_counted_by_the_ledger(filter: Filter) -> bool:
    """Return whether a filter has only fields that the ledger has: states, kinds and queues."""
    return all(getattr(filter, name) is None for name in (*_LISTS, *_TIMES, "error_text") if name not in _LEDGER)


_LEDGER = ("kinds", "queues")


def change(
    execute: Execute, query: LiteralString, call: ChangeCall | UpdateCall, values: dict[str, Any] | None = None
) -> Sequence[UUID]:
    """Change matching records, up to `limit`; repeat the statement, since one execution may miss some of them.

    All statements run in one transaction. Otherwise another client could change a record back in between, and this
    call would change it twice.
    """
    asked = {**parameters(call.filter), **(values or {}), "now": call.given}
    changed: list[UUID] = []
    while len(changed) < call.limit:
        more = [id for [id] in execute(query, {**asked, "limit": call.limit - len(changed)})]
        if not more:
            break
        changed += more
    return changed
