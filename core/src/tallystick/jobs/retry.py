"""Retry policies: pure functions of the attempt, its exception and a random number for jitter."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from ..contract import validation
from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr


class RetryPolicy(Protocol):
    """Decides whether and when a failed job is retried. Any callable with this signature is a policy."""

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        """Return the delay before the next attempt, or None to discard the job.

        Args:
            attempt: The number of the failed attempt, from 1.
            exc: The exception of the attempt.
            draw: A random number from 0 to 1 for jitter. It is an argument so that policies stay pure functions.
        """


@dataclass(frozen=True, slots=True)
class Exponential:
    """Wait base x factor^(attempt-1), at most `cap`. `jitter` randomly shortens each delay by up to this fraction."""

    base: timedelta = timedelta(seconds=30)
    factor: float = 2.0
    cap: timedelta = timedelta(days=1)
    jitter: float = 0.1

    def __post_init__(self) -> None:
        validation.not_negative(self.base, "base")
        validation.not_negative(self.cap, "cap")
        if not _is_number(self.factor) or not self.factor >= 1:
            raise InvalidArgument(f"factor is {safe_repr(self.factor)}; it must be a number of 1 or more")
        if not _is_number(self.jitter) or not 0 <= self.jitter <= 1:
            raise InvalidArgument(f"jitter is {safe_repr(self.jitter)}; it must be a number from 0 to 1")

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        if not self.base:
            return timedelta(0)
        try:
            delay = min(self.base * float(self.factor) ** (attempt - 1), self.cap)
        except OverflowError:
            delay = self.cap
        return delay * (1 - self.jitter * draw)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Wait the same time before each attempt."""

    delay: timedelta

    def __post_init__(self) -> None:
        validation.not_negative(self.delay, "delay")

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        return self.delay


@dataclass(frozen=True, slots=True)
class Never:
    """Discard the job at the first failure."""

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        return None


@dataclass(frozen=True, slots=True)
class ByException:
    """Choose a policy by the exception's type: the first matching entry, or else `otherwise`.

    `ByException({ConnectionError: Fixed(timedelta(seconds=5)), ValueError: Never()})`
    """

    policies: Mapping[type[BaseException], RetryPolicy]
    otherwise: RetryPolicy = field(default_factory=Exponential)

    def __post_init__(self) -> None:
        if not isinstance(self.policies, Mapping):
            raise InvalidArgument(
                f"policies is {safe_repr(self.policies)}; it must be a dict, e.g. {{ConnectionError: Never()}}"
            )
        for kind, policy in self.policies.items():
            if not isinstance(kind, type) or not issubclass(kind, BaseException):
                raise InvalidArgument(f"policies has {safe_repr(kind)}; each key must be an exception class")
            check_policy(policy, f"the policy of {kind.__name__}")
        check_policy(self.otherwise, "otherwise")

    def __call__(self, attempt: int, exc: BaseException, draw: float, /) -> timedelta | None:
        policy = next((policy for kind, policy in self.policies.items() if isinstance(exc, kind)), self.otherwise)
        return policy(attempt, exc, draw)


def check_policy(policy: object, what: str) -> None:
    """Reject a value that is not a retry policy, such as a number of retries or a class.

    Raises:
        InvalidArgument: the value is not a retry policy.
    """
    if isinstance(policy, type):
        problem = f"which is a class; call it: {policy.__name__}(...)"
    elif isinstance(policy, timedelta):
        problem = "which is not a policy; write Fixed(...) around it"
    elif not callable(policy):
        problem = (
            "which is not a policy; write Exponential(), Fixed(timedelta(seconds=30)), ByException({...}), or Never() "
            "for no retry. To limit the number of attempts, set max_attempts"
        )
    elif not _takes_three(policy):
        problem = "which cannot be called as policy(attempt, exc, draw); give it these three parameters"
    else:
        return
    raise InvalidArgument(f"{what} is {safe_repr(policy)}, {problem}")


def _takes_three(policy: Callable[..., object]) -> bool:
    if inspect.iscoroutinefunction(policy):
        return False
    try:
        inspect.signature(policy).bind(1, None, 0.5)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
