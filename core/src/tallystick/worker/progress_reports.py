"""Collect the progress that handlers report, and store it in batches."""

from collections.abc import Collection, Iterable
from threading import Lock

from ..contract.backend import Backend
from ..contract.progress_report import ProgressReport
from ..contract.records import Claim
from ..errors import BackendError
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_repr

logger = safe_logger("tallystick.worker")


class ProgressReports:
    """The latest report of each attempt that is not stored yet. Any thread may call any method."""

    def __init__(self) -> None:
        self._unstored: dict[Claim, ProgressReport] = {}
        self._lock = Lock()
        self._storing = Lock()

    def put(self, report: ProgressReport) -> None:
        """Keep a report, in place of the earlier one of its attempt. Does not wait for the store."""
        with self._lock:
            self._unstored[report.claim] = report

    def forget(self, claim: Claim) -> None:
        """Drop the report of an attempt."""
        with self._lock:
            self._unstored.pop(claim, None)

    def store(self, backend: Backend, batch: int, claims: Iterable[Claim] | None = None) -> None:
        """Store the reports, or only those of some claims.

        Also waits for another call that stores them: a settle right after it would reject a report that is on its way.

        Raises:
            BackendError: the reports that are not stored are kept, for the next call.
        """
        if not self._unstored:
            return
        with self._storing:
            reports = self._chosen(claims)
            for start in range(0, len(reports), batch):
                some = reports[start : start + batch]
                try:
                    backend.report_progress(some)
                except BackendError:
                    raise
                except Exception as exc:
                    logger.warning("could not store the progress of %d jobs: %s", len(some), safe_repr(exc))
                self._remove(some)

    def _chosen(self, claims: Iterable[Claim] | None) -> list[ProgressReport]:
        with self._lock:
            if claims is None:
                return list(self._unstored.values())
            return [self._unstored[claim] for claim in claims if claim in self._unstored]

    def _remove(self, reports: Collection[ProgressReport]) -> None:
        """Remove stored reports, also those of stale claims, unless the handler has reported since."""
        with self._lock:
            for report in reports:
                if self._unstored.get(report.claim) is report:
                    del self._unstored[report.claim]
