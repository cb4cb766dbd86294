"""Encode values as JSON bytes and decode them, with pydantic. Encoding verifies the round trip."""

from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from ..errors import DefinitionError, InvalidArgument
from ..interrupts import from_signal
from ..messages.masking import has_masked
from ..messages.reasons import reasons
from ..messages.safe_repr import safe_repr, safe_str

T = TypeVar("T")

_LONGEST = 1_000
"""The maximum length of a message from pydantic, in characters."""


class Codec(Generic[T]):
    """JSON encoding of one type. `what` names the value in messages, e.g. "the payload of 'emails:welcome'"."""

    def __init__(self, type_: Any, what: str, error: type[InvalidArgument]) -> None:
        self._what = what
        self._error = error
        self._typed = type_ is not Any  # without a type, a value may decode to another one, e.g. a tuple to a list
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(type_)
        except Exception as exc:  # pydantic evaluates the type, which may raise anything
            raise DefinitionError(
                f"{what} is declared as {safe_repr(type_)}, which pydantic cannot handle; annotate another type: "
                f"{safe_str(exc)[:_LONGEST]}"
            ) from exc

    def encode(self, value: T) -> bytes:
        """Return the value as JSON.

        Raises:
            InvalidPayload, InvalidResult: the value does not match the type, or would decode to another value.
        """
        why = "cannot be written as JSON"
        try:
            encoded = self._adapter.serializer.to_json(value, by_alias=True, round_trip=True, warnings="error")
            why = "does not validate"
            read = self._adapter.validator.validate_json(encoded)
            why = "cannot be compared with the decoded value"
            if not (self._typed and read != value):
                return encoded
        except BaseException as exc:  # serializers, validators and __eq__ are the user's code
            rejected = self._rejected(exc, f"{self._shown(value)}{why}")
        else:
            rejected = self._error(f"{self._what} {self._shown(value)}would decode to {self._decoded(read)}")
        raise rejected  # outside of `except`, so that it has no context

    def dump(self, value: T) -> bytes:
        """Return the value as JSON, without verifying the round trip.

        Raises:
            InvalidPayload, InvalidResult: the value does not match the type.
        """
        try:
            return self._adapter.dump_json(value, by_alias=True, round_trip=True, warnings="error")
        except BaseException as exc:
            rejected = self._rejected(exc, f"{self._shown(value)}cannot be written as JSON")
        raise rejected

    def decode(self, encoded: bytes) -> T:
        """Decode JSON bytes. Errors never show the bytes, since logs and records keep error texts.

        Raises:
            InvalidPayload, InvalidResult: the bytes are not JSON, or do not match the type.
        """
        try:
            return self._adapter.validator.validate_json(encoded)  # type: ignore[no-any-return]  # it is T
        except BaseException as exc:
            rejected = self._rejected(exc, "does not validate")
        raise rejected  # outside of `except`, so that it has no context: pydantic's error shows its input

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON schema of the encoded values; empty if pydantic cannot write one."""
        try:
            return self._adapter.json_schema(by_alias=True)
        except BaseException as exc:  # the type's own hooks are the user's code
            if from_signal(exc):
                raise
            return {}

    def accepts_none(self) -> bool:
        """Return whether None is a valid value of the type."""
        try:
            self._adapter.validate_python(None)
        except BaseException as exc:  # a validator is the user's code
            if from_signal(exc):
                raise
            return False
        return True

    def _rejected(self, exc: BaseException, why: str) -> InvalidArgument:
        if from_signal(exc):
            raise exc
        error = self._error(f"{self._what} {why}: {reasons(exc, self._adapter)}")
        if not self._masked and type(exc) is not ValidationError:
            error.__cause__ = exc
        return error

    def _shown(self, value: object) -> str:
        return "" if self._masked else f"is {safe_repr(value)}, which "

    def _decoded(self, read: object) -> str:
        if not self._masked:
            return safe_repr(read)
        return (
            "another value, which is not shown because its type has masked fields; pydantic writes a masked field as "
            'asterisks, unless a field_serializer with when_used="json" writes its value'
        )

    @cached_property
    def _masked(self) -> bool:
        return has_masked(self._adapter)
