"""One call of the contract in a history: who made it, when, with what, and how it was answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from tallystick import Closed, InvalidArgument, Unavailable, Unsupported

_NOTHING_HAPPENED = (InvalidArgument, Unavailable, Unsupported, Closed)


@dataclass(frozen=True, slots=True)
class Operation:
    """A call and its answer. It took effect, if it did, at a moment from `began` to `ended`, both included.

    Args:
        client: Whose call it is; one client makes one call at a time.
        call: The name of the contract's method.
        given: The arguments by name, `now` included.
        began: When it was called, on the clock of the history.
        ended: When it was answered; None if it never was.
        answer: What it returned.
        error: What it raised.
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
        """Whether its error says that nothing happened."""
        return isinstance(self.error, _NOTHING_HAPPENED)

    @property
    def unknown(self) -> bool:
        """Whether it may have happened or not, and may happen still: no answer came, or an error that leaves it open.

        An insert into the caller's own transaction is one too, since nobody here sees that commit.
        """
        if self.failed:
            return False
        return self.ended is None or self.error is not None or self.given.get("transaction") is not None

    @property
    def over(self) -> float:
        """The last moment at which it can have taken effect; infinite where that is not known."""
        return inf if self.unknown or self.ended is None else self.ended
