from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, field_serializer, field_validator
from tallystick import DefinitionError, InvalidPayload
from tallystick.jobs.codec import Codec


class Report(BaseModel):
    """A typical payload of an application."""

    id: int
    since: datetime
    share: Decimal
    every: timedelta = timedelta(hours=1)

    @field_validator("id")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value <= 0:
            raise ValueError("must be positive")
        return value


@dataclass
class Point:
    """A payload as a dataclass."""

    x: int
    y: int


def codec(type_: Any) -> Codec[Any]:
    """Return a codec for the payload of `echo`."""
    return Codec(type_, "the payload of 'echo'", InvalidPayload)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Report, Report(id=1, since=datetime(2025, 6, 1, tzinfo=UTC), share=Decimal("0.1"))),
        (Point, Point(1, 2)),
        (tuple[int, str], (1, "a")),
        (set[UUID], {UUID(int=7)}),
        (bytes, b"text"),
        (None, None),
    ],
)
def test_round_trip(type_: Any, value: object) -> None:
    """Decoding returns an equal value of the same type."""
    assert codec(type_).decode(codec(type_).encode(value)) == value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(json_values)
def test_json_round_trip(value: object) -> None:
    """An untyped codec round-trips every JSON value."""
    assert codec(Any).decode(codec(Any).encode(value)) == value


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (int, "7"),
        (Report, {"id": 1}),
        (Report, Report.model_construct(id="one")),
        (Report, Report.model_construct(id=-1, since=datetime(2025, 6, 1, tzinfo=UTC), share=Decimal(1))),
        (Any, object()),
        (str, "\ud800"),
        (bytes, b"\xff"),
        (float, float("nan")),
    ],
)
def test_not_of_the_type(type_: Any, value: object) -> None:
    """A value that does not match its type, or could not be decoded, is rejected; the message names the payload."""
    with pytest.raises(InvalidPayload, match="the payload of 'echo'"):
        codec(type_).encode(value)


def test_cycle() -> None:
    """A value that contains itself is rejected."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidPayload, match="Circular"):
        codec(Any).encode(value)


@pytest.mark.parametrize("encoded", [b"", b"{", b"nan", b"\xff", b"[" * 100_000, b'"text"', b"1.5"])
def test_undecodable(encoded: bytes) -> None:
    """Bytes that are not JSON or do not match the type are rejected; the message stays short."""
    with pytest.raises(InvalidPayload, match="does not validate") as caught:
        codec(int).decode(encoded)
    assert len(str(caught.value)) < 1_000


def test_problems_are_located() -> None:
    """The message names the field of each problem."""
    with pytest.raises(InvalidPayload, match="since: Field required; share: Field required"):
        codec(Report).decode(b'{"id": 1}')


def test_undeclarable_type() -> None:
    """Defining a job with a type that pydantic cannot handle fails."""
    with pytest.raises(DefinitionError, match="pydantic cannot handle"):
        codec(object.__init__)


class Unequal(BaseModel):
    """A model that cannot be compared."""

    number: int

    def __eq__(self, other: object) -> bool:
        raise LookupError("no comparison")

    __hash__ = None  # type: ignore[assignment]  # Python sets it too


class Unwritable(BaseModel):
    """A model whose serializer raises."""

    number: int

    @field_serializer("number")
    def _write(self, value: int) -> int:
        raise LookupError("no writing")


class Unreadable(BaseModel):
    """A model whose validator raises what pydantic does not handle."""

    number: int

    @field_validator("number")
    @classmethod
    def _read(cls, value: int) -> int:
        raise LookupError("no reading")


def deep() -> Any:
    """Return 5,000 nested lists."""
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Any, deep()),
        (list[int], [10**5_000, "x"]),
        (list[int], 10**5_000),
        (Unequal, Unequal(number=1)),
        (Unwritable, Unwritable(number=1)),
        (Unreadable, Unreadable.model_construct(number=1)),
    ],
    ids=["deep", "long number", "number", "eq", "serializer", "validator"],
)
def test_messages_never_raise(type_: Any, value: object) -> None:
    """A value that cannot be encoded or compared is rejected with a short InvalidPayload, whatever its code raises."""
    with pytest.raises(InvalidPayload, match="the payload of 'echo'") as caught:
        codec(type_).encode(value)
    assert len(str(caught.value)) < 1_000


def test_validator_that_raises() -> None:
    """If a validator raises on stored bytes, the error is InvalidPayload, and the original exception is its cause."""
    with pytest.raises(InvalidPayload, match="LookupError: no reading") as caught:
        codec(Unreadable).decode(b'{"number": 1}')
    assert isinstance(caught.value.__cause__, LookupError)
