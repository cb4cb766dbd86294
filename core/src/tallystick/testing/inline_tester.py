"""Run each job in the call that enqueues it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.state import CLAIMABLE
from ..runner.runner import Runner
from .clock import Clock
from .job_tester import JobTester

_LAST_ID = UUID(int=2**128 - 1)


class InlineTester(JobTester):
    """A tester whose jobs run when they are enqueued."""

    def __init__(self, runner: Runner, backend: Backend, clock: Clock, *, raises: bool) -> None:
        super().__init__(runner, backend, clock)
        self._raises = raises
        self._wanted = False
        backend.insert = self._then_run(backend.insert)  # type: ignore[method-assign]  # this store is the test's own

    def _then_run(self, insert: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, transaction: object | None = None, **kwargs: Any) -> Any:
            inserted = insert(*args, transaction=transaction, **kwargs)
            if transaction is None:  # else the jobs do not exist yet, and the store may be locked
                self._run_due()
            return inserted

        return call

    def _run_due(self) -> None:
        """Run the due jobs. If a handler enqueues jobs, in any thread, they run when it has returned."""
        self._wanted = True
        while self._wanted and self._busy.acquire(blocking=False):
            try:
                self._wanted = False
                self._drain(raises=self._raises)
            finally:
                self._busy.release()

    def _next_moment(self) -> datetime | None:
        moments = [super()._next_moment()]
        waiting = Filter(states=list(CLAIMABLE))
        later = self.backend.list(waiting, limit=1, order="run_at", after=(self.clock.now(), _LAST_ID))
        moments += [record.run_at for record in later]
        return min((moment for moment in moments if moment is not None), default=None)

    def _pass(self, moment: datetime) -> None:
        super()._pass(moment)
        self._run_due()
