"""Read one page of records, and count records."""

from typing import LiteralString, assert_never

from tallystick import Record, State
from tallystick.backends.calls import CountCall, ListCall

from . import matching, rows
from .execute import Execute
from .queries import Queries


def page(execute: Execute, queries: Queries, call: ListCall) -> list[Record]:
    """Return the records of a page, in the order of the call."""
    parameters = {
        **matching.parameters(call.filter),
        "finals": matching.final_states(call.filter),
        "limit": call.limit,
        "after": call.after,
        "after_time": call.after_time,
    }
    return rows.records(execute(_page_query(queries, call), parameters))


def _page_query(queries: Queries, call: ListCall) -> LiteralString:
    """Return the statement for the order of the call: one with an index of errors, if the filter needs it."""
    filter = call.filter
    is_for_errors = filter.error_types is not None or filter.error_text is not None
    match call.order:
        case "id":
            return queries.list if filter.error_types is None else queries.list_by_error_type
        case "finished_at":
            return queries.list_failed_by_finished_at if is_for_errors else queries.list_by_finished_at
        case "run_at":
            is_for_retries = State.PENDING not in matching.waiting_states(filter)
            return queries.list_failed_by_run_at if is_for_errors or is_for_retries else queries.list_by_run_at
        case _:
            assert_never(call.order)


def count(execute: Execute, queries: Queries, call: CountCall) -> int:
    """Return the number of matching records, at most `at_most`."""
    query = queries.count_ledger if matching.is_counted_by_the_ledger(call.filter) else queries.count
    [[number]] = execute(query, {**matching.parameters(call.filter), "at_most": call.at_most})
    return int(number)
