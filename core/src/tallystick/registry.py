"""The jobs that a runner knows, by kind."""

from collections.abc import Iterator, Mapping
from typing import Any

from .definition import Call, Definition
from .errors import AlreadyStarted, DuplicateKind, UnknownKind
from .guards import shown
from .job import Job
from .misuse import not_registered


class Registry(Mapping[str, Definition[Any, Any]]):
    """A mapping from kind to definition that can be added to until it is closed."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Definition[Any, Any]] = {}
        self._by_class: dict[type[Job[Any]], Definition[Any, Any]] = {}
        self.closed = False

    def add(self, definition: Definition[Any, Any]) -> None:
        """Add a definition.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateKind: another definition has its kind.
        """
        if self.closed:
            raise AlreadyStarted(
                f"{definition.kind!r} cannot be registered: the runner has started; register before start()"
            )
        if (other := self._by_kind.get(definition.kind)) is not None:
            raise DuplicateKind(
                f"{definition.kind!r} is registered for {other.handler!r} and cannot be for {definition.handler!r} too"
            )
        self._by_kind[definition.kind] = definition

    def add_class(self, job: type[Job[Any]]) -> None:
        """Add the definition of a `Job` class; its subclasses are not added by that."""
        definition = Definition.of_class(job)
        self.add(definition)
        self._by_class[job] = definition

    def resolve(self, job: Job[Any] | Call[Any]) -> tuple[Definition[Any, Any], Any]:
        """Return the definition and the payload of a job.

        Raises:
            UnknownKind: it was not registered, or something else was under its kind.
        """
        if isinstance(job, Call):
            if self._by_kind.get(job.definition.kind) is job.definition:
                return job.definition, job.payload
        elif (definition := self._by_class.get(type(job))) is not None:
            return definition, job
        raise UnknownKind(f"{not_registered(job, self._by_class)}; {self._known()}")

    def named(self, kind: str) -> Definition[Any, Any]:
        """Return the definition of a kind; raise `UnknownKind` if there is none."""
        if not isinstance(kind, str) or kind not in self._by_kind:
            raise UnknownKind(f"{shown(kind)} is not registered with this runner; {self._known()}")
        return self._by_kind[kind]

    def _known(self) -> str:
        return f"registered are: {', '.join(sorted(self._by_kind)) or 'none'}"

    def __getitem__(self, kind: str) -> Definition[Any, Any]:
        return self._by_kind[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_kind)

    def __len__(self) -> int:
        return len(self._by_kind)
