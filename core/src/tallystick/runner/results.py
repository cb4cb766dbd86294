"""The methods of a runner about records and results of jobs. `Runner` inherits them."""

from collections.abc import Iterable
from datetime import timedelta
from time import sleep
from typing import Any, TypeVar, overload
from uuid import UUID

from ..async_bridge import async_variant, hop
from ..config.stored_form import read_payload, read_result, stored_payload
from ..contract.records import Record
from ..contract.schedules import Schedule
from ..errors import JobNotFound
from ..jobs.declaration import Declaration
from ..jobs.handle import Handle, job_id
from ..jobs.job_base import Job
from ..worker import pauses
from .job_result import JobResult
from .lifecycle import Lifecycle
from .waiting import Waiting

R = TypeVar("R")

Defined = type[Job[object]] | Declaration[Any, Any]
"""A job by its class, its definition or its declaration."""


class RunnerResults(Lifecycle):
    """Reads records and results, and waits for jobs to finish."""

    def get(self, job: Handle[object] | UUID) -> Record:
        """Return the current record of a job; raise `JobNotFound` if it does not exist."""
        id = job_id(job)
        try:
            return self.backend.get([id])[id]
        except KeyError:
            raise JobNotFound(
                f"job {id} was not found: it never existed, or it was deleted or purged; check the id and the store"
            ) from None

    aget = async_variant(get)

    def read_payload(self, stored: Record | Schedule) -> bytes:
        """Return the payload of a job or a schedule, decoded by the codec. Without a codec, it is as stored.

        The bytes are JSON unless the kind is raw, or another program stored something else.

        Raises:
            InvalidPayload: the codec cannot decode the payload.
        """
        return read_payload(self._settings, stored.payload, stored.kind)

    def stored_payload(self, kind: str, payload: bytes) -> bytes:
        """Return the bytes that a store keeps for an encoded payload. Without a codec, they are the same.

        Raises:
            InvalidPayload: the codec raised an exception.
            PayloadTooLarge: there are more bytes than `max_payload_bytes` allows.
        """
        return stored_payload(self._settings, payload, kind)

    def read_result(self, record: Record) -> bytes | None:
        """Return the result of a job, decoded by the codec; None if it has none. See `result` for its value.

        Raises:
            InvalidResult: the codec cannot decode the result.
        """
        return read_result(self._settings, record.result, record.kind)

    @overload
    def result(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    def result(self, job: UUID, of: type[Job[R]] | Declaration[Any, R], *, timeout: timedelta = ...) -> R: ...
    @overload
    def result(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    def result(
        self,
        job: Handle[object] | UUID,
        of: Defined | None = None,
        *,
        timeout: timedelta = timedelta(0),
    ) -> Any:
        """Return the result of a job, waiting up to `timeout` for the job to finish.

        For a job by its id, pass its Job class or its definition, too: `runner.result(id, SendWelcome)`. Then type
        checkers know the type of the result.

        Args:
            of: The Job class, definition or declaration of the job. It decodes the result.
            timeout: The longest time to wait. By default zero: the job must have finished.

        Raises:
            InvalidArgument: the job is of another kind than `of`.
            NotFinished: the job did not finish in time.
            JobDiscarded, JobCancelled: the job has no result, and gets none unless it is requeued.
            ResultExpired: the job's `keep_result` has passed, or its record was purged.
            JobNotFound: the job was never stored, or was deleted.
        """
        return self._waited(job, of, timeout).value

    @overload
    async def aresult(self, job: Handle[R], *, timeout: timedelta = ...) -> R: ...
    @overload
    async def aresult(self, job: UUID, of: type[Job[R]] | Declaration[Any, R], *, timeout: timedelta = ...) -> R: ...
    @overload
    async def aresult(self, job: UUID, *, timeout: timedelta = ...) -> Any: ...
    async def aresult(
        self,
        job: Handle[object] | UUID,
        of: Defined | None = None,
        *,
        timeout: timedelta = timedelta(0),
    ) -> Any:
        """See `result`. Holds no thread while it waits."""
        return (await self._awaited(job, of, timeout)).value

    @overload
    def wait_for(self, job: Handle[R], *, timeout: timedelta | None = ...) -> JobResult[R]: ...
    @overload
    def wait_for(
        self, job: UUID, of: type[Job[R]] | Declaration[Any, R], *, timeout: timedelta | None = ...
    ) -> JobResult[R]: ...
    @overload
    def wait_for(self, job: UUID, *, timeout: timedelta | None = ...) -> JobResult[Any]: ...
    def wait_for(
        self,
        job: Handle[object] | UUID,
        of: Defined | None = None,
        *,
        timeout: timedelta | None = None,
    ) -> JobResult[Any]:
        """Wait for a job to finish, and return how it stands: its `status`, its `record`, and its `value`.

        Args:
            of: See `result`.
            timeout: The longest time to wait; None waits until the job finishes. Returns at once for a job that the
                store does not have.
        """
        return self._waited(job, of, timeout)

    @overload
    async def await_for(self, job: Handle[R], *, timeout: timedelta | None = ...) -> JobResult[R]: ...
    @overload
    async def await_for(
        self, job: UUID, of: type[Job[R]] | Declaration[Any, R], *, timeout: timedelta | None = ...
    ) -> JobResult[R]: ...
    @overload
    async def await_for(self, job: UUID, *, timeout: timedelta | None = ...) -> JobResult[Any]: ...
    async def await_for(
        self,
        job: Handle[object] | UUID,
        of: Defined | None = None,
        *,
        timeout: timedelta | None = None,
    ) -> JobResult[Any]:
        """See `wait_for`. Holds no thread while it waits."""
        return await self._awaited(job, of, timeout)

    @overload
    def wait_for_all(self, jobs: Iterable[Handle[R]], *, timeout: timedelta | None = ...) -> list[JobResult[R]]: ...
    @overload
    def wait_for_all(
        self, jobs: Iterable[Handle[object] | UUID], *, timeout: timedelta | None = ...
    ) -> list[JobResult[Any]]: ...
    def wait_for_all(
        self, jobs: Iterable[Handle[object] | UUID], *, timeout: timedelta | None = None
    ) -> list[JobResult[Any]]:
        """Wait for several jobs to finish; see `wait_for`. Each poll of the store reads all that have not finished.

        Returns:
            One result for each job, in the order given. At the timeout, some may be `NOT_FINISHED`.
        """
        waiting = Waiting(jobs)
        for pause in pauses.until(timeout):
            if waiting.look(self.backend, self._registry, self._settings):
                break
            sleep(pause)
        else:
            waiting.look(self.backend, self._registry, self._settings)
        return waiting.results

    @overload
    async def await_for_all(
        self, jobs: Iterable[Handle[R]], *, timeout: timedelta | None = ...
    ) -> list[JobResult[R]]: ...
    @overload
    async def await_for_all(
        self, jobs: Iterable[Handle[object] | UUID], *, timeout: timedelta | None = ...
    ) -> list[JobResult[Any]]: ...
    async def await_for_all(
        self, jobs: Iterable[Handle[object] | UUID], *, timeout: timedelta | None = None
    ) -> list[JobResult[Any]]:
        """See `wait_for_all`. Holds no thread while it waits."""
        import asyncio  # noqa: PLC0415  # a program without async code does not load it

        waiting = Waiting(jobs)
        for pause in pauses.until(timeout):
            if await hop(lambda: waiting.look(self.backend, self._registry, self._settings)):
                break
            await asyncio.sleep(pause)
        else:
            await hop(lambda: waiting.look(self.backend, self._registry, self._settings))
        return waiting.results

    def _waited(
        self,
        job: Handle[object] | UUID,
        of: Defined | None,
        timeout: timedelta | None,
    ) -> JobResult[Any]:
        declaration = None if of is None else self._registry.declaration_of(of)
        return self.wait_for_all([job], timeout=timeout)[0].of(declaration)

    async def _awaited(
        self,
        job: Handle[object] | UUID,
        of: Defined | None,
        timeout: timedelta | None,
    ) -> JobResult[Any]:
        declaration = None if of is None else self._registry.declaration_of(of)
        return (await self.await_for_all([job], timeout=timeout))[0].of(declaration)
