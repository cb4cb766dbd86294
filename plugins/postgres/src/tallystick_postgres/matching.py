"""The parameters of a filter, and changes of the records that match it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from tallystick import CLAIMABLE, FINAL, Filter, State
from tallystick.backends.calls import ChangeCall, UpdateCall

from . import error_text
from .execute import Execute
from .queries import ID_TOLERANCE, PROMPT_HOURS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HIGHEST_ID = UUID(int=2**128 - 1)
_TOLERANCE = timedelta(seconds=ID_TOLERANCE + 1)  # the server rounds to milliseconds in another way
_PROMPT = timedelta(hours=PROMPT_HOURS)

_LISTS = ("ids", "kinds", "queues", "tags", "error_types", "workers", "unique_keys")
_TIMES = ("created_since", "created_until", "finished_since", "finished_until")


def parameters(filter: Filter) -> dict[str, Any]:
    """Return the parameters of a filter. A NULL list matches every record."""
    return {
        **{name: None if (values := getattr(filter, name)) is None else list(values) for name in _LISTS},
        **{name: getattr(filter, name) for name in _TIMES},
        **_id_range(filter),
        **_prompt_range(filter),
        "states": _states(filter),
        "are_final": filter.states is not None and set(filter.states) <= FINAL,
        "error_part": None if filter.error_text is None else error_text.part(filter.error_text),
        "error_pattern": None if filter.error_text is None else error_text.pattern(filter.error_text),
    }


def has_id_range(filter: Filter) -> bool:
    """Return whether the times of a filter limit the ids of UUIDv7."""
    return any(getattr(filter, name) is not None for name in _TIMES)


def has_created_range(filter: Filter) -> bool:
    """Return whether a filter has a range of `created_at`."""
    return filter.created_since is not None or filter.created_until is not None


def _id_range(filter: Filter) -> dict[str, UUID | None]:
    """Return the range of the ids of UUIDv7 that the times of a filter allow. A job finishes after it was created.

    If the job finished within the hour, its id is `lowest_prompt_id` or higher.
    """
    if not has_id_range(filter):
        return {"lowest_id": None, "lowest_prompt_id": None, "highest_id": None}
    ends = [time for time in (filter.created_until, filter.finished_until) if time is not None]
    lowest = UUID(int=0) if filter.created_since is None else _id_at(filter.created_since, -_TOLERANCE)
    since = filter.finished_since
    return {
        "lowest_id": lowest,
        "lowest_prompt_id": lowest if since is None else max(lowest, _id_at(since, -_PROMPT - _TOLERANCE)),
        "highest_id": _HIGHEST_ID if not ends else _id_at(min(ends), _TOLERANCE),
    }


def _prompt_range(filter: Filter) -> dict[str, datetime | None]:
    """Return the `finished_at` of jobs that finished within the hour, and the end of `created_at` of the others."""
    return {
        "prompt_since": filter.created_since,
        "prompt_until": None if filter.created_until is None else _moved(filter.created_until, _PROMPT),
        "prompt_created": None if filter.finished_since is None else _moved(filter.finished_since, -_PROMPT),
    }


def _moved(moment: datetime, by: timedelta) -> datetime | None:
    """Add a duration; return None if no datetime is so early or late."""
    try:
        return moment + by
    except OverflowError:
        return None


def _id_at(moment: datetime, shift: timedelta) -> UUID:
    milliseconds = (moment - _EPOCH + shift) // timedelta(milliseconds=1)
    return UUID(int=min(max(milliseconds, 0), 2**48 - 1) << 80)


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
