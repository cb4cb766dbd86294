"""Payloads and results as the store has them: changed by the codec of the runner, and limited in size."""

from collections.abc import Callable

from ..errors import InvalidArgument, InvalidPayload, InvalidResult, PayloadTooLarge
from ..interrupts import from_signal
from ..messages.safe_repr import type_name
from .settings import Settings

_NOUNS = {InvalidPayload: "payload", InvalidResult: "result"}


def stored_payload(settings: Settings, payload: bytes, kind: str) -> bytes:
    """Return the bytes to store for an encoded payload.

    Raises:
        InvalidPayload: the codec raised an exception.
        PayloadTooLarge: there are more bytes than the setting allows.
    """
    return _stored(settings, payload, kind, InvalidPayload)


def stored_result(settings: Settings, result: bytes, kind: str) -> bytes:
    """Return the bytes to store for an encoded result. See `stored_payload`."""
    return _stored(settings, result, kind, InvalidResult)


def read_payload(settings: Settings, stored: bytes, kind: str) -> bytes:
    """Return the payload of stored bytes; raise `InvalidPayload` if the codec raised an exception."""
    return stored if settings.codec is None else _changed(settings.codec.decode, stored, kind, InvalidPayload)


def read_result(settings: Settings, stored: bytes | None, kind: str) -> bytes | None:
    """Return the result of stored bytes; raise `InvalidResult` if the codec raised an exception."""
    if stored is None or settings.codec is None:
        return stored
    return _changed(settings.codec.decode, stored, kind, InvalidResult)


def _stored(settings: Settings, data: bytes, kind: str, error: type[InvalidArgument]) -> bytes:
    if settings.codec is not None:
        data = _changed(settings.codec.encode, data, kind, error)
    if settings.max_payload_bytes is not None and len(data) > settings.max_payload_bytes:
        raise PayloadTooLarge(
            f"the {_NOUNS[error]} of {kind!r} has {len(data):,} bytes; the setting max_payload_bytes allows "
            f"{settings.max_payload_bytes:,}. Store large data elsewhere, and pass its address"
        )
    return data


def _changed(change: Callable[[bytes, str], bytes], data: bytes, kind: str, error: type[InvalidArgument]) -> bytes:
    """Call the codec. Its exception is neither shown nor chained: it may show the data, and records keep tracebacks."""
    try:
        changed: object = change(data, kind)
        if isinstance(changed, bytes):
            return changed
        why = f"it returned a {type_name(changed)}, which must be bytes"
    except BaseException as exc:
        if from_signal(exc):
            raise
        why = type_name(exc)
    raise error(f"the codec failed on the {_NOUNS[error]} of {kind!r}: {why}")  # without context
