from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from tallystick import (
    Capabilities,
    Closed,
    Context,
    Definition,
    Enqueue,
    Filter,
    InvalidArgument,
    InvalidPayload,
    Job,
    PayloadTooLarge,
    Runner,
    State,
    UnknownKind,
    Unsupported,
)
from tallystick_memory import MemoryBackend

from ..helpers import NOW, SECOND, MakeRunner


class Greet(Job[str]):
    """The job that these tests enqueue."""

    kind = "greet"
    queue = "greetings"
    priority = 5
    max_attempts = 3
    tags = ("kind",)

    name: str

    def work(self, ctx: Context) -> str:
        """Return a greeting."""
        return f"Hello {self.name}"


@pytest.fixture
def runner(make_runner: MakeRunner) -> Runner:
    """Return a runner that has the job registered."""
    runner = make_runner()
    runner.register(Greet)
    return runner


@pytest.fixture
def echo(runner: Runner) -> Definition[int, int]:
    """Register a function as a job."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


def count(runner: Runner) -> int:
    """Return the number of records in the store."""
    return runner.backend.stats().total


def test_record(runner: Runner) -> None:
    """A job is stored with the options of its definition, is due now, and its payload is JSON."""
    record = runner.enqueue(Greet(name="Ada")).record
    assert runner.get(record.id) == record
    assert (record.kind, record.queue, record.priority, record.max_attempts) == ("greet", "greetings", 5, 3)
    assert (record.payload, record.tags, record.state) == (b'{"name":"Ada"}', ("kind",), State.PENDING)
    assert record.run_at == record.created_at


def test_options(runner: Runner) -> None:
    """Options of the enqueue call override those of the definition."""
    record = runner.enqueue(
        Greet(name="Ada"), queue="urgent", priority=-1, max_attempts=1, tags=("own",), unique_key="k", run_at=NOW
    ).record
    assert (record.queue, record.priority, record.max_attempts, record.tags) == ("urgent", -1, 1, ("own",))
    assert (record.unique_key, record.run_at) == ("k", NOW)


def test_function(runner: Runner, echo: Definition[int, int]) -> None:
    """`Definition.job` makes a job that can be enqueued."""
    assert runner.enqueue(echo.job(7)).record.payload == b"7"


def test_delay(runner: Runner) -> None:
    """A delay counts from the insert, on the store's clock."""
    for handle in (runner.enqueue_in(SECOND, Greet(name="Ada")), runner.enqueue(Greet(name="Ada"), run_at=SECOND)):
        assert handle.record.run_at == handle.record.created_at + SECOND


def test_moment(runner: Runner) -> None:
    """A job can be scheduled for any moment, including a past one."""
    assert runner.enqueue_at(NOW, Greet(name="Ada")).record.run_at == NOW


def test_repeat_with_one_id(runner: Runner) -> None:
    """Repeating an enqueue with the same id stores one job, and the second handle is marked as a duplicate."""
    id = uuid4()
    first, second = runner.enqueue(Greet(name="Ada"), id=id), runner.enqueue(Greet(name="Ada"), id=id)
    assert (first.id, first.duplicate) == (id, False)
    assert (second.id, second.duplicate) == (id, True)
    assert count(runner) == 1


def test_unique_key(runner: Runner) -> None:
    """A job with a unique key in use is not stored; the handle refers to the job that holds the key."""
    first = runner.enqueue(Greet(name="Ada"), unique_key="ada")
    second = runner.enqueue(Greet(name="Bob"), unique_key="ada")
    assert (second.id, second.duplicate) == (first.id, True)
    assert count(runner) == 1


def test_replace(runner: Runner) -> None:
    """`on_conflict="replace"` gives a waiting job the new payload, and the handle names the job and the policy."""
    first = runner.enqueue(Greet(name="Ada"), unique_key="ada")
    second = runner.enqueue(Greet(name="Bob"), unique_key="ada", on_conflict="replace", meta={"m": "1"})
    assert (second.id, second.duplicate, second.applied) == (first.id, True, "replace")
    assert second.record == runner.get(first)
    assert (second.record.payload, second.record.meta) == (b'{"name":"Bob"}', {"m": "1"})
    assert (first.applied, runner.enqueue(Greet(name="Cyd"), unique_key="ada").applied) == (None, None)


def test_debounce(runner: Runner) -> None:
    """`on_conflict="debounce"` delays a waiting job again, at most until its creation + `debounce_max`."""
    first = runner.enqueue_in(SECOND, Greet(name="Ada"), unique_key="ada")
    for delay, after in ((60, 60), (5_000, 3_600)):
        handle = runner.enqueue_at(
            first.record.created_at + delay * SECOND,
            Greet(name="Ada"),
            unique_key="ada",
            on_conflict="debounce",
            debounce_max=3_600 * SECOND,
        )
        assert (handle.id, handle.applied) == (first.id, "debounce")
        assert handle.record.run_at == first.record.created_at + after * SECOND
    assert count(runner) == 1


def test_options_of_the_kind_about_keys(runner: Runner) -> None:
    """A kind sets how long its jobs hold a unique key and what happens on a conflict, for jobs that have a key."""

    @runner.job("sync", unique_until=timedelta(hours=1), on_conflict="debounce", debounce_max=SECOND)
    def sync(payload: int, ctx: Context) -> None: ...

    plain = runner.enqueue(sync.job(1))
    first = runner.enqueue(sync.job(2), unique_key="k")
    again = runner.enqueue(sync.job(3), unique_key="k", run_at=timedelta(hours=1))
    replaced, own = runner.enqueue_batch(
        [
            Enqueue(sync.job(4), unique_key="k", on_conflict="replace"),
            Enqueue(sync.job(5), unique_key="l", unique_until="started"),
        ]
    )
    assert (plain.record.unique_until, first.record.unique_until) == ("finished", timedelta(hours=1))
    assert (again.applied, again.record.run_at) == ("debounce", first.record.created_at + SECOND)
    assert (replaced.applied, replaced.record.run_at) == ("replace", again.record.run_at)
    assert own.record.unique_until == "started"


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        ({"on_conflict": "replace"}, "no unique_key"),
        ({"on_conflict": "ignore", "unique_key": "k"}, "'skip', 'replace' or 'debounce'"),
        ({"on_conflict": "replace", "unique_key": "k", "debounce_max": SECOND}, "set on_conflict='debounce'"),
        ({"unique_until": timedelta(milliseconds=1), "unique_key": "k"}, "whole seconds"),
        ({"unique_until": 60, "unique_key": "k"}, "timedelta"),
        ({"unique_for": 60, "unique_key": "k"}, "unique_until="),
    ],
)
def test_wrong_options_about_keys(runner: Runner, options: dict[str, Any], advice: str) -> None:
    """Options about a unique key that do not fit are rejected at the call."""
    with pytest.raises(InvalidArgument, match=advice):
        runner.enqueue(Greet(name="Ada"), **options)
    assert count(runner) == 0


def test_unique_key_is_free_again(runner: Runner) -> None:
    """A unique key is released when its job finishes; with `unique_until="purged"`, when the record is purged."""
    for until, duplicate in (("finished", False), ("purged", True)):
        first = runner.enqueue(Greet(name="Ada"), unique_key=until, unique_until=until)  # type: ignore[arg-type]  # both are valid
        assert runner.cancel(first) == 1
        assert runner.enqueue(Greet(name="Ada"), unique_key=until).duplicate is duplicate


def test_batch(runner: Runner, echo: Definition[int, int]) -> None:
    """A batch returns a handle for each job in the order given; the call's options apply to all."""
    handles = runner.enqueue_batch((echo.job(n) for n in range(5)), priority=9)
    assert [handle.record.payload for handle in handles] == [b"0", b"1", b"2", b"3", b"4"]
    assert {handle.record.priority for handle in handles} == {9}


def test_empty_batch(runner: Runner) -> None:
    """An empty batch does nothing and returns an empty list."""
    assert runner.enqueue_batch([]) == []


@pytest.mark.parametrize("bad", ["wrong", None, 1.5])
def test_batch_with_a_bad_job(runner: Runner, echo: Definition[Any, int], bad: object) -> None:
    """A batch with one invalid payload stores nothing."""
    with pytest.raises(InvalidPayload):
        runner.enqueue_batch([echo.job(1), echo.job(bad), echo.job(3)])
    assert count(runner) == 0


def test_batch_with_an_unknown_job(runner: Runner, echo: Definition[int, int]) -> None:
    """A batch with one unregistered job stores nothing."""

    class Stranger(Job[Any]):
        kind = "stranger"

        def work(self, ctx: Context) -> None: ...

    with pytest.raises(UnknownKind):
        runner.enqueue_batch(list[Any]([echo.job(1), Stranger()]))
    assert count(runner) == 0


class Small(MemoryBackend):
    """A store with small limits for batches and payloads."""

    @property
    def capabilities(self) -> Capabilities:
        """Declare the limits."""
        return Capabilities(**{**vars_of(super().capabilities), "max_batch": 3, "max_payload_bytes": 8})

    def insert(self, records: Sequence[Any], **kwargs: Any) -> Any:
        """Enforce the limits."""
        if len(records) > 3:
            raise InvalidArgument("too many")
        if any(len(record.payload) > 8 for record in records):
            raise PayloadTooLarge("too large")
        return super().insert(records, **kwargs)


def vars_of(capabilities: Capabilities) -> dict[str, Any]:
    """Return the fields of the capabilities as a dict."""
    return {name: getattr(capabilities, name) for name in Capabilities.__dataclass_fields__}


def test_too_large(make_runner: MakeRunner) -> None:
    """A payload above the store's limit is rejected, and nothing of its batch is stored."""
    runner = make_runner(Small())

    @runner.job("echo")
    def echo(payload: str, ctx: Context) -> None: ...

    with pytest.raises(PayloadTooLarge):
        runner.enqueue_batch([echo.job("short"), echo.job("far too long")])
    assert count(runner) == 0


def test_too_large_for_memory(runner: Runner) -> None:
    """The memory store has a payload limit too, and the message states it."""

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> None: ...

    with pytest.raises(PayloadTooLarge, match="at most 16,777,216"):
        runner.enqueue(raw.job(bytes(16 * 2**20 + 1)))
    assert count(runner) == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"run_at": datetime(2025, 6, 1)}, "no time zone"),  # noqa: DTZ001  # naive on purpose
        ({"run_at": -SECOND}, "run_at is"),
        ({"run_at": 5}, "run_at is"),
        ({"run_at": timedelta.max}, "end in the year 9999"),
        ({"queue": ""}, "queue is"),
        ({"priority": 10**6}, "priority is"),
        ({"max_attempts": 0}, "max_attempts is"),
        ({"unique_key": ""}, "unique_key is"),
        ({"unique_key": "k", "unique_until": "ended"}, "unique_until is"),
        ({"tags": "urgent"}, "tags is"),
        ({"id": "1"}, "id is"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_option(runner: Runner, options: dict[str, Any], problem: str) -> None:
    """An invalid option fails the call; the error names it, and nothing is stored."""
    with pytest.raises(InvalidArgument, match=problem):
        runner.enqueue(Greet(name="Ada"), **options)
    assert count(runner) == 0


def test_bad_times(runner: Runner) -> None:
    """`enqueue_at` rejects a naive datetime, and `enqueue_in` rejects a negative delay."""
    with pytest.raises(InvalidArgument, match="no time zone"):
        runner.enqueue_at(datetime(2025, 6, 1), Greet(name="Ada"))  # noqa: DTZ001  # naive on purpose
    with pytest.raises(InvalidArgument, match="zero or more"):
        runner.enqueue_in(-SECOND, Greet(name="Ada"))
    assert count(runner) == 0


def test_payload_that_was_spoilt(runner: Runner) -> None:
    """A payload that became invalid after its construction is rejected."""
    job = Greet(name="Ada")
    job.name = 7  # type: ignore[assignment]  # invalid on purpose
    with pytest.raises(InvalidPayload, match="payload of 'greet'"):
        runner.enqueue(job)
    assert count(runner) == 0


def test_unregistered_class(runner: Runner) -> None:
    """A class that is not registered is rejected; the message lists the registered kinds."""

    class Stranger(Job[None]):
        kind = "stranger"

        def work(self, ctx: Context) -> None: ...

    with pytest.raises(UnknownKind, match=r"Stranger is not registered.*registered kinds are: greet"):
        runner.enqueue(Stranger())


def test_another_class_of_the_kind(runner: Runner) -> None:
    """Another class with a registered kind is rejected."""

    class Impostor(Job[str]):
        kind = "greet"

        def work(self, ctx: Context) -> str:
            return "Boo"

    with pytest.raises(UnknownKind, match="not registered with this runner"):
        runner.enqueue(Impostor())


def test_another_runners_function(runner: Runner, make_runner: MakeRunner, echo: Definition[int, int]) -> None:
    """A function that is registered with another runner is rejected, even if the kind is known."""
    other = make_runner()
    with pytest.raises(UnknownKind):
        other.enqueue(echo.job(1))

    @other.job("echo")
    def other_echo(payload: int, ctx: Context) -> int:
        return payload

    with pytest.raises(UnknownKind):
        other.enqueue(echo.job(1))


@pytest.mark.parametrize("wrong", ["greet", {"name": "Ada"}, None])
def test_not_a_job(runner: Runner, wrong: Any) -> None:
    """A value that is not a job is rejected."""
    with pytest.raises(UnknownKind):
        runner.enqueue(wrong)


def test_raw(runner: Runner) -> None:
    """`enqueue_raw` stores a job by its kind and encoded payload."""
    record = runner.enqueue_raw("greet", b'{"name": "Ada"}').record
    assert (record.kind, record.queue, record.payload) == ("greet", "greetings", b'{"name": "Ada"}')


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]", b'{"name": 7}', b"{}"])
def test_raw_payload_is_validated(runner: Runner, payload: bytes) -> None:
    """An encoded payload that is not JSON or does not validate is rejected."""
    with pytest.raises(InvalidPayload, match="payload of 'greet'"):
        runner.enqueue_raw("greet", payload)
    assert count(runner) == 0


def test_raw_payload_is_bytes(runner: Runner) -> None:
    """An encoded payload that is not bytes is rejected."""
    with pytest.raises(InvalidArgument, match="must be bytes"):
        runner.enqueue_raw("greet", "{}")  # type: ignore[arg-type]  # wrong on purpose


def test_raw_kind_is_known(runner: Runner) -> None:
    """A kind that is not registered is rejected."""
    with pytest.raises(UnknownKind, match="'stranger' is not registered"):
        runner.enqueue_raw("stranger", b"{}")


def test_raw_job_takes_any_bytes(runner: Runner) -> None:
    """A raw job is stored with any bytes."""

    @runner.raw("raw")
    def raw(payload: bytes, ctx: Context) -> None: ...

    assert runner.enqueue_raw("raw", b"\xff\0").record.payload == b"\xff\0"


def test_transaction(runner: Runner) -> None:
    """A store without transactions rejects one, and stores nothing."""
    with pytest.raises(Unsupported, match="transactions"):
        runner.enqueue(Greet(name="Ada"), transaction=object())
    with pytest.raises(Unsupported):
        runner.enqueue_batch([Greet(name="Ada")], transaction=object())
    assert count(runner) == 0


def test_closed(runner: Runner) -> None:
    """A closed runner rejects every call."""
    handle = runner.enqueue(Greet(name="Ada"))
    runner.close()
    for call in (
        lambda: runner.enqueue(Greet(name="Ada")),
        lambda: runner.get(handle),
        lambda: runner.result(handle),
        lambda: runner.cancel(handle),
        runner.start,
    ):
        with pytest.raises(Closed, match="closed"):
            call()


def test_looking_and_changing(runner: Runner) -> None:
    """`cancel`, `requeue` and `delete` take a handle, an id or a filter, and return the number of changed jobs."""
    handles = runner.enqueue_batch([Greet(name=str(n)) for n in range(4)])
    assert runner.cancel(handles[0]) == 1
    assert runner.cancel(handles[0].id) == 0
    assert runner.cancel(Filter(kinds=["greet"])) == 3
    assert runner.requeue(handles[1]) == 1
    assert runner.get(handles[1]).state is State.PENDING
    assert runner.delete(Filter(states=[State.CANCELLED])) == 3
    assert count(runner) == 1


def test_changing_many(runner: Runner, echo: Definition[int, int]) -> None:
    """A filter changes all matching jobs, even more than one batch."""
    runner.enqueue_batch([echo.job(n) for n in range(2_500)])
    assert runner.cancel(Filter()) == 2_500
    assert runner.delete(Filter()) == 2_500


def test_not_an_id(runner: Runner) -> None:
    """A value that is neither a handle nor an id is rejected."""
    with pytest.raises(InvalidArgument, match=r"uuid\.UUID"):
        runner.get("1")  # type: ignore[arg-type]  # wrong on purpose
