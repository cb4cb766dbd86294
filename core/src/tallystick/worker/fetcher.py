"""Claim jobs while there is room for them, and pass them to the executors."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from threading import Lock, current_thread
from time import monotonic

from ..contract.records import Record
from . import clock
from .attempt import Attempt
from .in_flight import InFlight
from .service import Steps
from .stuck import StuckHandlers
from .turns import Turns
from .unknown import UNKNOWN
from .worker_context import WorkerContext

_ROOM_WAIT = 0.5
_SHORTEST_IDLE = 0.001

_REAL_WAIT = 0.05
"""A `wait` that took this many seconds or more was not a spurious wake-up."""

_SLICE = timedelta(seconds=0.5)
"""Upper bound for one `wait` call, so that `stop()` stays responsive."""


class Fetcher:
    """Claims jobs, and waits while none is due, in one of the threads for sync handlers.

    If this thread claims a single job, and another thread is free, it runs the job itself, and the other thread goes on
    to claim. So the job need not wait until a thread wakes.
    """

    def __init__(
        self,
        context: WorkerContext,
        in_flight: InFlight,
        extend: Callable[[Sequence[Attempt]], None],
        dispatch: Callable[[Sequence[Attempt]], Attempt | None],
        stuck: StuckHandlers,
    ) -> None:
        self._steps = Steps("fetcher", self._step)
        self._running = Lock()
        self._claimed: Attempt | None = None
        self._context = context
        self._in_flight = in_flight
        self._extend = extend
        self._dispatch = dispatch
        self._stuck = stuck
        self._turns = Turns(context.queues, context.settings.queue_weights or {})
        self._idle = _SHORTEST_IDLE
        self._woke_at_once = False

    def run(self) -> Attempt | None:
        """Claim until stopped, and return None, or until this thread should run a job, and return it.

        Then another thread should call this method.
        """
        thread = current_thread()
        with self._running:
            name, thread.name = thread.name, self._steps.name
            self._claimed = None
            self._steps.run(until=lambda: self._claimed is not None)
            thread.name = name
            return self._claimed

    @property
    def running(self) -> bool:
        """Whether a thread claims jobs."""
        return self._running.locked()

    @property
    def stopping(self) -> bool:
        """Whether no further claim begins."""
        return self._steps.stopping.is_set()

    def begin_stop(self) -> None:
        """Begin no further claim."""
        self._steps.stopping.set()

    def stop(self, seconds: float) -> None:
        """Begin no further claim, and wait for the current one; abandon it if the store does not respond in time."""
        self.begin_stop()
        if self._running.acquire(timeout=max(0.0, seconds)):
            self._running.release()

    def _step(self) -> None:
        self._in_flight.rest.end()  # here, as no job waits for it after the dispatch
        self._in_flight.freed.clear()
        room = self._in_flight.room()
        if self._stuck.hold_claims() or not room:
            self._in_flight.freed.wait(_ROOM_WAIT)
            return
        began = clock.seconds()
        attempts = self._claim(room, began)
        if attempts:
            self._start(attempts, late=clock.seconds() - began > self._context.half_lease)
            self._woke_at_once = False
        elif not self._turns.follows:
            self._wait()

    def _claim(self, room: int, began: float) -> Sequence[Attempt]:
        """Claim jobs and record them as in flight. A job lost in between would wait for its lease to expire."""
        settings = self._context.settings
        self._in_flight.claiming_since = began
        try:
            queues = self._turns.take()
            with self._context.observers.calling("claim", lambda: queues):
                records = self._context.backend.claim(queues, limit=room, worker=settings.worker, lease=settings.lease)
            self._turns.report(is_full=len(records) == room)
            attempts = self._attempts(records)
            self._in_flight.take(attempts)
        finally:
            self._in_flight.claiming_since = None
        return attempts

    def _attempts(self, records: Sequence[Record]) -> list[Attempt]:
        context, claimed_at = self._context, clock.seconds()
        extend_at = claimed_at + context.extend_interval
        kinds = {record.kind for record in records if isinstance(record.kind, str)}
        known = {kind: definition for kind in kinds if (definition := context.definitions.get(kind)) is not None}
        return [
            Attempt(
                context,
                record,
                known.get(record.kind, UNKNOWN) if isinstance(record.kind, str) else UNKNOWN,
                claimed_at,
                extend_at,
            )
            for record in records
        ]

    def _start(self, attempts: Sequence[Attempt], *, late: bool) -> None:
        """Pass claimed jobs to the executors. If the claim took long (`late`), extend their leases first."""
        with ExitStack() as always:
            always.callback(self._pass_on, attempts)
            always.callback(self._context.observers.claimed, [attempt.record for attempt in attempts])
            if late:
                self._extend(attempts)

    def _pass_on(self, attempts: Sequence[Attempt]) -> None:
        self._claimed = self._dispatch(attempts)

    def _wait(self) -> None:
        """Wait for a job. Repeated wake-ups without a job are slowed down by pauses that double, up to `poll`."""
        poll = self._context.settings.poll.total_seconds()
        if self._woke_at_once:
            self._steps.stopping.wait(self._idle)
            self._idle = min(self._idle * 2, poll)
        else:
            self._idle = _SHORTEST_IDLE
        began = monotonic()
        self._woke_at_once = self._wakes_within(poll) and monotonic() - began < max(self._idle, _REAL_WAIT)
        self._in_flight.measure_again()

    def _wakes_within(self, seconds: float) -> bool:
        deadline = monotonic() + seconds
        while (left := deadline - monotonic()) > 0 and not self._steps.stopping.is_set():
            if self._context.backend.wait(self._context.queues, timeout=min(timedelta(seconds=left), _SLICE)):
                return True
        return False
