"""The parts of a running dashboard, and how its handlers call the store from the event loop."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
import anyio.to_thread
from starlette.requests import Request
from tallystick import Backend, Runner

from .control.bulk import BulkTasks
from .control.metrics import Counters
from .control.plane import ControlPlane
from .permissions import User
from .rejections import Rejection
from .security.authentication import Authentication
from .settings import DashboardSettings

T = TypeVar("T")

THREADS = 20
"""How many calls of the store run at once. Calls that run past the timeout keep their thread until they return."""


@dataclass(slots=True)
class Site:
    """The control plane, the running bulk actions, the login, and the threads that call the store."""

    plane: ControlPlane
    bulk: BulkTasks
    authentication: Authentication
    counters: Counters = field(default_factory=Counters)
    _limiter: anyio.CapacityLimiter | None = None

    @classmethod
    def of(cls, source: Runner | Backend | str, settings: DashboardSettings) -> "Site":
        """Return the parts of a new dashboard."""
        plane = ControlPlane(source, settings)
        return cls(plane, BulkTasks(plane), Authentication(settings))

    @property
    def settings(self) -> DashboardSettings:
        """The settings of the dashboard."""
        return self.plane.settings

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function that blocks, in a thread. Stop waiting at the timeout of a page."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(THREADS)
        timeout = self.settings.timeout.total_seconds()
        with anyio.move_on_after(timeout):
            return await anyio.to_thread.run_sync(function, abandon_on_cancel=True, limiter=self._limiter)
        raise Rejection(
            503,
            "the store did not respond within %(seconds)s seconds; narrow the filter, or try again",
            seconds=f"{timeout:g}",
        )


def user_of(request: Request) -> User:
    """Return the user whom the guard found."""
    user = request.scope.get("tallystick_user")
    assert isinstance(user, User)
    return user


def site_of(request: Request) -> Site:
    """Return the site of a request."""
    site: Site = request.app.state.site
    return site
