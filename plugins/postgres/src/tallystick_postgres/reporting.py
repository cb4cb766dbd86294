"""Store the progress of a batch of attempts."""

from collections.abc import Sequence

from tallystick import Progress
from tallystick.backends.calls import ReportCall

from .execute import Execute
from .keys import in_locking_order, key
from .queries import Queries


def report(execute: Execute, queries: Queries, call: ReportCall) -> Sequence[bool]:
    """Store the last progress of each claim; return for each report, in order, whether its claim was current."""
    keys = [key(report.claim) for report in call.reports]
    last = in_locking_order(dict(zip(keys, call.reports, strict=True)))
    parameters = {
        "ids": [report.claim.id for report in last],
        "attempts": [report.claim.attempt for report in last],
        "entries": [Progress.json_without_time(report.fraction, report.message) for report in last],
        "now": call.given,
    }
    stored = {(id.int, attempt) for id, attempt in execute(queries.report_progress, parameters)}
    return [key in stored for key in keys]
