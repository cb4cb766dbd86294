"""Describe the worker to the store, and send its meters, every few seconds."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic

from .._version import __version__
from ..contract import validation
from ..contract.records import Claim
from ..contract.registers import MOST_QUEUES, MOST_RUNNING, Beat, MeterDelta, Running
from ..errors import InvalidArgument, Unavailable, Unsupported
from ..messages.safe_logging import safe_logger
from ..messages.safe_repr import safe_repr
from .in_flight import InFlight
from .meters import Meters
from .service import Service
from .worker_context import WorkerContext

logger = safe_logger("tallystick.worker")

_TTL = timedelta(seconds=30)
"""How long a beat counts. The worker sends one after a third of it, so one may fail."""

_INTERVAL = 10.0

_MOST_UNSENT = 10_000
"""The most numbers to keep while the store is unavailable. Beyond it, the oldest are dropped."""


class Reporter:
    """A thread with two calls in each interval: one beat, and one `meter` if attempts have ended."""

    def __init__(self, context: WorkerContext, in_flight: InFlight, meters: Meters) -> None:
        self.service = Service("reporter", self._step, context.current, last=self._say_goodbye)
        self._context = context
        self._in_flight = in_flight
        self._meters = meters
        self._unsent: list[MeterDelta] = []
        self._unsupported: set[str] = set()
        self._draining = False
        self._started_at = datetime.now(UTC)

    def drain(self) -> None:
        """Report now that this worker stops."""
        self._draining = True
        self.service.wake()

    def _step(self) -> None:
        try:
            self._try("beat", lambda: self._context.backend.beat(self._beat(), ttl=_TTL))
        finally:
            self._try("meter", self._send)
        self.service.pause(_INTERVAL)

    def _say_goodbye(self) -> None:
        try:
            self._try("meter", self._send)
        finally:
            self._try("beat", lambda: self._context.backend.beat(self._beat(), ttl=timedelta(0)))

    def _try(self, what: str, call: Callable[[], None]) -> None:
        """Make a call, unless the store does not support it."""
        if what in self._unsupported:
            return
        try:
            call()
        except Unsupported as exc:
            logger.debug("this worker sends no %s: %s", what, safe_repr(exc))
            self._unsupported.add(what)

    def _beat(self) -> Beat:
        settings = self._context.settings
        running = sorted(self._running(), key=lambda each: each.since)
        return Beat(
            worker=settings.worker,
            host=_host(),
            pid=os.getpid(),
            version=__version__,
            queues=self._context.queues[:MOST_QUEUES],
            concurrency=settings.concurrency,
            started_at=self._started_at,
            running=tuple(running[:MOST_RUNNING]),
            busy=len(running),
            draining=self._draining,
        )

    def _running(self) -> list[Running]:
        """Return the attempts in their handlers, except those of unregistered kinds, which end at once."""
        now, clock = datetime.now(UTC), monotonic()
        return [
            Running(Claim(*attempt.claim), attempt.kind, now - timedelta(seconds=clock - attempt.started_at))
            for attempt in list(self._in_flight.open)
            if attempt.started_at is not None and attempt.kind in self._context.definitions
        ]

    def _send(self) -> None:
        """Send the meters. Keep them while the store is unavailable, but do not repeat a call that may have worked."""
        self._unsent = [*self._unsent, *self._meters.take()][-_MOST_UNSENT:]
        while self._unsent:
            size = self._context.backend.capabilities.max_batch
            batch, rest = self._unsent[:size], self._unsent[size:]
            try:
                self._context.backend.meter(batch)
            except Unavailable:
                raise
            except BaseException:
                self._unsent = rest
                raise
            self._unsent = rest


def _host() -> str:
    with suppress(InvalidArgument):
        return validation.name(socket.gethostname(), "host")
    return "unknown"
