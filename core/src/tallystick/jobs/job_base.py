"""Jobs written as classes: the fields are the payload, and the method `work` is the handler."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, cast
from weakref import WeakKeyDictionary

from pydantic import BaseModel
from typing_extensions import TypeVar, Unpack

from ..async_bridge import async_variant
from ..contract.records import OnConflict, UniqueUntil
from ..errors import DefinitionError
from .context import Context
from .current import current
from .handle import Handle
from .job_class import JobMeta
from .options import DEFAULTS, Isolation, Options, check_none
from .payload_versions import Upgrades, UpgradeT
from .retry import RetryPolicy
from .unique_by import UniqueBy

if TYPE_CHECKING:
    from ..runner.enqueueing import EnqueueOptions

R_co = TypeVar("R_co", covariant=True, default=Any)


class Job(BaseModel, Generic[R_co], metaclass=JobMeta):
    """Base class of jobs. Subclass it with a `kind`, fields, and a sync or async method `work`.

    Write `Job[Receipt]` if `work` returns a Receipt. Class attributes set the defaults of `Options`, without
    annotation: `queue = "emails"`. An annotated option is rejected, because it would be a field of the payload. `tags`
    and `meta` apply to every job of the kind.

    A class without `work` can be enqueued, but no worker runs it. A worker registers a subclass that has `work`.
    """

    kind: ClassVar[str]
    queue: ClassVar[str] = DEFAULTS.queue
    priority: ClassVar[int] = DEFAULTS.priority
    max_attempts: ClassVar[int | None] = DEFAULTS.max_attempts
    retry: ClassVar[RetryPolicy | None] = DEFAULTS.retry
    timeout: ClassVar[timedelta | None] = DEFAULTS.timeout
    isolation: ClassVar[Isolation | None] = DEFAULTS.isolation
    memory_limit: ClassVar[int | None] = DEFAULTS.memory_limit
    tags: ClassVar[tuple[str, ...]] = DEFAULTS.tags
    meta: ClassVar[Mapping[str, str]] = DEFAULTS.meta
    unique_by: ClassVar[UniqueBy] = DEFAULTS.unique_by
    unique_until: ClassVar[UniqueUntil] = DEFAULTS.unique_until
    on_conflict: ClassVar[OnConflict] = DEFAULTS.on_conflict
    debounce_max: ClassVar[timedelta | None] = DEFAULTS.debounce_max
    payload_version: ClassVar[int] = DEFAULTS.payload_version
    aliases: ClassVar[tuple[str, ...]] = DEFAULTS.aliases
    keep_result: ClassVar[timedelta | None] = DEFAULTS.keep_result
    keep_completed: ClassVar[timedelta | None] = DEFAULTS.keep_completed
    keep_discarded: ClassVar[timedelta | None] = DEFAULTS.keep_discarded
    keep_cancelled: ClassVar[timedelta | None] = DEFAULTS.keep_cancelled

    def work(self, ctx: Context, *args: Any, **kwargs: Any) -> R_co | Awaitable[R_co]:
        """Do the job. Return its result, or raise an exception to fail.

        Your method can take services after `ctx`: `def work(self, ctx: Context, mailer: Mailer)`; see `Runner.provide`.
        """
        raise NotImplementedError

    def enqueue(
        self, *, run_at: datetime | timedelta | None = None, **options: "Unpack[EnqueueOptions]"
    ) -> Handle[R_co]:
        """Store this job with the current runner; see `Runner.enqueue` and `Runner.current`.

        Raises:
            NoCurrentRunner: there is no current runner.
        """
        return cast("Handle[R_co]", cast("Any", current()).enqueue(self, run_at=run_at, **options))

    aenqueue = async_variant(enqueue)

    @classmethod
    def upgrade_from(cls, version: int) -> Callable[[UpgradeT], UpgradeT]:
        """Add a function that upgrades stored payloads of a version to the next one; see `Declaration.upgrade_from`."""
        return upgrades_of(cls).decorator(cls.kind, version, cls.payload_version)

    @classmethod
    def options(cls) -> Options:
        """Return the class attributes as options.

        Raises:
            DefinitionError: the class has no `kind`.
        """
        if getattr(cls, "kind", None) is None:
            raise DefinitionError(f'{cls.__name__} has no kind; give it one: kind = "emails:welcome"')
        for base in cls.__mro__[: cls.__mro__.index(Job)]:
            check_none(cls.kind, vars(base))
        return Options(
            queue=cls.queue,
            priority=cls.priority,
            max_attempts=cls.max_attempts,
            retry=cls.retry,
            timeout=cls.timeout,
            isolation=cls.isolation,
            memory_limit=cls.memory_limit,
            tags=cls.tags,
            meta=cls.meta,
            unique_by=cls.unique_by,
            unique_until=cls.unique_until,
            on_conflict=cls.on_conflict,
            debounce_max=cls.debounce_max,
            payload_version=cls.payload_version,
            aliases=cls.aliases,
            keep_result=cls.keep_result,
            keep_completed=cls.keep_completed,
            keep_discarded=cls.keep_discarded,
            keep_cancelled=cls.keep_cancelled,
        )


_upgrades: WeakKeyDictionary[type, Upgrades] = WeakKeyDictionary()


def upgrades_of(job: type[Job[Any]]) -> Upgrades:
    """Return the upgrades of a class, which include those of its base classes."""
    if (known := _upgrades.get(job)) is None:
        parents = tuple(upgrades_of(base) for base in job.__bases__ if issubclass(base, Job))
        known = _upgrades[job] = Upgrades(parents)
    return known
