"""The methods of a runner that register jobs. `Runner` inherits them."""

from collections.abc import Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any, TypeVar, cast

from typing_extensions import Unpack

from ..jobs import misuse
from ..jobs.batch_definition import BatchDecorator
from ..jobs.declaration import Declaration
from ..jobs.define import DEFAULT_WAIT, batch, handles
from ..jobs.definition import Definition, FunctionDecorator, HandlerDecorator
from ..jobs.included import jobs_of
from ..jobs.job_base import Job
from ..jobs.misuse import MISSING
from ..jobs.options import OptionArgs
from .lifecycle import Lifecycle

P = TypeVar("P")
R = TypeVar("R")
RegisteredT = TypeVar("RegisteredT", bound=type[Job[Any]] | Declaration[Any, Any])


class RunnerJobs(Lifecycle):
    """Registers jobs."""

    def register(self, job: RegisteredT = MISSING) -> RegisteredT:
        """Register a `Job` class, or a definition from `tallystick.job`. You can use it as a decorator.

        A declaration from `tallystick.declare` needs no registration to be enqueued. Register it to read the results of
        jobs by their ids, and to use `enqueue_raw`.

        Repeat: harmless.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateKind: another class or function has the same kind.
            DefinitionError: the class is not a valid job.
        """
        misuse.check_class(job)
        if isinstance(job, Definition):
            self._registry.add(job)
        elif isinstance(job, Declaration):
            self._registry.declare(job)
        else:
            self._registry.add_class(job)
        return job

    def include(self, module: ModuleType) -> None:
        """Register all jobs among the global names of a module: definitions, declarations and `Job` classes.

        This includes jobs that the module imports. It leaves out classes that cannot be registered: generic ones,
        abstract ones, and those without a kind. Repeat: harmless.

        Raises:
            DefinitionError: the module has no jobs.
            AlreadyStarted, DuplicateKind: see `register`.
        """
        for found in jobs_of(module):
            if isinstance(found, Declaration) or found.work is not Job.work:
                self.register(found)
            else:
                self._registry.declare_class(found)

    def job(self, kind: str = MISSING, **options: Unpack[OptionArgs]) -> FunctionDecorator:
        """Register a function of (payload, ctx) as a job: `@runner.job("reports:generate", queue="reports")`.

        Its annotations give the types of payload and result: any type that pydantic supports. To enqueue a job, write
        `runner.enqueue(generate.job(payload))`. You can still call `generate(payload, ctx)` directly.
        """
        misuse.check_kind(kind, "runner.job")
        return self._registry.decorator(kind, options, Definition.of_function)

    def raw(self, kind: str = MISSING, **options: Unpack[OptionArgs]) -> HandlerDecorator[bytes, bytes | None]:
        """Register a function of (bytes, ctx) that returns bytes or None. Nothing is validated."""
        misuse.check_kind(kind, "runner.raw")
        define = self._registry.decorator(kind, options, Definition.raw)
        return cast("HandlerDecorator[bytes, bytes | None]", define)

    def batch(
        self, kind: str = MISSING, *, max: int = 100, wait: timedelta = DEFAULT_WAIT, **options: Unpack[OptionArgs]
    ) -> BatchDecorator:
        """Register a function that works many jobs in one call: `@runner.batch("search:index", max=100)`.

        It takes a list of payloads and a list of contexts, and returns a list with a result or an exception for each
        job, or None. If it raises, all its jobs have failed. You enqueue single jobs: `runner.enqueue(index.job(one))`.

        Args:
            max: The most jobs of one call, from 1 to 10,000.
            wait: How long a claimed job waits until the batch is full; at most a sixth of the setting `lease`.
        """
        define = batch(kind, max=max, wait=wait, **options)
        return cast("BatchDecorator", lambda function: self.register(define(function)))

    def handles(self, declaration: Declaration[P, R], **options: Unpack[OptionArgs]) -> HandlerDecorator[P, R]:
        """Register a function as the handler of a declared kind: `@runner.handles(send)`. See `tallystick.handles`."""
        define = handles(declaration, **options)
        return cast("HandlerDecorator[P, R]", lambda function: self.register(define(function)))

    @property
    def definitions(self) -> Mapping[str, Definition[Any, Any]]:
        """The registered jobs by kind."""
        return self._registry
