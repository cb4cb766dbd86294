"""An attempt as the worker sees it, from its claim to its end."""

import asyncio
from typing import Any

from ..context import Context
from ..definition import Definition
from ..outcomes import Outcome
from ..records import Claim, Record


class Run(Context):
    """The context that a handler is given, and what the worker needs to know beside. Times are monotonic."""

    __slots__ = ("claim", "definition", "extend_at", "started_at", "task")

    def __init__(self, record: Record, definition: Definition[Any, Any], extend_at: float) -> None:
        super().__init__(record)
        self.claim: Claim = record.claim
        self.definition = definition
        self.extend_at = extend_at
        self.started_at: float | None = None
        self.task: asyncio.Task[Outcome] | None = None
