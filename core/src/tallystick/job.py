"""Jobs written as classes: the fields are the payload, and the method `work` is the handler."""

from collections.abc import Awaitable, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Generic

from pydantic import BaseModel
from typing_extensions import TypeVar

from .context import Context
from .errors import DefinitionError
from .job_class import JobMeta
from .options import DEFAULTS, Options
from .records import OnConflict, UniqueUntil
from .retry import RetryPolicy

R_co = TypeVar("R_co", covariant=True, default=Any)


class Job(BaseModel, Generic[R_co], metaclass=JobMeta):
    """Base class of jobs. Subclass it with a `kind`, fields, and a sync or async method `work`.

    Write `Job[Receipt]` if `work` returns a Receipt. Class attributes set the defaults of `Options`, without
    annotation: `queue = "emails"`. An annotated option is rejected, because it would be a field of the payload. `tags`
    and `meta` apply to every job of the kind.
    """

    kind: ClassVar[str]
    queue: ClassVar[str] = DEFAULTS.queue
    priority: ClassVar[int] = DEFAULTS.priority
    max_attempts: ClassVar[int] = DEFAULTS.max_attempts
    retry: ClassVar[RetryPolicy] = DEFAULTS.retry
    timeout: ClassVar[timedelta | None] = DEFAULTS.timeout
    tags: ClassVar[tuple[str, ...]] = DEFAULTS.tags
    meta: ClassVar[Mapping[str, str]] = DEFAULTS.meta
    unique_until: ClassVar[UniqueUntil] = DEFAULTS.unique_until
    on_conflict: ClassVar[OnConflict] = DEFAULTS.on_conflict
    debounce_max: ClassVar[timedelta | None] = DEFAULTS.debounce_max
    keep_completed: ClassVar[timedelta | None] = DEFAULTS.keep_completed
    keep_discarded: ClassVar[timedelta | None] = DEFAULTS.keep_discarded
    keep_cancelled: ClassVar[timedelta | None] = DEFAULTS.keep_cancelled

    def work(self, ctx: Context) -> R_co | Awaitable[R_co]:
        """Do the job. Return its result, or raise an exception to fail."""
        raise NotImplementedError

    @classmethod
    def options(cls) -> Options:
        """Return the class attributes as options.

        Raises:
            DefinitionError: the class has no `kind`, or does not define `work`.
        """
        if getattr(cls, "kind", None) is None:
            raise DefinitionError(f'{cls.__name__} has no kind; give it one: kind = "emails:welcome"')
        if cls.work is Job.work:
            raise DefinitionError(f"{cls.__name__} has no work method; write: def work(self, ctx: Context) -> ...")
        return Options(
            queue=cls.queue,
            priority=cls.priority,
            max_attempts=cls.max_attempts,
            retry=cls.retry,
            timeout=cls.timeout,
            tags=cls.tags,
            meta=cls.meta,
            unique_until=cls.unique_until,
            on_conflict=cls.on_conflict,
            debounce_max=cls.debounce_max,
            keep_completed=cls.keep_completed,
            keep_discarded=cls.keep_discarded,
            keep_cancelled=cls.keep_cancelled,
        )
