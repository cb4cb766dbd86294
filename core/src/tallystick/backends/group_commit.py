"""Store the single inserts of several threads in one commit, if they meet."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from itertools import islice
from math import inf
from threading import Lock
from time import monotonic
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

GATHERING = 0.0005
"""Seconds after a group in which its threads may enqueue again. The first of them waits as long for the others."""

_LOOK = 0.5
"""Seconds after which a call looks whether the thread that stores its job was interrupted before it woke the others."""

Alone = Callable[[], Sequence[Inserted]]
"""Stores the job of a call by itself."""

Together = Callable[[Sequence[NewRecord]], Mapping[UUID, Inserted]]
"""Stores several jobs in one commit, or none. It leaves out each job that it could not store."""


class _Turn:
    """A call. `ready` is released once the call leads a group, or once a group that contained it has ended.

    `leader` is the other call that took it into a group. `over` means that a call has ended, and wakes no other.
    """

    __slots__ = ("error", "leader", "new", "over", "ready", "result")

    def __init__(self, new: NewRecord) -> None:
        self.new = new
        self.ready = Lock()  # an event takes more than three times as long
        self.ready.acquire()
        self.result: Inserted | None = None
        self.error: OutcomeUnknown | None = None
        self.leader: _Turn | None = None
        self.over = False


class GroupCommit:
    """Joins single inserts of the threads of one client.

    While one insert runs, further ones wait. When it ends, the first of them stores all of them in one commit. A call
    that begins just after such a group waits for a moment, because the threads of the group may enqueue again.

    A call that meets no other one is stored by itself. So is a call with a unique key, which may wait for another
    transaction. If a group fails, or leaves a job out, the call of the job stores it by itself. So each call has its
    own result.
    """

    def __init__(self, together: Together, *, patience: float = PATIENCE, gathering: float = GATHERING) -> None:
        self._together = together
        self._patience = patience
        self._gathering = gathering
        self._lock = Lock()
        self._leader: _Turn | None = None
        self._waiting: dict[UUID, _Turn] = {}
        self._expected = 0  # the size of the group for which its leader waits
        self._last_group = 0
        self._last_end = -inf

    def insert(self, call: InsertCall, alone: Alone) -> Sequence[Inserted]:
        """Store the jobs of a call without a transaction: together with those of other threads, or by `alone`."""
        if not _can_join(call):
            return alone()
        turn = _Turn(call.records[0])
        group: Sequence[_Turn] = ()
        try:
            if self._enter(turn):
                self._wait(turn)
            if self._leader is turn:
                group = self._take(turn)
                if len(group) == 1:
                    return alone()
                self._store(group)
        except BaseException:  # an interrupt, or an error of `alone`
            self._leave(turn)
            raise
        finally:
            try:
                if self._leader is turn:
                    self._pass_on(group)
            finally:  # without a call, after which Python could raise an interrupt
                turn.over = True
                if self._leader is turn:
                    self._leader = None
        if turn.error is not None:
            raise turn.error
        return alone() if turn.result is None else [turn.result]

    def _enter(self, turn: _Turn) -> bool:
        """Lead if no other call does, or join those that wait. Return whether the call has to wait.

        It does not wait if a job with the same id waits. If it leads, it waits only for the calls of the last group.
        """
        with self._lock:
            if turn.new.id in self._waiting:
                return False
            self._waiting[turn.new.id] = turn
            if self._leader is None:
                self._leader = turn
                is_soon = self._last_group > 1 and monotonic() - self._last_end < self._gathering
                self._expected = self._last_group if is_soon else 0
                return is_soon
            if len(self._waiting) == self._expected:
                self._expected = 0
                self._leader.ready.release()
            return True

    def _wait(self, turn: _Turn) -> None:
        """Wait until the call leads a group, or a group has stored its job. Withdraw if that takes too long."""
        seconds = self._gathering if self._leader is turn else self._patience
        if not turn.ready.acquire(timeout=seconds) and not self._withdraw(turn) and self._leader is not turn:
            while not turn.ready.acquire(timeout=_LOOK) and (turn.leader is None or not turn.leader.over):
                pass  # a group contains it

    def _withdraw(self, turn: _Turn) -> bool:
        """Stop waiting, and return True, unless the call leads, or a group contains it."""
        with self._lock:
            return self._leader is not turn and self._remove(turn)

    def _leave(self, turn: _Turn) -> None:
        """Withdraw an interrupted call, even one that leads."""
        with self._lock:
            self._remove(turn)

    def _remove(self, turn: _Turn) -> bool:
        if self._waiting.get(turn.new.id) is not turn:  # another call with its id may wait
            return False
        del self._waiting[turn.new.id]
        return True

    def _take(self, leader: _Turn) -> Sequence[_Turn]:
        """Return the calls that wait now, with the one that leads them at the head."""
        with self._lock:
            self._expected = 0
            group = [*islice(self._waiting.values(), MOST_JOBS)]
            for each in group:
                each.leader = leader if each is not leader else None  # no cycle, which would wait for the collector
                del self._waiting[each.new.id]
        return group

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

    def _pass_on(self, group: Sequence[_Turn]) -> None:
        """End a group, and let the first waiting call lead the next one.

        That call is woken last. While it waits for the interpreter's lock, others may enqueue again, into its group.
        """
        with self._lock:
            following = self._leader = next(iter(self._waiting.values()), None)
            self._last_group, self._last_end = len(group), monotonic()
            self._expected = 0
        for other in group[1:]:
            other.ready.release()
        if following is not None:
            following.ready.release()


def _fail(group: Sequence[_Turn], error: OutcomeUnknown) -> None:
    for turn in group:
        turn.error = copy(error)  # each call adds the id of its own job
        turn.error.__cause__ = error.__cause__


def _can_join(call: InsertCall) -> bool:
    if len(call.records) != 1 or call.given is not None:
        return False
    [new] = call.records
    return new.unique_key is None and len(new.payload) <= MOST_BYTES
