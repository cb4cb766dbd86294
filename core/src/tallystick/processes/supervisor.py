"""Keep several worker processes running, and stop them together."""

import logging
from collections.abc import Callable, Sequence
from time import monotonic, sleep

from ..exit_status import how_it_ended
from ..signals import StopSignals
from .slot import Slot
from .status import Status

logger = logging.getLogger("tallystick.supervisor")

_POLL = 0.05
_SILENT_AFTER = 60.0
"""A process that sent no beat for this many seconds is not healthy."""

MISUSED, FAILED = 2, 3
"""The exit codes of a worker with a wrong setting, and of one that lost outcomes."""

_TERMINATED = (0, -15, 143)
"""How a process that was terminated before it began to work may end."""


class Supervisor:
    """Starts worker processes by a command, to which it adds the number of a socket. See `ChildLink`."""

    def __init__(
        self, command: Sequence[str], plan: bytes, processes: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self._slots = [Slot(number, command, plan, clock) for number in range(1, processes + 1)]
        self._clock = clock
        self._has_worked = False
        self._given_up: int | None = None
        self._draining = False

    def run(self, signals: StopSignals) -> int:
        """Run until a signal. Return the exit code: 0 if every process stopped and recorded its outcomes.

        If the first process exits because of a wrong setting, stop, and return its exit code.
        """
        signals.wait(ended=self._step)
        return self._drain(signals)

    def status(self) -> Status:
        """Return whether at least one process works, and the numbers of each."""
        now = self._clock()
        processes = [
            {
                "pid": slot.pid,
                "restarts": slot.restarts,
                "healthy": slot.beat is not None and not slot.beat.blocked and now - slot.beat_at < _SILENT_AFTER,
                "jobs": slot.beat.jobs if slot.beat else 0,
                "memory": slot.beat.memory if slot.beat else 0,
            }
            for slot in self._slots
        ]
        return Status(any(each["healthy"] for each in processes), {"draining": self._draining, "processes": processes})

    def _step(self) -> bool:
        """Look at each process; return whether to give up. The first process must work before the others start."""
        for slot in self._slots if self._has_worked else self._slots[:1]:
            pid = slot.pid
            if (code := slot.ended()) is not None:
                if code == MISUSED and not self._has_worked:
                    self._given_up = code
                    return True
                slot.start_again(code, pid)
            self._has_worked = self._has_worked or slot.beat is not None
            if slot.is_due:
                slot.start()
        return False

    def _drain(self, signals: StopSignals) -> int:
        """Stop all processes at the same time, and return the highest of their exit codes."""
        self._draining = True
        worst = self._given_up or 0
        left = [slot for slot in self._slots if slot.pid is not None]
        if left:
            logger.info("%d worker processes are stopping", len(left))
        for slot in left:
            slot.stop()
        hurried = False
        while left:
            if signals.again() and not hurried:
                hurried = True
                for slot in left:
                    slot.hurry()
            for slot in left.copy():
                pid = slot.pid
                if (code := slot.ended()) is not None:
                    left.remove(slot)
                    worst = max(worst, self._judged(slot, code, pid))
            sleep(_POLL)
        return worst

    def _judged(self, slot: Slot, code: int, pid: int | None) -> int:
        """Return the exit code that the end of a process adds to that of the supervisor."""
        if code == 0 or (slot.beat is None and code in _TERMINATED):
            return 0
        logger.error("worker process %d (pid %s) %s during the stop", slot.number, pid, how_it_ended(code))
        return code if code > 0 else FAILED
