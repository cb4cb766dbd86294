"""What the terminal reads and changes, by the control plane."""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick import State

from ..control import actions, failures
from ..control.bulk import BulkRequest, BulkTasks, Preview, Progress, preview
from ..control.failures import FailureGroup, filter_of
from ..control.overview import Overview, overview
from ..control.plane import ControlPlane
from ..permissions import Permission, User

WINDOW = "24h"


@dataclass(frozen=True, slots=True)
class View:
    """The numbers on the screen."""

    overview: Overview
    failures: list[FailureGroup]


class TopStore:
    """Reads the view and takes the actions. Every call blocks."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._user: User = plane.settings.user("terminal")
        self._bulk = BulkTasks(plane, start=_at_once)

    def read(self) -> View:
        """Read the numbers."""
        return View(overview(self._plane), failures.grouped(self._plane, self._user, WINDOW).groups)

    def set_paused(self, queue: str, *, paused: bool) -> None:
        """Pause or resume a queue."""
        actions.set_paused(self._plane, self._user, queue, paused=paused)

    def preview_retry(self, group: FailureGroup) -> Preview:
        """Return how many jobs a retry would change."""
        actions.check(self._plane, self._user, Permission.REQUEUE, group.error_type)
        return preview(self._plane, self._user, _request(group))

    def retry(self, group: FailureGroup) -> Progress:
        """Retry the discarded jobs of a group, or else its retrying ones, and wait for the end."""
        return self._bulk.start(self._user, _request(group))


def _request(group: FailureGroup) -> BulkRequest:
    """Return the retry of the discarded jobs of a group; of its retrying ones if none was discarded."""
    state = State.DISCARDED if group.discarded else State.RETRYING
    return BulkRequest(action="requeue", filter=filter_of(group, state, WINDOW))


def _at_once(run: Callable[[], None]) -> None:
    run()
