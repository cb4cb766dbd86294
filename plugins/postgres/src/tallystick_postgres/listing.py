"""Read one page of records, and count records."""

from typing import Any, LiteralString, assert_never

from tallystick import Filter, Record, State
from tallystick.backends.calls import CountCall, ListCall

from . import matching, rows
from .execute import Execute
from .queries import Queries

FEW = 20_000
"""Below this number of records in a range of times, a page in another order sorts those that match."""


def page(execute: Execute, queries: Queries, call: ListCall) -> list[Record]:
    """Return the records of a page, in the order of the call."""
    if not _may_match(call):
        return []
    parameters = {
        **matching.parameters(call.filter),
        "finals": matching.final_states(call.filter),
        "order": call.order,
        "limit": call.limit,
        "after": call.after,
        "after_time": call.after_time,
    }
    if _has_range_of_another_order(call) and _count_range(execute, queries, parameters) < FEW:
        return rows.records(execute(queries.list_sorted, parameters))
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


def _has_range_of_another_order(call: ListCall) -> bool:
    """Return whether a filter has a range of times that the scan of the order does not use."""
    filter = call.filter
    by_created = filter.created_since is not None or filter.created_until is not None
    by_finished = filter.finished_since is not None or filter.finished_until is not None
    match call.order:
        case "id":
            return by_finished
        case "finished_at":
            return by_created
        case "run_at":
            return by_created
        case _:
            assert_never(call.order)


def _count_range(execute: Execute, queries: Queries, parameters: dict[str, Any]) -> int:
    [[number]] = execute(queries.count_range, {**parameters, "at_most": FEW})
    return int(number)


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
    return queries.count_by_created if matching.has_id_range(filter) else queries.count
