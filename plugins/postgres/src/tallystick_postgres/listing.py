"""Read one page of records, and count records."""

from typing import assert_never

from tallystick import Record
from tallystick.backends.calls import CountCall, ListCall

from . import matching, rows
from .execute import Execute
from .queries import Queries


def page(execute: Execute, queries: Queries, call: ListCall) -> list[Record]:
    """Return the records of a page, in the order of the call."""
    match call.order:
        case "id":
            query = queries.list
        case "finished_at":
            query = queries.list_by_finished_at
        case "run_at":
            query = queries.list_by_run_at
        case _:
            assert_never(call.order)
    parameters = {
        **matching.parameters(call.filter),
        "finals": matching.final_states(call.filter),
        "limit": call.limit,
        "after": call.after,
        "after_time": call.after_time,
    }
    return rows.records(execute(query, parameters))


def count(execute: Execute, queries: Queries, call: CountCall) -> int:
    """Return the number of matching records, at most `at_most`."""
    query = queries.count_ledger if matching.is_counted_by_the_ledger(call.filter) else queries.count
    [[number]] = execute(query, {**matching.parameters(call.filter), "at_most": call.at_most})
    return int(number)
