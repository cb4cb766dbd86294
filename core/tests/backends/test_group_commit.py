"""Single inserts that meet are stored in one commit, and each call has its own result."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from threading import Event, Lock
from typing import ClassVar
from uuid import UUID
from weakref import ref

import pytest
from interrupts import interrupts
from support import PATIENCE, eventually
from tallystick import Capabilities, Inserted, NewRecord, OutcomeUnknown, Unavailable
from tallystick.backends import calls, group_commit
from tallystick.backends.calls import InsertCall
from tallystick.backends.group_commit import GroupCommit

NOW = datetime(2030, 1, 1, tzinfo=UTC)
CAPABILITIES = Capabilities(
    durable=True,
    multi_process=True,
    notify=True,
    transactions=True,
    time_precision=timedelta(microseconds=1),
    max_payload_bytes=1_000_000,
    max_batch=1_000,
)

Together = Callable[[Sequence[NewRecord]], Mapping[UUID, Inserted]]


def stored(records: Sequence[NewRecord]) -> dict[UUID, Inserted]:
    return {new.id: Inserted(new.stored(NOW), created=True) for new in records}


class Store:
    """Records the jobs of each commit. The first insert waits until `release` is set."""

    def __init__(self, together: Together = stored, *, patience: float = PATIENCE, gathering: float = 0) -> None:
        self.commits: list[list[str]] = []
        self.started, self.release = Event(), Event()
        self._together = together
        self._group_commit = GroupCommit(self._store_together, patience=patience, gathering=gathering)

    def insert(self, new: NewRecord, now: datetime | None = None) -> Inserted:
        """Insert a job, as a backend does."""
        call = calls.insert([new], CAPABILITIES, now=now)
        [result] = self._group_commit.insert(call, lambda: self._alone(call))
        return result

    def _alone(self, call: InsertCall) -> Sequence[Inserted]:
        self.commits.append([new.kind for new in call.records])
        if not self.started.is_set():
            self.started.set()
            self.release.wait(PATIENCE)
        return [*stored(call.records).values()]

    def _store_together(self, records: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        self.commits.append(sorted(new.kind for new in records))
        return self._together(records)

    def until_waiting(self, count: int) -> None:
        """Wait until some calls wait for the first one."""
        while len(self._group_commit._waiting) < count:
            pass


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def meeting(store: Store, pool: ThreadPoolExecutor, *kinds: str) -> list[Future[Inserted]]:
    """Insert these jobs while the insert of `first` runs; return the results, with that of `first` at the head."""
    first = pool.submit(store.insert, NewRecord(kind="first"))
    assert store.started.wait(PATIENCE)
    others = [pool.submit(store.insert, NewRecord(kind=kind)) for kind in kinds]
    store.until_waiting(len(kinds))
    store.release.set()
    wait([first, *others])
    return [first, *others]


def test_calls_that_meet_no_other_are_stored_alone() -> None:
    """Calls of one thread are stored one by one."""
    store = Store()
    store.release.set()
    for kind in "abc":
        assert store.insert(NewRecord(kind=kind)).record.kind == kind
    assert store.commits == [["a"], ["b"], ["c"]]


def test_a_call_keeps_no_job(pool: ThreadPoolExecutor) -> None:
    """After its call, alone or in a group, a job is freed without the garbage collector."""
    made: list[ref[NewRecord]] = []

    def note(records: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        made.extend(map(ref, records))
        return stored(records)

    store, alone = Store(note), NewRecord(kind="c")
    made.append(ref(alone))
    gc.disable()
    try:
        meeting(store, pool, "a", "b")
        assert store.insert(alone).created
        del alone
        eventually(lambda: all(new() is None for new in made))
    finally:
        gc.enable()
    assert len(made) == 3


def test_calls_that_meet_share_a_commit(pool: ThreadPoolExecutor) -> None:
    """Calls that begin while an insert runs are stored together after it, and each returns its own job."""
    store = Store()
    results = meeting(store, pool, "a", "b", "c")
    assert store.commits == [["first"], ["a", "b", "c"]]
    assert [each.result().record.kind for each in results] == ["first", "a", "b", "c"]
    assert store.insert(NewRecord(kind="d")).record.kind == "d"
    assert store.commits[-1] == ["d"]


def test_a_job_that_a_group_leaves_out_is_stored_alone(pool: ThreadPoolExecutor) -> None:
    """A group that could not store a job, such as a duplicate, leaves it to its own call."""
    store = Store(lambda records: stored([new for new in records if new.kind != "b"]))
    results = meeting(store, pool, "a", "b")
    assert [each.result().record.kind for each in results] == ["first", "a", "b"]
    assert store.commits == [["first"], ["a", "b"], ["b"]]


def test_threads_that_enqueue_again_share_a_commit_again(pool: ThreadPoolExecutor) -> None:
    """The first call after a group waits until as many calls wait as the group had."""
    store = Store(gathering=PATIENCE)
    meeting(store, pool, "a", "b", "c")
    again = [pool.submit(store.insert, NewRecord(kind=kind)) for kind in "def"]
    assert [each.result().record.kind for each in again] == ["d", "e", "f"]
    assert store.commits == [["first"], ["a", "b", "c"], ["d", "e", "f"]]


def test_a_call_long_after_a_group_does_not_wait(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a call that begins soon after a group waits for the threads of the group."""
    seconds = [0.0]
    monkeypatch.setattr(group_commit, "monotonic", lambda: seconds[0])
    store = Store(gathering=PATIENCE)
    meeting(store, pool, "a", "b", "c")
    seconds[0] += PATIENCE
    assert store.insert(NewRecord(kind="d")).created
    assert store.commits == [["first"], ["a", "b", "c"], ["d"]]


class Ready:
    """The lock of a call. A wait with a timeout ends only when the test says so, or after an `interrupt`."""

    made: ClassVar[list["Ready"]] = []

    def __init__(self) -> None:
        self._lock = Lock()
        self.over, self.waits_for_ever, self.interrupt = Event(), Event(), Event()
        self.made.append(self)

    def acquire(self, timeout: float = -1) -> bool:
        """Wait until it is released, or until the time of a timeout is over."""
        if self._lock.acquire(blocking=False):
            return True
        if timeout == group_commit._LOOK:
            self.waits_for_ever.set()
            return self._lock.acquire(timeout=PATIENCE)
        while not self.over.is_set():
            if self.interrupt.is_set():
                raise KeyboardInterrupt
            if self._lock.acquire(blocking=False):
                return True
        return False

    def release(self) -> None:
        """End a wait."""
        self._lock.release()


def test_an_interrupted_call_lets_the_next_one_lead(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that is interrupted while it waits for the last group's threads stores nothing, and blocks no other."""
    store = Store(gathering=PATIENCE)
    meeting(store, pool, "a", "b", "c")
    monkeypatch.setattr(Ready, "made", [])
    monkeypatch.setattr(group_commit, "Lock", Ready)
    interrupted = pool.submit(store.insert, NewRecord(kind="d"))
    store.until_waiting(1)
    other = pool.submit(store.insert, NewRecord(kind="e"))
    store.until_waiting(2)
    Ready.made[0].interrupt.set()
    assert other.result().created
    assert isinstance(interrupted.exception(), KeyboardInterrupt)
    assert store.commits == [["first"], ["a", "b", "c"], ["e"]]


def test_a_call_whose_patience_ends_withdraws_only_itself(
    pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it ends while a group stores the job, a later call with the same id still waits for its turn."""
    begun, end = Event(), Event()

    def store_slowly(records: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        begun.set()
        end.wait(PATIENCE)
        return stored(records)

    store, job = Store(store_slowly), NewRecord(kind="a")
    monkeypatch.setattr(group_commit, "Lock", Ready)
    monkeypatch.setattr(Ready, "made", [])
    results = [pool.submit(store.insert, NewRecord(kind="first"))]
    try:
        assert store.started.wait(PATIENCE)
        results.append(pool.submit(store.insert, NewRecord(kind="leads")))
        store.until_waiting(1)
        results.append(pool.submit(store.insert, job))
        store.until_waiting(2)
        store.release.set()
        assert begun.wait(PATIENCE)
        results.append(pool.submit(store.insert, job))
        store.until_waiting(1)
        impatient = Ready.made[2]
        impatient.over.set()
        assert impatient.waits_for_ever.wait(PATIENCE)
        assert list(store._group_commit._waiting) == [job.id]
    finally:
        end.set()
        if not store._group_commit._waiting:  # the fault: nothing else would end the last call
            Ready.made[-1].release()
    assert [each.result().record.kind for each in results] == ["first", "leads", "a", "a"]
    assert store.commits == [["first"], ["a", "leads"], ["a"]]


def test_a_failed_group_is_stored_one_by_one(pool: ThreadPoolExecutor) -> None:
    """If a group fails, each call stores its job by itself, so that one job does not fail another."""

    def fail(_: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        raise Unavailable("down")

    store = Store(fail)
    results = meeting(store, pool, "a", "b")
    assert [each.result().record.kind for each in results] == ["first", "a", "b"]
    assert sorted(store.commits[2:]) == [["a"], ["b"]]


def test_an_unknown_outcome_is_raised_by_each_call(pool: ThreadPoolExecutor) -> None:
    """If the outcome of a group is unknown, each call raises an error of its own, and repeats nothing."""

    def fail(_: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        raise OutcomeUnknown("lost") from OSError("reset")

    store = Store(fail)
    [first, *others] = meeting(store, pool, "a", "b")
    assert first.result().created
    errors = [each.exception() for each in others]
    assert [type(error) for error in errors] == [OutcomeUnknown, OutcomeUnknown]
    assert errors[0] is not errors[1]
    assert [str(error.__cause__) for error in errors if error] == ["reset", "reset"]
    assert len(store.commits) == 2


def test_an_interrupt_leaves_the_outcome_unknown(pool: ThreadPoolExecutor) -> None:
    """An interrupt in the thread that stores a group is raised there; the other calls do not know their outcome."""

    def interrupt(_: Sequence[NewRecord]) -> Mapping[UUID, Inserted]:
        raise KeyboardInterrupt

    store = Store(interrupt)
    [_, *others] = meeting(store, pool, "a", "b")
    assert {type(each.exception()) for each in others} == {KeyboardInterrupt, OutcomeUnknown}
    assert store.insert(NewRecord(kind="c")).created


def test_an_interrupt_anywhere_lets_the_others_go_on(pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Ctrl-C interrupts the call that leads a group, each other call ends, and so does a later one."""
    monkeypatch.setattr(group_commit, "_LOOK", 0.01)
    calls: list[_Interruptible] = []

    def insert() -> None:
        calls.append(pool.submit(_Interruptible, pool).result())  # in another thread, which is not interrupted
        calls[-1].lead()

    for interrupt in interrupts(insert, (group_commit.__file__,)):
        assert type(interrupt) is KeyboardInterrupt
        calls[-1].check()
    assert len(calls) > 50


class _Interruptible:
    """A store in which the calling thread leads a group with two other calls."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._store, self._pool, self._over = Store(patience=group_commit.PATIENCE), pool, Event()
        self._first = pool.submit(self._store.insert, NewRecord(kind="first"))
        assert self._store.started.wait(PATIENCE)
        self._others = pool.submit(self._follow)

    def lead(self) -> None:
        """Insert a job, whose call leads the group."""
        try:
            self._store.insert(NewRecord(kind="leads"))
        finally:
            self._over.set()

    def _follow(self) -> list[Future[Inserted]]:
        waiting = self._store._group_commit._waiting
        while not waiting and not self._over.is_set():
            pass
        others = [NewRecord(kind="a"), NewRecord(kind="b")]
        results = [self._pool.submit(self._store.insert, new) for new in others]
        for new, result in zip(others, results, strict=True):
            while new.id not in waiting and not result.done():
                pass
        self._store.release.set()
        return results

    def check(self) -> None:
        """Check that each other call stores its job or does not know its outcome, and that a later call ends."""
        errors = [each.exception(PATIENCE) for each in (self._first, *self._others.result(PATIENCE))]
        assert {type(error) for error in errors} <= {type(None), OutcomeUnknown}
        assert self._pool.submit(self._store.insert, NewRecord(kind="c")).result(PATIENCE).created
        assert not self._store._group_commit._waiting


def test_an_insert_that_waits_for_a_lock_delays_no_other() -> None:
    """A call does not wait long for the insert before it."""
    store = Store(patience=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(store.insert, NewRecord(kind="first"))
        assert store.started.wait(PATIENCE)
        assert store.insert(NewRecord(kind="a")).created
        assert not first.done()
        store.release.set()
    assert store.commits == [["first"], ["a"]]


@pytest.mark.parametrize(
    ("new", "now"),
    [
        pytest.param(NewRecord(kind="a", unique_key="key"), None, id="unique key"),
        pytest.param(NewRecord(kind="a", payload=bytes(100_000)), None, id="large payload"),
        pytest.param(NewRecord(kind="a"), NOW, id="given time"),
    ],
)
def test_some_calls_never_wait_for_others(new: NewRecord, now: datetime | None) -> None:
    """A call with a unique key, a large payload or a time of its own is stored alone while another insert runs."""
    store = Store()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(store.insert, NewRecord(kind="first"))
        assert store.started.wait(PATIENCE)
        assert store.insert(new, now).created
        store.release.set()
    assert store.commits == [["first"], ["a"]]


def test_two_jobs_with_one_id_do_not_share_a_group(pool: ThreadPoolExecutor) -> None:
    """A job whose id already waits is stored by its own call, so each of the two learns whether it was stored."""
    store = Store()
    pool.submit(store.insert, NewRecord(kind="first"))
    assert store.started.wait(PATIENCE)
    new = NewRecord(kind="a")
    waiting = pool.submit(store.insert, new)
    store.until_waiting(1)
    assert store.insert(new).created
    store.release.set()
    assert waiting.result().created
    assert store.commits[:2] == [["first"], ["a"]]
