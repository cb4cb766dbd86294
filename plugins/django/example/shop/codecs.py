"""A codec that the tests can switch on: it stores payloads and results as other bytes than JSON."""


class Reversed:
    """Reverses the bytes, and rejects bytes that it did not reverse."""

    def encode(self, data: bytes, kind: str, /) -> bytes:
        """Return marked and reversed bytes."""
        return b"\x00" + data[::-1]

    def decode(self, data: bytes, kind: str, /) -> bytes:
        """Return the bytes that `encode` took."""
        if not data.startswith(b"\x00"):
            raise ValueError("these bytes were not stored with this codec")
        return data[:0:-1]
