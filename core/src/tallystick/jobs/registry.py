"""The jobs registered with a runner, by kind."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from ..errors import AlreadyStarted, DuplicateKind, InvalidArgument, UnknownKind
from ..messages.advice import near
from ..messages.safe_repr import safe_repr
from .declaration import Call, Declaration
from .definition import Definition, Handler, declare_class, has_work
from .job_base import Job
from .misuse import not_registered, not_registered_class
from .options import OptionArgs, Options, read_options
from .origin import Origin

R = TypeVar("R")


class Registry(Mapping[str, Definition[Any, Any]]):
    """A mapping from kind to definition. While `closed`, it accepts no new kinds, but known kinds can be redefined.

    It also remembers declarations, whose jobs can be enqueued and whose results can be read. An alias finds the
    definition that has it, but is not among the kinds that the mapping lists.
    """

    def __init__(self) -> None:
        self._by_alias: dict[str, Definition[Any, Any]] = {}
        self._declared: dict[str, Declaration[Any, Any]] = {}
        self._declared_classes: dict[type[Job[Any]], Declaration[Any, Any]] = {}
        self._by_kind: dict[str, Definition[Any, Any]] = {}
        self._by_class: dict[type[Job[Any]], Definition[Any, Any]] = {}
        self._origins: dict[str, Origin | None] = {}
        self.closed = False

    def add(self, definition: Definition[Any, Any]) -> None:
        """Add the definition of a function. If the same function is executed again, it replaces its earlier definition.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateKind: another definition has the same kind.
        """
        self._add(definition, Origin.of(definition.handler, definition.handler))

    def add_class(self, job: type[Job[Any]]) -> None:
        """Add the definition of a `Job` class, as `add` does. Its subclasses are not added."""
        if isinstance(job, type) and job in self._by_class:
            return
        definition = Definition.of_class(job)
        self._add(definition, Origin.of(job, job.work))
        self._by_class = {other: known for other, known in self._by_class.items() if known.kind != definition.kind}
        self._by_class[job] = definition

    def declare(self, declaration: Declaration[Any, Any]) -> None:
        """Remember a declaration. A later one of the same kind replaces it."""
        self._declared.update(dict.fromkeys((declaration.kind, *declaration.options.aliases), declaration))

    def declare_class(self, job: type[Job[Any]]) -> None:
        """Remember a `Job` class that has no `work`."""
        declaration = self._declared_classes[job] = declare_class(job)
        self.declare(declaration)

    def decorator(
        self,
        kind: str,
        options: OptionArgs,
        define: Callable[[str, Handler[Any, Any], Options], Definition[Any, Any]],
    ) -> Callable[[Handler[Any, Any]], Definition[Any, Any]]:
        """Return a decorator that defines and adds a function. The options are checked now."""
        read = read_options(kind, {**options})

        def register(function: Handler[Any, Any]) -> Definition[Any, Any]:
            definition = define(kind, function, read)
            self.add(definition)
            return definition

        return register

    def _add(self, definition: Definition[Any, Any], origin: Origin | None) -> None:
        kind = definition.kind
        if (other := self._by_kind.get(kind)) is definition:
            return
        if other is not None:
            before = self._origins[kind]
            if before is None or not before.is_executed_again(origin):
                raise DuplicateKind(
                    f"{kind!r} is already registered for {safe_repr(other.handler)}, "
                    f"so {safe_repr(definition.handler)} needs another kind"
                )
        if self.closed and (other is None or definition.options.isolation is not None):
            raise AlreadyStarted(
                f"{kind!r} cannot be registered because the runner has started; register it before start(), or call "
                "stop() first"
            )
        self._check_aliases(definition)
        self._by_alias = {alias: known for alias, known in self._by_alias.items() if known.kind != kind}
        self._by_alias.update(dict.fromkeys(definition.options.aliases, definition))
        self._by_kind[kind] = definition
        self._origins[kind] = origin

    @property
    def classes(self) -> dict[str, type[Job[Any]]]:
        """The registered `Job` classes, by kind."""
        return {definition.kind: job for job, definition in self._by_class.items()}

    def _check_aliases(self, definition: Definition[Any, Any]) -> None:
        """Reject a kind or an alias that another definition has as its kind or its alias."""
        taken = {**self._by_alias, **self._by_kind}
        for name in (definition.kind, *definition.options.aliases):
            if (other := taken.get(name)) is not None and other.kind != definition.kind:
                raise DuplicateKind(
                    f"{name!r} is a kind or an alias of {safe_repr(other.handler)} already; choose another"
                )

    def check_upgrades(self) -> None:
        """Reject a kind that lacks an upgrade between two versions of its payload."""
        for kind, definition in self._by_kind.items():
            definition.upgrades.check(kind, definition.options.payload_version)

    def resolve(self, job: Job[Any] | Call[Any]) -> tuple[Declaration[Any, Any], Any]:
        """Return the declaration and the payload of a job.

        Raises:
            UnknownKind: the job has a handler and is not registered, or its kind belongs to another definition.
        """
        if isinstance(job, Call):
            if self._by_kind.get(job.definition.kind) is job.definition:
                return job.definition, job.payload
            if self._may_declare(job.definition):
                self.declare(job.definition)
                return job.definition, job.payload
        elif (definition := self._by_class.get(type(job))) is not None:
            return definition, job
        elif isinstance(job, Job) and not has_work(type(job)) and self._has_handler_for(type(job)):
            if type(job) not in self._declared_classes:
                self.declare_class(type(job))
            return self._declared_classes[type(job)], job
        raise UnknownKind(f"{not_registered(job, self._by_class)}; {self._known(job)}")

    def declaration_of(self, job: "type[Job[R]] | Declaration[Any, R]") -> Declaration[Any, R]:
        """Return the declaration that a Job class, a definition or a declaration stands for.

        Raises:
            UnknownKind: the class has a handler, and is not registered.
            InvalidArgument: it is none of these.
        """
        if isinstance(job, Declaration):
            return job
        if not isinstance(job, type) or not issubclass(job, Job):
            raise InvalidArgument(
                f"{safe_repr(job)} is not the definition of a job; pass a Job class, a function with @runner.job, or a "
                "declaration"
            )
        if (definition := self._by_class.get(job)) is not None:
            return definition
        if has_work(job):
            raise UnknownKind(f"{not_registered_class(job, self._by_class)}; {self._known(None)}")
        if job not in self._declared_classes:
            self.declare_class(job)
        return self._declared_classes[job]

    def _may_declare(self, declaration: Declaration[Any, Any]) -> bool:
        """Return whether a declaration needs no registration: it has no handler, or its handler is registered."""
        known = self._by_kind.get(declaration.kind)
        return not isinstance(declaration, Definition) and (known is None or known.declares is declaration)

    def _has_handler_for(self, job: type[Job[Any]]) -> bool:
        """Return whether the kind of a class without `work` is free here, or belongs to a subclass that has it."""
        known = self._by_kind.get(getattr(job, "kind", ""))
        return known is None or any(
            issubclass(handler, job) for handler, definition in self._by_class.items() if definition is known
        )

    def find(self, kind: str) -> Declaration[Any, Any] | None:
        """Return the declaration of a kind; None if it is not known."""
        return self.get(kind) or self._declared.get(kind)

    def named(self, kind: str) -> Declaration[Any, Any]:
        """Return the declaration of a kind; raise `UnknownKind` if it is not known."""
        known = self.find(kind) if isinstance(kind, str) else None
        if known is None:
            raise UnknownKind(f"{safe_repr(kind)} is not registered with this runner; {self._known(kind)}")
        return known

    def _known(self, kind: object) -> str:
        kinds = {*self._by_kind, *self._declared}
        return f"{near(kind, kinds)}the registered kinds are: {', '.join(sorted(kinds)) or 'none'}"

    def __getitem__(self, kind: str) -> Definition[Any, Any]:
        return self._by_kind[kind] if kind in self._by_kind else self._by_alias[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_kind)

    def __len__(self) -> int:
        return len(self._by_kind)
