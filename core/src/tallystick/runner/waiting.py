"""Wait for jobs to finish: remember those that have, and read the others again."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from ..config.settings import Settings
from ..contract.backend import Backend
from ..contract.records import Record
from ..errors import InvalidArgument
from ..jobs.handle import Handle, job_id
from ..jobs.registry import Registry
from ..messages.safe_repr import safe_repr
from .job_result import JobResult, Status, result_of


class Waiting:
    """Some jobs, and how each stood at the last look."""

    def __init__(self, jobs: Iterable[Handle[object] | UUID] | Any) -> None:
        if isinstance(jobs, str | bytes) or not isinstance(jobs, Iterable):
            raise InvalidArgument(f"jobs is {safe_repr(jobs)}; pass a list of handles or ids")
        self._jobs = [(job_id(job), job) for job in jobs]
        self._results: dict[UUID, JobResult[Any]] = {}

    def look(self, backend: Backend, registry: Registry, settings: Settings) -> bool:
        """Read the jobs that had not finished. Return whether all have finished now."""
        jobs = [(id, job) for id, job in self._jobs if not self._has_finished(id)]
        records = _read(backend, list(dict.fromkeys(id for id, _ in jobs)))
        for id, job in jobs:
            self._results[id] = result_of(job, records.get(id), registry, settings)
        return all(self._has_finished(id) for id, _ in jobs)

    @property
    def results(self) -> list[JobResult[Any]]:
        """One result for each job, in the order given."""
        return [self._results[id] for id, _ in self._jobs]

    def _has_finished(self, id: UUID) -> bool:
        return id in self._results and self._results[id].status is not Status.NOT_FINISHED


def _read(backend: Backend, ids: list[UUID]) -> Mapping[UUID, Record]:
    size = backend.capabilities.max_batch
    records: dict[UUID, Record] = {}
    for start in range(0, len(ids), size):
        records.update(backend.get(ids[start : start + size]))
    return records
