"""Store the single inserts of several threads in one commit, if they meet."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from itertools import islice
from threading import Event, Lock
from uuid import UUID

from ..contract.records import Inserted, NewRecord
from ..errors import OutcomeUnknown, TallystickError
from .calls import InsertCall

MOST_JOBS = 500
"""The most jobs of one group."""

MOST_BYTES = 64 * 1024
"""The largest payload of a job in a group."""

PATIENCE = 0.05
"""Seconds that a call waits for the insert that is running, which may itself wait for a lock."""

Alone = Callable[[], Sequence[Inserted]]
"""Stores the job of a call by itself."""

Together = Callable[[Sequence[NewRecord]], Mapping[UUID, Inserted]]
"""Stores several jobs in one commit, or none. It leaves out each job that it could not store."""


class _Turn:
    """A call. `ready` is set once the call leads a group, or once a group that contained it has ended."""

    def __init__(self, new: NewRecord) -> None:
        self.new = new
        self.ready = Event()  # not set if the call leads at once
        self.group: Sequence[_Turn] = ()
        self.result: Inserted | None = None
        self.error: OutcomeUnknown | None = None


class GroupCommit:
    """Joins single inserts of the threads of one client.

    While one insert runs, further ones wait. When it ends, the first of them stores all of them in one commit. A call
    that meets no other one is stored by itself. So is a call with a unique key, which may wait for another transaction.
    If a group fails, or leaves a job out, the call of the job stores it by itself. So each call has its own result.
    """

    def __init__(self, together: Together, *, patience: float = PATIENCE) -> None:
        self._together = together
        self._patience = patience
        self._lock = Lock()
        self._is_busy = False
        self._waiting: dict[UUID, _Turn] = {}

    def insert(self, call: InsertCall, alone: Alone) -> Sequence[Inserted]:
        """Store the jobs of a call without a transaction: together with those of other threads, or by `alone`."""
        if not _can_join(call):
            return alone()
        turn = _Turn(call.records[0])
        try:
            leads = self._enter(turn) and self._is_leading(turn)
        except BaseException:  # an interrupt
            self._leave(turn)
            raise
        if leads:
            try:
                if len(turn.group) == 1:
                    return alone()
                self._store(turn.group)
            finally:
                self._pass_on(turn)
        if turn.error is not None:
            raise turn.error
        return alone() if turn.result is None else [turn.result]

    def _enter(self, turn: _Turn) -> bool:
        """Lead at once if no other call runs, or wait. Return False if a job with the same id waits."""
        with self._lock:
            if turn.new.id in self._waiting:
                return False
            if self._is_busy:
                self._waiting[turn.new.id] = turn
            else:
                turn.group, self._is_busy = [turn], True
        return True

    def _is_leading(self, turn: _Turn) -> bool:
        """Wait, and return whether this call leads a group. If not, its job may have been stored."""
        if not turn.group and not turn.ready.wait(self._patience):
            with self._lock:
                if self._withdraw(turn):
                    return False
            turn.ready.wait()  # a group contains it
        return bool(turn.group)

    def _withdraw(self, turn: _Turn) -> bool:
        """Stop waiting, and return True, unless a group contains the call. Another call with its id may wait then."""
        if self._waiting.get(turn.new.id) is not turn:
            return False
        del self._waiting[turn.new.id]
        return True

    def _leave(self, turn: _Turn) -> None:
        """Withdraw an interrupted call. If it leads, the next call leads, and the jobs of its group wait for theirs."""
        with self._lock:
            self._withdraw(turn)
        if turn.group:
            self._pass_on(turn)

    def _store(self, group: Sequence[_Turn]) -> None:
        try:
            stored = self._together([turn.new for turn in group])
        except OutcomeUnknown as exc:
            _fail(group, exc)
        except TallystickError:
            pass  # each call stores its job by itself, and raises an error of its own
        except BaseException:
            _fail(
                group,
                OutcomeUnknown(
                    "another thread executed the insert and was interrupted; enqueue again, with the same id"
                ),
            )
            raise
        else:
            for turn in group:
                turn.result = stored.get(turn.new.id)

    def _pass_on(self, turn: _Turn) -> None:
        """End a group, and let the first waiting call lead the next one."""
        with self._lock:
            for other in turn.group[1:]:
                other.ready.set()
            following = [*islice(self._waiting.values(), MOST_JOBS)]
            for other in following:
                del self._waiting[other.new.id]
            self._is_busy = False
            if following:
                self._lead(following[0], following)

    def _lead(self, turn: _Turn, group: Sequence[_Turn]) -> None:
        turn.group = group
        self._is_busy = True
        turn.ready.set()


def _fail(group: Sequence[_Turn], error: OutcomeUnknown) -> None:
    for turn in group:
        turn.error = copy(error)  # each call adds the id of its own job
        turn.error.__cause__ = error.__cause__


def _can_join(call: InsertCall) -> bool:
    if len(call.records) != 1 or call.given is not None:
        return False
    [new] = call.records
    return new.unique_key is None and len(new.payload) <= MOST_BYTES
