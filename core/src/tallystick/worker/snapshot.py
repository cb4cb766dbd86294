"""A worker in numbers."""

from typing import NamedTuple


class Snapshot(NamedTuple):
    """What a runner has in hand, and how the attempts that it worked since its start have ended.

    Args:
        running: Whether it has been started and not stopped.
        waiting: Jobs claimed ahead, with no handler yet.
        working: Jobs in their handlers.
        unsettled: Jobs whose outcome is on its way to the store.
        stuck: ThreadExecutor that were given up, since their handlers ran past the timeout and have not returned.
        lost: Attempts whose claim was lost.
        rescued: Jobs of other workers that this one rescued; `discarded` and `cancelled` count those that ended so.
        blocked: Whether it claims nothing, as more than `concurrency` handlers are stuck, or one blocks the event loop.
        put_off: Jobs that were put back since no handler for their kind is registered here.
    """

    running: bool
    waiting: int = 0
    working: int = 0
    unsettled: int = 0
    stuck: int = 0
    completed: int = 0
    retried: int = 0
    discarded: int = 0
    released: int = 0
    cancelled: int = 0
    lost: int = 0
    rescued: int = 0
    blocked: bool = False
    put_off: int = 0
