"""Read one page of records, and count records."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, LiteralString, assert_never

from tallystick import CLAIMABLE, FINAL, Filter, Record, State
from tallystick.backends.calls import CountCall, ListCall

from . import matching, rows
from .execute import Execute
from .queries import Queries
from .rows import Row

NEWEST = 1_000
"""The number of waiting jobs, the newest ones, in which a page by id first finds its jobs."""

FEW = 100_000
"""Below this number of waiting jobs, a page of them by id reads all of them rather than the other records."""

RARE = 1_000
"""Below this number of jobs of some kinds, a page reads only the states in which the ledger has such jobs."""


def page(execute: Execute, queries: Queries, call: ListCall) -> list[Record]:
    """Return the records of a page, in the order of the call."""
    if not _may_match(call):
        return []
    parameters = {
        **matching.parameters(call.filter),
        "finals": matching.final_states(call.filter),
        "limit": call.limit,
        "after": call.after,
        "after_time": call.after_time,
    }
    if call.order == "id" and _is_for_waiting(call.filter) and _count_waiting(execute, queries, parameters) < FEW:
        return rows.records(_waiting(execute, queries, parameters, call.limit))
    if call.order == "id" and call.filter.kinds is not None and matching.is_counted_by_the_ledger(call.filter):
        counts = execute(queries.count_ledger_by_state, parameters)
        if sum(number for _, number in counts) < RARE:
            return rows.records(_rare(execute, queries, parameters, [State(state) for state, _ in counts]))
    return rows.records(execute(_page_query(queries, call), parameters))


def _may_match(call: ListCall) -> bool:
    """Return whether a filter matches records that the order contains."""
    filter = call.filter
    match call.order:
        case "id":
            return True
        case "finished_at":
            return bool(matching.final_states(filter))
        case "run_at":
            is_finished = filter.finished_since is not None or filter.finished_until is not None
            return bool(matching.waiting_states(filter)) and not is_finished
        case _:
            assert_never(call.order)


def _is_for_waiting(filter: Filter) -> bool:
    """Return whether a filter matches pending jobs, but none in a final state, and has no field but states and queues.

    The planner finds the few jobs that are retrying by their own index.
    """
    has_more = replace(filter, states=None, queues=None) != Filter()
    return filter.states is not None and not has_more and {State.PENDING} <= {*filter.states} <= CLAIMABLE


def _count_waiting(execute: Execute, queries: Queries, parameters: dict[str, Any]) -> int:
    [[number]] = execute(queries.count_ledger, {**parameters, "states": [*CLAIMABLE], "at_most": FEW})
    return int(number)


def _waiting(execute: Execute, queries: Queries, parameters: dict[str, Any], limit: int) -> Sequence[Row]:
    newest = execute(queries.list_waiting, {**parameters, "look": max(NEWEST, limit)})
    return newest if len(newest) == limit else execute(queries.list_waiting, {**parameters, "look": FEW})


def _rare(execute: Execute, queries: Queries, parameters: dict[str, Any], likely: list[State]) -> Sequence[Row]:
    return execute(queries.list_rare, {**parameters, "likely": likely, "likely_final": {*likely} <= FINAL})


def _page_query(queries: Queries, call: ListCall) -> LiteralString:
    """Return the statement for the order of the call: one with an index of errors or times, if the filter needs it."""
    filter = call.filter
    is_for_errors = filter.error_types is not None or filter.error_text is not None
    match call.order:
        case "id":
            return _page_query_by_id(queries, filter)
        case "finished_at":
            return queries.list_failed_by_finished_at if is_for_errors else queries.list_by_finished_at
        case "run_at":
            is_for_retries = State.PENDING not in matching.waiting_states(filter)
            return queries.list_failed_by_run_at if is_for_errors or is_for_retries else queries.list_by_run_at
        case _:
            assert_never(call.order)


def _page_query_by_id(queries: Queries, filter: Filter) -> LiteralString:
    if filter.error_types is not None:
        return queries.list_by_error_type
    if filter.error_text is not None:
        return queries.list_by_error_text
    return queries.list_by_created if matching.has_id_range(filter) else queries.list


def count(execute: Execute, queries: Queries, call: CountCall) -> int:
    """Return the number of matching records, at most `at_most`."""
    query = _count_query(queries, call.filter)
    [[number]] = execute(query, {**matching.parameters(call.filter), "at_most": call.at_most})
    return int(number)


def _count_query(queries: Queries, filter: Filter) -> LiteralString:
    if matching.is_counted_by_the_ledger(filter):
        return queries.count_ledger
    if filter.error_text is not None:
        return queries.count_by_error_text
    return queries.count_by_created if matching.has_created_range(filter) else queries.count
