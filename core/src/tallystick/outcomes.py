"""How an attempt ends: frozen values that the runner decides and a backend records, each with its claim."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from . import claims, validation
from .errors import InvalidArgument
from .records import Claim, Failure


@dataclass(frozen=True, slots=True)
class Complete:
    """The handler returned; its result is kept."""

    claim: Claim
    result: bytes | None = None

    def __post_init__(self) -> None:
        claims.check(self.claim)
        if self.result is not None and not isinstance(self.result, bytes):
            raise InvalidArgument(f"result is of type {type(self.result).__name__}; it must be bytes or None")


@dataclass(frozen=True, slots=True)
class Retry:
    """The handler failed and gets another attempt at `run_at` (a delay counts from the settling call's now)."""

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
    """The handler failed for good."""

    claim: Claim
    error: Failure

    def __post_init__(self) -> None:
        claims.check(self.claim)
        _check_error(self.error)


@dataclass(frozen=True, slots=True)
class Release:
    """The attempt was interrupted or put off; it is given back at no cost, due at `run_at` (None: at once)."""

    claim: Claim
    run_at: datetime | timedelta | None = None

    def __post_init__(self) -> None:
        claims.check(self.claim)
        validation.due(self.run_at)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The worker saw that cancellation was requested, and stopped."""

    claim: Claim

    def __post_init__(self) -> None:
        claims.check(self.claim)


def _check_error(error: Failure) -> None:
    if not isinstance(error, Failure):
        raise InvalidArgument(f"error is {validation.shown(error)}; it must be a Failure, e.g. Failure.of(exc)")


Outcome = Complete | Retry | Discard | Release | Cancel
