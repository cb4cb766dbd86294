"""One call in a history: its client, time, arguments and result."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from tallystick import Closed, InvalidArgument, Unavailable, Unsupported

_NOTHING_HAPPENED = (InvalidArgument, Unavailable, Unsupported, Closed)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call and its result. If it took effect, it did so at one moment from `began` to `ended`, both included.

    Args:
        client: The name of the caller; a client makes one call at a time.
        call: The name of the contract's method.
        given: The arguments by name, `now` included.
        began: When the call began, on the clock of the history.
        ended: When the call returned; None if it never did.
        answer: The returned value.
        error: The raised exception.
    """

    client: str
    call: str
    given: Mapping[str, Any]
    began: int
    ended: int | None
    answer: Any = None
    error: BaseException | None = None

    @property
    def failed(self) -> bool:
        """Whether its error means that nothing happened."""
        return isinstance(self.error, _NOTHING_HAPPENED)

    @property
    def unknown(self) -> bool:
        """Whether the effect is unknown: the call never returned, or its error leaves it open. It may still happen.

        This includes an insert in the caller's own transaction, because the recorder does not see the commit.
        """
        if self.failed:
            return False
        return self.ended is None or self.error is not None or self.given.get("transaction") is not None

    @property
    def over(self) -> float:
        """The latest moment at which it can have taken effect; infinite if unknown."""
        return inf if self.unknown or self.ended is None else self.ended
