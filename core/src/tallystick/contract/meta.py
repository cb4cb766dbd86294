"""Text that a job carries, such as the context of a trace. Stores keep it without reading it."""

import json
from collections.abc import Iterator, Mapping

from ..errors import InvalidArgument, MetaTooLarge
from ..messages.safe_repr import safe_repr
from . import validation

META_KEYS = 32
"""The maximum number of keys."""

META_KEY_LENGTH = 64
"""The maximum length of a key, in characters."""

META_BYTES = 4_096
"""The maximum size, in bytes of JSON."""


class Meta(Mapping[str, str]):
    """An immutable and hashable mapping of text to text. The constructor raises `InvalidArgument` for anything else.

    Keys are 1 to 64 printable characters. Values are any text, also NUL and lone surrogates.
    """

    __slots__ = ("_values",)
    _values: dict[str, str]

    def __init__(self, values: Mapping[str, str] = {}) -> None:
        if not isinstance(values, Mapping):
            raise InvalidArgument(f"meta is {safe_repr(values)}; it must be a mapping of text to text")
        self._values = dict(_checked(key, value) for key, value in values.items())
        if len(self._values) > META_KEYS:
            raise MetaTooLarge(f"meta has {len(self._values):,} keys; at most {META_KEYS} are allowed")
        if self._values and (size := len(self.to_json())) > META_BYTES:
            raise MetaTooLarge(f"meta has {size:,} bytes as JSON; at most {META_BYTES:,} are allowed")

    def to_json(self) -> str:
        """Serialize as ASCII JSON, which every store keeps unchanged."""
        return json.dumps(self._values)

    @classmethod
    def from_json(cls, text: str | bytes | None) -> "Meta":
        """Parse the JSON of `to_json`. None is no meta. Any other text becomes the value of the key `unreadable`."""
        if text is None:
            return NO_META
        try:
            return cls(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            return cls({"unreadable": safe_repr(text)[: META_BYTES // 8]})

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __repr__(self) -> str:
        return f"Meta({self._values!r})"


NO_META: Meta = Meta()
"""The meta of a job without meta."""


def _checked(key: str, value: str) -> tuple[str, str]:
    key = validation.name(key, "a key of meta")
    if len(key) > META_KEY_LENGTH:
        raise InvalidArgument(f"meta has the key {safe_repr(key)}; a key has at most {META_KEY_LENGTH} characters")
    if not isinstance(value, str):
        raise InvalidArgument(f"meta[{key!r}] is {safe_repr(value)}; it must be a string")
    return key, str(value)
