from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tallystick import ByException, Exponential, Fixed, InvalidArgument, Never

from ..helpers import SECOND

ZERO = timedelta(0)
ERROR = ValueError("seven is odd")
attempts = st.integers(1, 1_000_000)
delays = st.timedeltas(ZERO, timedelta(days=400_000))
shares = st.floats(0, 1)
policies = st.builds(Exponential, base=delays, factor=st.floats(1, 1e300), cap=delays, jitter=shares)


@given(policies, attempts, shares)
def test_never_out_of_bounds(policy: Exponential, attempt: int, draw: float) -> None:
    """A delay is never negative or above the cap, for any policy, attempt and draw."""
    delay = policy(attempt, ERROR, draw)
    assert delay is not None
    assert ZERO <= delay <= policy.cap


@given(policies, attempts, shares)
def test_jitter_bounds(policy: Exponential, attempt: int, draw: float) -> None:
    """Jitter only shortens a delay, at most by its share."""
    full, drawn = policy(attempt, ERROR, 0.0), policy(attempt, ERROR, draw)
    assert full is not None
    assert drawn is not None
    assert full * (1 - policy.jitter) - timedelta(microseconds=1) <= drawn <= full


@given(policies, attempts)
def test_never_shorter(policy: Exponential, attempt: int) -> None:
    """Without jitter, a later attempt never has a shorter delay."""
    earlier, later = policy(attempt, ERROR, 0.0), policy(attempt + 1, ERROR, 0.0)
    assert earlier is not None
    assert later is not None
    assert earlier <= later


@given(st.integers(1, 20))
def test_doubles(attempt: int) -> None:
    """Without jitter and below the cap, the delay is base * factor ** (attempt - 1)."""
    policy = Exponential(base=SECOND, factor=2, cap=timedelta(days=30), jitter=0)
    assert policy(attempt, ERROR, 0.5) == SECOND * 2 ** (attempt - 1)


@given(delays, attempts, shares)
def test_fixed(delay: timedelta, attempt: int, draw: float) -> None:
    """A fixed delay is the same for every attempt."""
    assert Fixed(delay)(attempt, ERROR, draw) == delay


def test_never() -> None:
    """`Never` allows no further attempt."""
    assert Never()(1, ERROR, 0.5) is None


@pytest.mark.parametrize(
    "wrong", [{"base": -SECOND}, {"cap": -SECOND}, {"factor": 0.9}, {"jitter": -0.1}, {"jitter": 1.1}]
)
def test_rejected(wrong: dict[str, Any]) -> None:
    """A policy that could return a negative delay is rejected when it is made."""
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        Exponential(**wrong)


def test_fixed_rejected() -> None:
    """A negative fixed delay is rejected when it is made."""
    with pytest.raises(InvalidArgument, match="negative"):
        Fixed(-SECOND)


@given(st.sampled_from([ConnectionError, ConnectionResetError, ValueError, KeyError, SystemExit]))
def test_by_exception(raised: type[BaseException]) -> None:
    """The first entry with a matching exception type decides, including subclasses; otherwise the default applies."""
    policy = ByException({ConnectionError: Fixed(SECOND), OSError: Fixed(2 * SECOND), ValueError: Never()}, Fixed(ZERO))
    expected = SECOND if issubclass(raised, ConnectionError) else None if raised is ValueError else ZERO
    assert policy(1, raised(), 0.0) == expected


@given(policies)
def test_pure(policy: Exponential) -> None:
    """The same attempt and draw always give the same delay."""
    assume(policy.base)
    assert policy(3, ERROR, 0.3) == policy(3, ERROR, 0.3)
