"""Find the jobs that a test has enqueued, and say which jobs there are if none matches."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from ..config.stored_form import read_payload
from ..contract.backend import Backend
from ..contract.filters import Filter
from ..contract.records import Record
from ..errors import InvalidArgument, TallystickError
from ..jobs.declaration import Call, Declaration
from ..jobs.definition import declare_class, has_work
from ..jobs.job_base import Job
from ..messages.advice import near
from ..messages.safe_repr import safe_repr
from ..runner.runner import Runner

Wanted = type[Job[object]] | Declaration[Any, Any] | Job[object] | Call[object] | str
"""Which jobs to find: those of a kind (a Job class, a registered function, or its name), or those equal to a job."""

_PAGE = 200
_SHOWN = 10
_MISSING = object()


class Enqueued:
    """The jobs of a store that match a kind and some fields of the payload."""

    def __init__(
        self,
        backend: Backend,
        runner: Runner,
        wanted: Wanted,
        fields: Mapping[str, object],
    ) -> None:
        self._backend = backend
        self._settings = runner.settings
        self._declaration = runner.definitions.get(_kind(wanted)) or _declared(wanted)
        self._kind = _kind(wanted)
        self._fields = fields
        self._equal: tuple[Any] | None = None
        if isinstance(wanted, Job | Call):
            self._equal = (self._payload(self._encoded(wanted), None),)
        if fields and self._equal:
            raise InvalidArgument(f"{safe_repr(wanted)} is a whole job; pass its class to match single fields")
        self._check_fields(wanted)

    def records(self, without: frozenset[UUID] = frozenset()) -> list[Record]:
        """Return the matching records, the first enqueued first."""
        return [each for each in self._of_kind(without) if self._matches(each)]

    def assert_some(self, without: frozenset[UUID] = frozenset()) -> list[Record]:
        """Return the matching records; fail if there are none."""
        if found := self.records(without):
            return found
        raise AssertionError(f"no job {self} was enqueued; {self._others(without)}")

    def assert_none(self, without: frozenset[UUID] = frozenset()) -> None:
        """Fail if there are matching records."""
        if found := self.records(without):
            raise AssertionError(f"{len(found)} jobs {self} were enqueued: {self._listed(found)}")

    def __str__(self) -> str:
        if self._equal:
            return f"{self._kind!r} with the payload {safe_repr(self._equal[0])}"
        fields = ", ".join(f"{name}={safe_repr(value)}" for name, value in self._fields.items())
        return f"{self._kind!r} with {fields}" if fields else repr(self._kind)

    def _of_kind(self, without: frozenset[UUID]) -> list[Record]:
        pages = all_records(self._backend, Filter(kinds=[self._kind]))
        return [each for each in pages if each.id not in without][::-1]

    def _matches(self, record: Record) -> bool:
        payload = self._stored_payload(record)
        if self._equal:
            return bool(payload == self._equal[0])
        return all(_value(payload, name) == value for name, value in self._fields.items())

    def _stored_payload(self, record: Record) -> Any:
        return self._payload(read_payload(self._settings, record.payload, record.kind), record.meta)

    def _payload(self, encoded: bytes, meta: Mapping[str, str] | None) -> Any:
        return encoded if self._declaration is None else self._declaration.decode(encoded, meta)

    def _encoded(self, job: Job[Any] | Call[Any]) -> bytes:
        if self._declaration is None:
            raise InvalidArgument(
                f"the kind {self._kind!r} is not registered with this runner; register it, or pass its class"
            )
        return self._declaration.encode(job.payload if isinstance(job, Call) else job)

    def _check_fields(self, wanted: Wanted) -> None:
        """Reject a name that no payload of the class has: a misspelt one would match nothing."""
        if isinstance(wanted, type) and (unknown := self._fields.keys() - wanted.model_fields.keys()):
            known = ", ".join(wanted.model_fields) or "none"
            raise InvalidArgument(
                f"{wanted.__name__} has no field {(wrong := sorted(unknown)[0])!r}; {near(wrong, wanted.model_fields)}"
                f"its fields are: {known}"
            )

    def _others(self, without: frozenset[UUID]) -> str:
        if same_kind := self._of_kind(without):
            return f"of this kind there are {len(same_kind)}: {self._listed(same_kind)}"
        others = {each.kind for each in all_records(self._backend, Filter()) if each.id not in without}
        return f"the kinds of enqueued jobs are: {', '.join(sorted(others)) or 'none'}"

    def _listed(self, records: list[Record]) -> str:
        shown = [f"{each.state} {self._shown(each)}" for each in records[:_SHOWN]]
        return "; ".join(shown) + ("; ..." if len(records) > _SHOWN else "")

    def _shown(self, record: Record) -> str:
        try:
            return safe_repr(self._stored_payload(record))
        except TallystickError:
            return safe_repr(record.payload)


def all_records(backend: Backend, filter: Filter) -> Iterator[Record]:
    """Yield all matching records, the newest first."""
    page = backend.list(filter, limit=_PAGE)
    while page:
        yield from page
        page = backend.list(filter, limit=_PAGE, after=page[-1].id)


def _kind(wanted: object) -> str:
    match wanted:
        case str():
            return wanted
        case Declaration():
            return wanted.kind
        case Call():
            return wanted.definition.kind
        case Job():
            return wanted.kind
        case type() if issubclass(wanted, Job):
            return wanted.kind
        case _:
            raise InvalidArgument(
                f"{safe_repr(wanted)} is not a job; pass a Job class, a function with @runner.job, a kind, or a job"
            )


def _declared(wanted: object) -> Declaration[Any, Any] | None:
    """Return the declaration of a kind that this runner does not handle."""
    match wanted:
        case Declaration():
            return wanted
        case Call():
            return wanted.definition
        case type() if issubclass(wanted, Job) and not has_work(wanted):
            return declare_class(wanted)
        case Job() if not has_work(type(wanted)):
            return declare_class(type(wanted))
        case _:
            return None


def _value(payload: object, name: str) -> object:
    if isinstance(payload, Mapping):
        return payload.get(name, _MISSING)
    return getattr(payload, name, _MISSING)
