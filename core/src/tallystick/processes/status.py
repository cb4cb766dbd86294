"""The answer to a probe."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Status(NamedTuple):
    """Whether to answer 200 or 503, and the numbers to show."""

    healthy: bool
    details: Mapping[str, Any]
