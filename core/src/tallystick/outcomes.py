"""How an attempt ends: frozen values that the runner decides and a backend records, each with its claim."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from . import guards
from .records import Claim, Failure


@dataclass(frozen=True, slots=True)
class Complete:
    """The handler returned; its result is kept."""

    claim: Claim
    result: bytes | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """The handler failed and gets another attempt at `run_at` (a delay counts from the settling call's now)."""

    claim: Claim
    run_at: datetime | timedelta
    error: Failure

    def __post_init__(self) -> None:
        guards.due(self.run_at)


@dataclass(frozen=True, slots=True)
class Discard:
    """The handler failed for good."""

    claim: Claim
    error: Failure


@dataclass(frozen=True, slots=True)
class Release:
    """The attempt was interrupted or put off; it is given back at no cost, due at `run_at` (None: at once)."""

    claim: Claim
    run_at: datetime | timedelta | None = None

    def __post_init__(self) -> None:
        guards.due(self.run_at)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The worker saw that cancellation was requested, and stopped."""

    claim: Claim


Outcome = Complete | Retry | Discard | Release | Cancel
