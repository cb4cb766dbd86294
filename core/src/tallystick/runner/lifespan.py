"""The methods of a runner that follow its life: wait for its stop, and run with an ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from ..errors import CalledFromInside
from ..jobs.current import is_inside
from ..worker import pauses
from .lifecycle import Lifecycle


class RunnerLifespan(Lifecycle):
    """Waits for the stop of the worker, and opens the runner with an application."""

    def wait_stopped(self, *, timeout: timedelta | None = None) -> bool:
        """Wait until the worker of this runner has stopped, by `stop`, `close` or the end of `run`.

        Args:
            timeout: The longest time to wait; None waits without limit.

        Returns:
            True if no worker runs or is stopping, and False if one still does at the timeout.

        Raises:
            CalledFromInside: a handler or callback of this runner called it, and would wait for itself.
        """
        self._check_outside()
        return self._worker.wait_stopped(timeout)

    async def await_stopped(self, *, timeout: timedelta | None = None) -> bool:
        """See `wait_stopped`. Holds no thread while it waits."""
        import asyncio  # noqa: PLC0415  # a program without async code does not load it

        self._check_outside()
        for pause in pauses.until(timeout):
            if self._worker.stopped:
                return True
            await asyncio.sleep(pause)
        return self._worker.stopped

    def lifespan(self, *, worker: bool = False) -> Callable[[object], AbstractAsyncContextManager[None]]:
        """Return the lifespan of an ASGI application: `FastAPI(lifespan=runner.lifespan())`, the same for Starlette.

        It opens the store when the application starts, and closes it at the end. You can enter it again, as tests do.

        Args:
            worker: Also run jobs, in threads of this process. At the end, jobs may finish within the setting `grace`.
        """

        @asynccontextmanager
        async def lifespan(app: object) -> AsyncIterator[None]:
            async with self:
                if worker:
                    await self.astart()
                yield

        return lifespan

    def _check_outside(self) -> None:
        if is_inside(self):
            raise CalledFromInside(
                "a handler or callback cannot wait for the stop of its own runner; wait in another thread"
            )
