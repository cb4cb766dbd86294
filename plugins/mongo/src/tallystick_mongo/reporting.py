"""Store the progress of attempts with guarded updates."""

from tallystick.backends.calls import ReportCall

from . import queries, updates
from .collections import Collections
from .guarded_writes import Change, apply


def report(store: Collections, call: ReportCall) -> list[bool]:
    """Store the last progress of each claim; return for each report, in order, whether its claim was current."""
    last = {report.claim: report for report in call.reports}
    changes = [
        Change(claim.id, queries.current(claim.attempt), updates.reported(call.progress(report), call.now))
        for claim, report in last.items()
    ]
    stored = {claim for claim, made in zip(last, apply(store, "report", changes), strict=True) if made}
    return [report.claim in stored for report in call.reports]
