"""Let the threads that watch jobs rest while the worker has none: each wake-up costs CPU time."""

from collections.abc import Collection

from .attempt import Attempt
from .service import Service


class Rest:
    """The pauses of services that have nothing to do unless the worker holds jobs. The fetcher ends a long pause.

    `held` are these jobs, and `taken` counts all jobs so far.
    """

    def __init__(self, held: Collection[Attempt]) -> None:
        self.taken = 0
        self._held = held
        self._taken_before: dict[Service, int] = {}
        self._resting: set[Service] = set()

    def pause(self, service: Service, seconds: float, *, at_rest: float) -> None:
        """Pause a service: for `at_rest` seconds if the worker holds no job, and took none since the previous pause.

        So only a worker without jobs for a while has to be woken.
        """
        self._resting.add(service)  # before it looks for jobs, so that `end` wakes it for a later one
        before, self._taken_before[service] = self._taken_before.get(service), self.taken
        if self._held or self.taken != before:
            self._resting.discard(service)
            service.pause(seconds)
        else:
            service.pause(at_rest)
            self._resting.discard(service)

    def end(self) -> None:
        """Wake the services that rest, if the worker holds a job."""
        if self._resting and self._held:
            for service in list(self._resting):
                service.wake()
