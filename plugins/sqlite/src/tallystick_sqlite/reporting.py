"""Store the progress of attempts, one by one."""

import sqlite3
from collections.abc import Sequence

from tallystick import ProgressReport
from tallystick.backends.calls import ReportCall
from tallystick.backends.times import micros

from .queries import Queries
from .rows import Parameters


def report(connection: sqlite3.Connection, queries: Queries, call: ReportCall) -> Sequence[bool]:
    """Store the progress; return for each report whether its claim was current."""
    return [
        connection.execute(queries.report_progress, _parameters(report, call)).rowcount == 1 for report in call.reports
    ]


def _parameters(report: ProgressReport, call: ReportCall) -> Parameters:
    return {
        "id": report.claim.id.bytes,
        "attempt": report.claim.attempt,
        "progress": call.progress(report).to_json(),
        "now": micros(call.now),
    }
