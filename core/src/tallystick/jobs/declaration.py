"""A kind of job with its types and options, but without a handler: all that a producer needs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

from typing_extensions import Unpack

from ..async_bridge import async_variant
from ..contract import validation
from ..contract.meta import NO_META
from ..errors import DefinitionError, InvalidArgument, InvalidPayload, InvalidResult, NoSuchMethod
from ..messages.advice import CALLS
from ..messages.safe_repr import safe_repr
from . import handlers
from .codec import Codec
from .current import current
from .handle import Handle
from .options import Options
from .payload_versions import Upgrades, UpgradeT, version_of
from .unique_by import check_fields, key_of

if TYPE_CHECKING:
    from ..runner.enqueueing import EnqueueOptions

P = TypeVar("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Declaration(Generic[P, R]):
    """A kind with its options and codecs. A codec that is None passes bytes through unchanged."""

    kind: str
    options: Options
    payloads: Codec[P] | None
    results: Codec[R] | None
    may_return_none: bool = True
    upgrades: Upgrades = field(default_factory=Upgrades)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", validation.name(self.kind, "kind"))
        if not isinstance(self.options, Options):
            raise DefinitionError(f"options of {self.kind!r} is {safe_repr(self.options)}; it must be Options(...)")
        if self.options.unique_by:
            check_fields(self.kind, self.options.unique_by, self.payload_schema())

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name in CALLS:
                raise NoSuchMethod(f"the job {self.kind!r} has no {name}(); write {CALLS[name].format(job=self.call)}")
            raise AttributeError(f"a {type(self).__name__} has no attribute {name!r}")

    @property
    def call(self) -> str:
        """An example of a job of this kind, for messages."""
        return "declaration.job(payload)"

    def job(self, payload: P) -> "Call[R]":
        """Return a job of this kind that you can enqueue."""
        return Call(self, payload)

    def enqueue(
        self, payload: P, *, run_at: datetime | timedelta | None = None, **options: "Unpack[EnqueueOptions]"
    ) -> Handle[R]:
        """Store a job of this kind with the current runner; see `Runner.enqueue` and `Runner.current`.

        Raises:
            NoCurrentRunner: there is no current runner.
        """
        return cast("Handle[R]", cast("Any", current()).enqueue(self.job(payload), run_at=run_at, **options))

    aenqueue = async_variant(enqueue)

    def upgrade_from(self, version: int) -> Callable[[UpgradeT], UpgradeT]:
        """Add a function that upgrades stored payloads of a version to the next one: `@send.upgrade_from(1)`.

        It takes the old payload, validated as its annotation declares, and returns the next one. The result of the last
        upgrade is validated as the payload of the kind. Without annotations, both are plain JSON values.

        Raises:
            DefinitionError: the version is not older than `payload_version`, or the function cannot be an upgrade.
        """
        if self.payloads is None:
            raise DefinitionError(
                f"{self.kind!r} is raw, so its payloads have no versions; define it with a type to have them"
            )
        return self.upgrades.decorator(self.kind, version, self.options.payload_version)

    def payload_schema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the payload; None if the kind is raw, and empty if its type has no schema."""
        return None if self.payloads is None else self.payloads.json_schema()

    def encode(self, payload: P) -> bytes:
        """Return a payload as stored bytes; raise `InvalidPayload` if the handler could not read it."""
        return _as_bytes(payload, self.kind, InvalidPayload) if self.payloads is None else self.payloads.encode(payload)

    def decode(self, stored: bytes, meta: Mapping[str, str] | None = None) -> P:
        """Return the payload for the handler, decoded from stored bytes. The job's meta has the version of the payload.

        Without `meta`, the payload has the latest version.
        """
        if self.payloads is None:
            return stored  # type: ignore[return-value]  # P is bytes
        if meta is None or (meta is NO_META and self.options.payload_version == 1):
            return self.payloads.decode(stored)
        return self.payloads.decode(
            self.upgrades.apply(self.kind, stored, version_of(meta), self.options.payload_version)
        )

    def unique_key(self, payload: bytes) -> str | None:
        """Return the key that `unique_by` derives from an encoded payload; None if the kind derives no keys.

        Raises:
            InvalidArgument: `unique_by` names fields, and the payload has none.
        """
        by = self.options.unique_by
        return key_of(self.kind, by, payload) if by else None

    def encode_result(self, result: R) -> bytes | None:
        """Return a result as stored bytes, or None for None; raise `InvalidResult` if it does not match its type."""
        if result is None and self.may_return_none:
            return None
        if hasattr(type(result), "__await__"):
            raise InvalidResult(handlers.never_awaited(self.kind, result))
        return _as_bytes(result, self.kind, InvalidResult) if self.results is None else self.results.encode(result)

    def decode_result(self, stored: bytes | None) -> R | None:
        """Return the handler's result, decoded from stored bytes."""
        return stored if stored is None or self.results is None else self.results.decode(stored)  # type: ignore[return-value]  # R is bytes

    @classmethod
    def of_types(cls, kind: str, payload: Any, result: Any, options: Options, upgrades: Upgrades | None = None) -> Self:
        """Return the declaration of a kind with the types of its payload and its result."""
        fields = codecs(validation.name(kind, "kind"), payload, result)
        return cls(options=options, upgrades=upgrades or Upgrades(), **fields)


def codecs(kind: str, payload: Any, result: Any) -> dict[str, Any]:
    """Return the fields of a declaration that follow from its kind and types."""
    results: Codec[Any] = Codec(result, f"the result of {kind!r}", InvalidResult)
    return {
        "kind": kind,
        "payloads": Codec(payload, f"the payload of {kind!r}", InvalidPayload),
        "results": results,
        "may_return_none": results.accepts_none(),
    }


@dataclass(frozen=True, slots=True)
class Call(Generic[R_co]):
    """A payload together with the declaration of its kind."""

    definition: Declaration[Any, R_co]
    payload: Any

    def __post_init__(self) -> None:
        if not isinstance(self.definition, Declaration):
            raise InvalidArgument(
                f"definition is {safe_repr(self.definition)}; let the job make its calls: generate.job(payload)"
            )


def _as_bytes(value: object, kind: str, error: type[InvalidArgument]) -> bytes:
    if isinstance(value, bytes):
        return value
    raise error(f"{kind!r} is raw: payload and result must be bytes, not {type(value).__name__}")
