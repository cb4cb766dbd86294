"""Error messages about payloads with masked fields."""

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, Secret, SecretBytes, SecretStr, field_serializer, field_validator
from tallystick import InvalidPayload
from tallystick.jobs.codec import Codec
from typing_extensions import TypedDict

T = TypeVar("T")


class Token(SecretStr):
    pass


class Login(BaseModel):
    token: SecretStr
    locale: str = "de"


class Box(BaseModel, Generic[T]):
    content: T


class Tree(BaseModel):
    children: "list[Tree]" = []
    token: SecretStr | None = None


class Deferred(BaseModel):
    model_config = ConfigDict(defer_build=True)

    token: Token


class Hidden(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    token: int


class Typed(TypedDict):
    token: SecretBytes


@dataclass
class Data:
    tokens: dict[str, SecretStr]


class Custom(BaseModel):
    token: SecretStr

    @field_validator("token", mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        raise ValueError(f"{value} is not good")


class Raises(BaseModel):
    token: SecretStr

    @field_validator("token", mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        raise LookupError(value)


class Cat(BaseModel):
    kind: Literal["cat"]
    name: SecretStr


class Dog(BaseModel):
    kind: Literal["dog"]


MASKED = [
    SecretStr,
    SecretBytes,
    Secret[int],
    Token,
    list[SecretStr],
    dict[SecretStr, int],
    dict[int, Secret[int]],
    SecretStr | None,
    int | list[Secret[int]],
    Annotated[Token, Field(min_length=100)],
    Login,
    Box[SecretStr],
    Box[Box[list[Token]]],
    Tree,
    Deferred,
    Hidden,
    Typed,
    Data,
    Custom,
    Raises,
    Annotated[Cat | Dog, Field(discriminator="kind")],
]


@pytest.mark.parametrize("type_", MASKED, ids=str)
@pytest.mark.parametrize(
    "encoded",
    [
        b'{"token": "hunter2", "content": {"hunter2": 1}, "tokens": {"hunter2": 1}, "children": "hunter2"}',
        b'{"kind": "hunter2"}',
        b'["hunter2", 1, {"hunter2": "hunter2"}]',
        b'{"token": {"hunter2": 2}, "kind": "cat", "name": ["hunter2"]}',
        b'hunter2 is no JSON, "hunter2"',
    ],
)
def test_decoding_shows_nothing(type_: Any, encoded: bytes) -> None:
    """If the type has a masked field anywhere, neither the error nor its traceback shows any of the payload."""
    codec: Codec[Any] = Codec(type_, "the payload", InvalidPayload)
    try:
        codec.decode(encoded)
    except InvalidPayload as exc:
        shown = f"{exc} {exc.__cause__} {exc.__context__}"
    else:
        shown = ""  # this payload is valid for the type
    assert "hunter2" not in shown


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Login, Login.model_construct(token="hunter2")),
        (Login, {"token": "hunter2"}),
        (Box[SecretStr], Box[SecretStr].model_construct(content="hunter2")),
        (list[SecretStr], ["hunter2", object()]),
        (Custom, Custom.model_construct(token="hunter2")),
        (Hidden, Hidden.model_construct(token="hunter2")),
    ],
)
def test_encoding_shows_nothing(type_: Any, value: Any) -> None:
    """The error for a rejected payload does not show the payload if its type has a masked field."""
    with pytest.raises(InvalidPayload) as caught:
        Codec[Any](type_, "the payload", InvalidPayload).encode(value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_asterisks() -> None:
    """Enqueuing a masked field that would be stored as asterisks fails, and the message says what to do."""
    with pytest.raises(InvalidPayload, match="field_serializer"):
        Codec[Any](Login, "the payload", InvalidPayload).encode(Login(token=SecretStr("hunter2")))


def test_location_and_code() -> None:
    """The message for a masked type still has the locations of the errors and pydantic's codes."""
    with pytest.raises(InvalidPayload, match=r"content\.0\.token: missing"):
        Codec[Any](Box[list[Login]], "the payload", InvalidPayload).decode(b'{"content": [{}]}')


def test_stored_payload_without_masks() -> None:
    """An error about a stored payload has locations and reasons but never the payload, whatever its type."""

    class Inner(BaseModel):
        number: int

    class Outer(BaseModel):
        inner: Any

        @field_validator("inner")
        @classmethod
        def _check(cls, value: Any) -> Any:
            return Inner.model_validate(value)

    with pytest.raises(InvalidPayload) as caught:
        Codec(Outer, "the payload", InvalidPayload).decode(b'{"inner": {"number": "hunter2"}}')
    assert "inner.number: Input should be a valid integer" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_serializer_that_shows_its_value() -> None:
    """For an error in the serializer of a masked type, the message has only the exception's type."""

    class Shows(BaseModel):
        token: SecretStr

        @field_serializer("token")
        def _write(self, value: SecretStr) -> str:
            raise RuntimeError(value.get_secret_value())

    with pytest.raises(InvalidPayload) as caught:
        Codec[Any](Shows, "the payload", InvalidPayload).encode(Shows(token=SecretStr("hunter2")))
    assert "hunter2" not in str(caught.value)
