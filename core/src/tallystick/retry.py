"""When a failed job is tried again: policies are pure functions of the attempt, its exception and a draw for jitter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from .errors import InvalidArgument
from .saferepr import safe_repr


class RetryPolicy(Protocol):
    """What decides about another attempt; any callable of this form will do."""

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        """Return the delay before the next attempt, or None to discard the job.

        Args:
            attempt: The attempt that failed, from 1.
            exc: What it raised.
            draw: A number drawn evenly from 0 to 1, so that the policy itself stays a pure function.
        """


@dataclass(frozen=True, slots=True)
class Exponential:
    """Wait base x factor^(attempt-1), at most `cap`, shortened by up to the share `jitter` so that herds disperse."""

    base: timedelta = timedelta(seconds=30)
    factor: float = 2.0
    cap: timedelta = timedelta(days=1)
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if self.base < timedelta(0) or self.cap < timedelta(0) or not self.factor >= 1 or not 0 <= self.jitter <= 1:
            raise InvalidArgument(
                f"{safe_repr(self)}: base and cap must not be negative, factor >= 1, jitter from 0 to 1"
            )

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        if not self.base:
            return timedelta(0)
        try:
            delay = min(self.base * self.factor ** (attempt - 1), self.cap)
        except OverflowError:
            delay = self.cap
        return delay * (1 - self.jitter * draw)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Wait the same time before each attempt."""

    delay: timedelta

    def __post_init__(self) -> None:
        if self.delay < timedelta(0):
            raise InvalidArgument(f"{safe_repr(self)}: the delay must not be negative")

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        return self.delay


@dataclass(frozen=True, slots=True)
class Never:
    """Discard at the first failure."""

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        return None


@dataclass(frozen=True, slots=True)
class ByException:
    """Decide by what was raised: the first entry whose type fits, in the order given, else `otherwise`.

    `ByException({ConnectionError: Fixed(timedelta(seconds=5)), ValueError: Never()})`
    """

    policies: Mapping[type[BaseException], RetryPolicy]
    otherwise: RetryPolicy = field(default_factory=Exponential)

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        policy = next((policy for kind, policy in self.policies.items() if isinstance(exc, kind)), self.otherwise)
        return policy(attempt, exc, draw)
