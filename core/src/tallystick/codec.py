"""Values to JSON bytes and back, by pydantic. What is encoded has been read back once, so that a reader can, too."""

from typing import Any, Generic, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from .errors import DefinitionError, InvalidArgument

T = TypeVar("T")


class Codec(Generic[T]):
    """JSON for one type. `what` names the value in messages, e.g. "the payload of 'emails:welcome'"."""

    def __init__(self, type_: Any, what: str, error: type[InvalidArgument]) -> None:
        self._what = what
        self._error = error
        self._typed = type_ is not Any  # what has no type comes back as JSON has it
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(type_)
        except PydanticUserError as exc:
            raise DefinitionError(f"{what} is declared as {type_!r}, which pydantic cannot handle: {exc}") from exc

    def encode(self, value: T) -> bytes:
        """Return the value as JSON.

        Raises:
            InvalidPayload, InvalidResult: it is not of the type, or would not be read back as it is.
        """
        try:
            encoded = self._adapter.dump_json(value, by_alias=True, round_trip=True, warnings="error")
        except (PydanticSerializationError, UnicodeEncodeError, ValueError, AttributeError) as exc:
            reason = " ".join(str(exc).split()).removeprefix("Pydantic serializer warnings: ")
            raise self._error(f"{self._what} is {_short(value)}, which cannot be written as JSON: {reason}") from exc
        read = self.decode(encoded)
        if self._typed and read != value:
            raise self._error(f"{self._what} is {_short(value)}, which would be read back as {_short(read)}")
        return encoded

    def decode(self, encoded: bytes) -> T:
        """Return the value that JSON bytes describe.

        Raises:
            InvalidPayload, InvalidResult: they are not JSON, or not of the type.
        """
        try:
            return self._adapter.validate_json(encoded)
        except ValidationError as exc:
            problems = "; ".join(_problem(error) for error in exc.errors(include_url=False)[:5])
            raise self._error(f"{self._what} is {_short(encoded)}, which does not validate: {problems}") from exc

    def accepts_none(self) -> bool:
        """Say whether None is of the type."""
        try:
            self._adapter.validate_python(None)
        except ValidationError:
            return False
        return True


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    return f"{where}: {error['msg']}" if where else str(error["msg"])


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text):,} characters)"
