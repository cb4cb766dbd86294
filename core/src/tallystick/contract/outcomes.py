"""The outcomes of an attempt. The runner chooses one for each claim, and a backend records it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr
from . import claims, validation
from .failure import Failure
from .records import Claim


@dataclass(frozen=True, slots=True)
class Complete:
    """The handler returned. The job is completed and keeps the result."""

    claim: Claim
    result: bytes | None = None

    def __post_init__(self) -> None:
        claims.check(self.claim)
        if self.result is not None and not isinstance(self.result, bytes):
            raise InvalidArgument(f"result is of type {type(self.result).__name__}; it must be bytes or None")


@dataclass(frozen=True, slots=True)
class Retry:
    """The handler failed. The job is retried at `run_at`; a delay counts from the `now` of `settle`."""

    claim: Claim
    run_at: datetime | timedelta
    error: Failure

    def __post_init__(self) -> None:
        claims.check(self.claim)
        if self.run_at is None:
            raise InvalidArgument("run_at is None; a retry needs an aware datetime or a timedelta of zero or more")
        validation.due(self.run_at)
        _check_error(self.error)


@dataclass(frozen=True, slots=True)
class Discard:
    """The handler failed, and the job is not retried."""

    claim: Claim
    error: Failure

    def __post_init__(self) -> None:
        claims.check(self.claim)
        _check_error(self.error)


@dataclass(frozen=True, slots=True)
class Release:
    """The attempt was interrupted or snoozed. The job is pending at `run_at` (None: now), with max_attempts + 1."""

    claim: Claim
    run_at: datetime | timedelta | None = None

    def __post_init__(self) -> None:
        claims.check(self.claim)
        validation.due(self.run_at)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The worker stopped the attempt because cancellation was requested."""

    claim: Claim

    def __post_init__(self) -> None:
        claims.check(self.claim)


def _check_error(error: Failure) -> None:
    if not isinstance(error, Failure):
        raise InvalidArgument(f"error is {safe_repr(error)}; it must be a Failure, e.g. Failure.of(exc)")


Outcome = Complete | Retry | Discard | Release | Cancel
