"""Replace the handlers of isolated kinds by calls of child processes."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, assert_never

from ..errors import ConfigurationError, DefinitionError
from ..jobs.definition import Definition
from ..worker import WorkerContext
from ..worker.attempt import Attempt
from ..worker.execute import UndecodedPayload, UnstorableResult
from . import inside
from .addresses import Address, address_of, address_of_global
from .exceptions import read
from .messages import Raised, Returned, Work
from .pool import ChildPool

_OF_ENQUEUES = ("backend", "max_attempts", "max_payload_bytes", "auto_setup")
"""The settings that a handler needs to enqueue jobs. The options of a command may have changed them."""


def isolate(context: WorkerContext, runner: object, jobs: Mapping[str, type]) -> WorkerContext:
    """Return the context of a worker that runs the handlers of isolated kinds in child processes.

    Args:
        context: The context with the definitions of the application.
        runner: The runner. A child process looks for it in its module.
        jobs: The `Job` classes, by kind.

    Raises:
        ConfigurationError: the system has no such processes.
        DefinitionError: an import would not find a job, or its services.
    """
    if sys.platform == "win32":
        raise ConfigurationError('isolation="process" needs a POSIX system; remove this option from your jobs')
    if inside.is_child:
        raise DefinitionError(
            "a child process imports this module to run a handler, and the module starts a runner; move the code that "
            'starts it under `if __name__ == "__main__":`'
        )
    pool = ChildPool()
    child_runner = address_of_global(runner)
    for definition in context.definitions.values():
        if child_runner is None and definition.options.isolation is not None and definition.services:
            raise DefinitionError(
                f'{definition.kind!r} has isolation="process" and takes services, and a child process would not find '
                "the runner that provides them; make the runner a global variable of a module"
            )
    settings = {name: getattr(context.settings, name) for name in _OF_ENQUEUES}
    isolated = {
        definition: _isolated(definition, Isolated(pool, _found(definition, jobs), child_runner, settings))
        for definition in context.definitions.values()
        if definition.options.isolation is not None
    }
    return replace(context, definitions=_Definitions(context.definitions, isolated), children=pool)


class Isolated(NamedTuple):
    """A handler that runs in a child process."""

    pool: ChildPool
    job: Address
    runner: Address | None
    settings: Mapping[str, Any]

    def __call__(self, payload: bytes, attempt: Attempt) -> bytes | None:
        """Run an attempt in a child, and return its result as JSON."""
        work = Work(
            self.job,
            self.runner,
            self.settings,
            attempt.record._replace(payload=b""),
            payload,
            attempt.definition.options.memory_limit,
        )
        with self.pool.child() as child:
            reply = child.run(work, attempt)
        if isinstance(reply, Returned):
            return reply.result
        raise _exception(reply, attempt)


def _exception(reply: Raised, attempt: Attempt) -> BaseException:
    exc = read(reply)
    match reply.stage:
        case "payload":
            return UndecodedPayload(exc)
        case "result":
            return UnstorableResult(exc)
        case "handler":
            attempt.failure = reply.failure
            return exc
        case _:
            assert_never(reply.stage)


class _Definitions(Mapping[str, Definition[Any, Any]]):
    """The definitions of the application, some of them isolated."""

    def __init__(
        self,
        original: Mapping[str, Definition[Any, Any]],
        isolated: Mapping[Definition[Any, Any], Definition[Any, Any]],
    ) -> None:
        self._original = original
        self._isolated = isolated

    def __getitem__(self, kind: str) -> Definition[Any, Any]:
        definition = self._original[kind]
        return self._isolated.get(definition, definition)

    def __iter__(self) -> Iterator[str]:
        return iter(self._original)

    def __len__(self) -> int:
        return len(self._original)


def _isolated(definition: Definition[Any, Any], handler: Any) -> Definition[Any, Any]:
    """Return a definition of bytes: the child decodes the payload, and encodes the result."""
    return replace(
        definition, handler=handler, is_async=False, services={}, payloads=None, results=None, may_return_none=True
    )


def _found(definition: Definition[Any, Any], jobs: Mapping[str, type]) -> Address:
    job = jobs.get(definition.kind)
    value, named = (definition, definition.handler) if job is None else (job, job)
    address = address_of(value, named.__module__, named.__qualname__)
    if address is None:
        raise DefinitionError(
            f'{definition.kind!r} has isolation="process", and a child process would not find it as '
            f"{named.__qualname__} in the module {named.__module__}; write the decorator above the function, at the "
            "level of a module"
        )
    return address
