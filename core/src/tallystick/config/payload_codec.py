"""The codec of a runner, which changes payloads and results before they are stored, for example to encrypt them."""

from typing import Protocol

from ..errors import InvalidArgument
from ..messages.safe_repr import safe_repr, type_name


class PayloadCodec(Protocol):
    """Changes the bytes of payloads and results: on their way to the store, and on their way back.

    Threads call it at the same time. The kind is that of the job's record, so it is the former kind for a job that was
    stored before a rename. Any exception rejects the payload or the result.
    """

    def encode(self, data: bytes, kind: str, /) -> bytes:
        """Return the bytes to store for the JSON of a payload or a result."""

    def decode(self, data: bytes, kind: str, /) -> bytes:
        """Return the bytes that `encode` took. It also gets what other runners and your own SQL stored."""


def check_codec(codec: object) -> None:
    """Reject a value that is not a codec.

    Raises:
        InvalidArgument: the value lacks `encode` or `decode`, or is a class.
    """
    if isinstance(codec, type):
        raise InvalidArgument(f"codec is {safe_repr(codec)}, which is a class; call it: {codec.__name__}(...)")
    if not all(callable(getattr(codec, name, None)) for name in ("encode", "decode")):
        raise InvalidArgument(
            f"codec is of type {type_name(codec)}, which is not a codec; it needs encode(data, kind) and "
            "decode(data, kind)"
        )
