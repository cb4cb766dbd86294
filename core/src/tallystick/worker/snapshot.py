"""The numbers of a worker."""

from typing import NamedTuple


class Snapshot(NamedTuple):
    """What a runner is doing now, and how many attempts have ended in each way since its start.

    Args:
        running: Whether the runner was started and not stopped.
        waiting: Jobs claimed ahead that no handler has started.
        working: Jobs in their handlers.
        unsettled: Jobs whose outcome is not recorded yet.
        stuck: Handlers that ran past their timeout and have not returned.
        lost: Attempts whose claim was lost.
        rescued: Jobs of dead workers that this worker rescued. They also count as retried, discarded or cancelled.
        blocked: Whether the worker claims nothing, because more than `concurrency` handlers are stuck or one blocks the
            event loop.
        put_off: Jobs that were put back because their kind, or the version of their payload, is not known here.
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
