"""Use that is hostile, careless or unlucky, and what it must not break."""

import asyncio
import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, Json, SecretStr, computed_field, field_validator
from windlass import (
    BackendUrl,
    Capabilities,
    Claim,
    ConfigurationError,
    Context,
    Definition,
    DefinitionError,
    Discard,
    Exponential,
    Failure,
    Filter,
    Fixed,
    Hold,
    InvalidArgument,
    InvalidPayload,
    InvalidResult,
    Job,
    NewRecord,
    Options,
    Outcome,
    OutcomeUnknown,
    Record,
    Runner,
    State,
    Unavailable,
    UnknownKind,
    hookimpl,
    open_backend,
    plugins,
    urls,
)
from windlass.codec import Codec
from windlass.worker.flight import Flight
from windlass.worker.run import Run
from windlass_memory import MemoryBackend

from .helpers import AT_ONCE, LONG, SECOND, SHORT_LEASE, MakeRunner, eventually, threads

PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def release() -> Iterator[Event]:
    """Return what a blocked handler waits for; set at the end of the test."""
    event = Event()
    yield event
    event.set()


def echo(runner: Runner) -> Definition[int, int]:
    """Register a job that returns its payload."""

    @runner.job("echo")
    def echo(payload: int, ctx: Context) -> int:
        return payload

    return echo


# handlers, policies, payloads


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("answer", [-SECOND, 5])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_bad_policy(make_runner: MakeRunner, asynchronous: bool, answer: Any) -> None:
    """A retry policy that answers what is no delay costs the worker no place; the default decides."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    def sync(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    async def coroutine(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    fail = runner.job("fail", retry=lambda attempt, exc, draw: answer)(coroutine if asynchronous else sync)
    handle = runner.enqueue(fail.job(None))
    runner.start()
    soon(lambda: runner.get(handle).state is State.RETRYING)


class Proxy(Exception):
    """An error that passes on whatever it is asked."""

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(f"no connection to ask for {name}")


def odd_syntax_error() -> SyntaxError:
    """Return an error as a parser of some other language may make it, which the traceback module cannot print."""
    error = SyntaxError("wrong", ("query", 1, 1, "select"))
    error.offset = "column"  # type: ignore[assignment]  # wrong on purpose
    return error


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    "error",
    [Proxy(), odd_syntax_error()],
    ids=["proxy", "syntax"],
)
def test_odd_error(make_runner: MakeRunner, error: Exception) -> None:
    """An error that cannot be described ends its attempt like any other, and costs the worker no thread."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    @runner.job("fail", max_attempts=1)
    def fail(payload: None, ctx: Context) -> None:
        raise error

    handle = runner.enqueue(fail.job(None))
    runner.start()
    soon(lambda: runner.get(handle).state is State.DISCARDED)


class Exits(BaseModel):
    """A payload whose validator ends the process."""

    number: int

    @field_validator("number")
    @classmethod
    def _exit(cls, value: int) -> int:
        sys.exit(value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_validator_exits(make_runner: MakeRunner, asynchronous: bool) -> None:
    """A validator that raises SystemExit discards its job, and costs the worker no thread and no loop."""
    runner = make_runner(concurrency=1, grace=AT_ONCE)

    def sync(payload: Exits, ctx: Context) -> None: ...

    async def coroutine(payload: Exits, ctx: Context) -> None: ...

    runner.job("exit")(coroutine if asynchronous else sync)
    runner.backend.insert([record := NewRecord(kind="exit", payload=b'{"number": 7}')])
    runner.start()
    try:
        soon(lambda: runner.get(record.id).state is State.DISCARDED)
    finally:
        stop_anyhow(runner)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_task_exits(make_runner: MakeRunner) -> None:
    """A task that an async handler began, and that raises SystemExit, does not end the loop of all the others."""
    runner = make_runner(grace=AT_ONCE)

    async def exits() -> None:
        sys.exit(7)

    @runner.job("spawn", max_attempts=1)
    async def spawn(payload: None, ctx: Context) -> None:
        await asyncio.create_task(exits())

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        return payload

    spawned = runner.enqueue(spawn.job(None))
    runner.start()
    try:
        soon(lambda: runner.get(spawned).state is State.DISCARDED)
        assert runner.result(runner.enqueue(echo.job(7)), timeout=SECOND) == 7
    finally:
        stop_anyhow(runner)


def test_async_handler_that_ignores_its_timeout(make_runner: MakeRunner) -> None:
    """An async handler that goes on after its timeout fails with TimeoutError all the same, as a sync one does."""
    runner = make_runner(lease=SHORT_LEASE, grace=AT_ONCE)
    stop: list[bool] = []

    @runner.job("ignore", timeout=SECOND / 25, max_attempts=1)
    async def ignore(payload: None, ctx: Context) -> None:
        while not stop:
            try:
                await asyncio.sleep(0.005)
            except asyncio.CancelledError:
                continue

    handle = runner.enqueue(ignore.job(None))
    runner.start()
    try:
        soon(lambda: runner.get(handle).state is State.DISCARDED)
    finally:
        stop.append(True)


def test_none_is_not_a_number() -> None:
    """A handler that returns None where its annotation says int has not returned what is its type."""

    def number(payload: None, ctx: Context) -> int:
        return None  # type: ignore[return-value]  # wrong on purpose

    definition = Definition.of_function("number", number, Options())
    with pytest.raises(InvalidResult):
        definition.encode_result(None)  # type: ignore[arg-type]  # wrong on purpose


class Aliased(BaseModel):
    """A model whose JSON has other names."""

    user_id: int = Field(alias="userId")


class Embedded(BaseModel):
    """A model with a field that is JSON in JSON."""

    numbers: Json[list[int]]


class Computed(BaseModel):
    """A model with a field that is computed, and no others beside the declared ones."""

    model_config = ConfigDict(extra="forbid")

    number: int

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's manual has it
    @property
    def double(self) -> int:
        """Twice the number."""
        return 2 * self.number


class Secret(BaseModel):
    """A model with a value that pydantic masks."""

    token: SecretStr


@pytest.mark.parametrize(
    "value",
    [Aliased(userId=7), Embedded.model_validate({"numbers": "[1, 2]"}), Computed(number=7)],
    ids=["alias", "json", "computed"],
)
def test_models(value: BaseModel) -> None:
    """A model with aliases, embedded JSON or computed fields is a payload like any other."""
    codec: Codec[BaseModel] = Codec(type(value), "the payload", InvalidPayload)
    assert codec.decode(codec.encode(value)) == value


def test_masked_secret() -> None:
    """A secret is stored whole or refused; never are asterisks stored in its place."""
    codec = Codec[Secret](Secret, "the payload", InvalidPayload)
    try:
        encoded = codec.encode(Secret(token=SecretStr("abc")))
    except InvalidPayload:
        return
    assert codec.decode(encoded).token.get_secret_value() == "abc"


# definitions


def test_class_without_kind() -> None:
    """A class without a kind is refused, and told how to get one."""

    class Kindless(Job[None]):
        def work(self, ctx: Context) -> None: ...

    with pytest.raises(DefinitionError, match=r'Kindless has no kind.*kind = "'):
        Definition.of_class(Kindless)


def two_arguments(payload: int, ctx: Context) -> None: ...


class Callable2:
    """An object that can be called, asynchronously."""

    async def __call__(self, payload: int, ctx: Context) -> int:
        """Return the payload."""
        return payload


@pytest.mark.parametrize("handler", [functools.partial(two_arguments), Callable2(), 7])
def test_odd_handler(handler: Any) -> None:
    """A handler that is no function is defined, async where its call is, or refused with a DefinitionError."""
    try:
        definition = Definition.of_function("odd", handler, Options())
    except DefinitionError:
        return
    assert definition.is_async is isinstance(handler, Callable2)


def generator(payload: int, ctx: Context) -> Any:
    """Yield."""
    yield payload


async def async_generator(payload: int, ctx: Context) -> Any:
    """Yield."""
    yield payload


@pytest.mark.parametrize("handler", [generator, async_generator])
def test_generator(handler: Any) -> None:
    """A generator is refused as a handler, since calling it would not run it."""
    with pytest.raises(DefinitionError):
        Definition.of_function("generate", handler, Options())


def test_work_without_context() -> None:
    """A class whose `work` does not take the context is refused when it is registered."""

    class Forgetful(Job[None]):
        kind = "forgetful"

        def work(self) -> None: ...  # type: ignore[override]  # wrong on purpose

    with pytest.raises(DefinitionError):
        Definition.of_class(Forgetful)


def test_unregistered_subclass(runner: Runner) -> None:
    """A subclass of a registered class is not registered by that: it is refused, and its fields are not dropped."""

    class Parent(Job[None]):
        kind = "parent"
        number: int = 0

        def work(self, ctx: Context) -> None: ...

    class Child(Parent):
        more: int = 0

    runner.register(Parent)
    with pytest.raises(UnknownKind):
        runner.enqueue(Child(number=1, more=2))


# runner and settings


@pytest.mark.parametrize("name", ["LEASE", "POLL", "GRACE"])
def test_seconds_in_the_environment(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """In the environment a length of time may be a number of seconds, as the docstring of Settings says."""
    monkeypatch.setenv(f"WINDLASS_{name}", "45")
    assert getattr(Runner().settings, name.lower()) == timedelta(seconds=45)


@pytest.mark.parametrize("wrong", [MemoryBackend, b"memory://x", 7])
def test_wrong_backend(wrong: Any) -> None:
    """What is neither a URL nor a backend is refused; no other store is used in its stead."""
    with pytest.raises((ConfigurationError, InvalidArgument, TypeError)):
        Runner(wrong)


def test_bad_configure_is_forgotten() -> None:
    """A setting that was refused does not spoil the next override, nor is a given backend dropped for it."""
    backend = MemoryBackend()
    runner = Runner(backend)
    with pytest.raises(ConfigurationError):
        runner.configure(backend="memory://other", concurrency=0)
    runner.configure(batch=5)
    assert runner.backend is backend
    runner.close()


@pytest.mark.parametrize("options", [{"unique_key": "one"}, {"id": NewRecord(kind="any").id}])
def test_batch_of_one_key(runner: Runner, options: dict[str, Any]) -> None:
    """One id or unique key for a whole batch is refused; it would store the first job only."""
    job = echo(runner)
    with pytest.raises(InvalidArgument):
        runner.enqueue_batch([job.job(1), job.job(2)], **options)


class Restless(MemoryBackend):
    """A store whose jobs fail again as soon as they are requeued, as broken jobs do where workers are fast."""

    rounds = 0

    def requeue(self, filter: Filter, *, limit: int, now: datetime | None = None) -> Sequence[Any]:
        """Requeue, and fail."""
        changed = super().requeue(filter, limit=limit, now=now)
        self.rounds += 1
        if self.rounds < 10:
            claimed = super().claim(["default"], limit=limit, worker="fast", lease=LONG)
            super().settle([Discard(record.claim, record.last_error or FAILURE) for record in claimed])
        return changed


FAILURE = Failure("ValueError", "no")


def test_requeue_ends(make_runner: MakeRunner) -> None:
    """A requeue by a filter requeues each job once, also where they fail again meanwhile."""
    backend = Restless()
    runner = make_runner(backend)
    job = echo(runner)
    runner.enqueue_batch([job.job(n) for n in range(1_000)])
    claimed = backend.claim(["default"], limit=1_000, worker="fast", lease=LONG)
    backend.settle([Discard(record.claim, FAILURE) for record in claimed])
    assert runner.requeue(Filter(states=[State.DISCARDED])) == 1_000


def test_nan_factor() -> None:
    """A factor that is not a number is refused when the policy is made."""
    with pytest.raises(InvalidArgument):
        Exponential(factor=float("nan"))


def test_no_base_no_delay() -> None:
    """A base of zero is a delay of zero at any attempt, also where the factor's power is too large for a float."""
    assert Exponential(base=AT_ONCE)(2_000, ValueError(), 0.0) == AT_ONCE


def test_kept_for_ages(make_runner: MakeRunner) -> None:
    """Records that are kept for longer than there are dates are kept; others are purged all the same."""
    runner = make_runner(keep_completed=timedelta(days=2_000_000), keep_cancelled=AT_ONCE)
    job = echo(runner)
    cancelled = runner.enqueue(job.job(1))
    runner.backend.cancel(Filter(ids=[cancelled.id]), limit=1, now=PAST)
    runner.start()
    soon(lambda: not runner.backend.get([cancelled.id]))


# URLs and plugins

LEAKY = [
    "postgresql://user:S3CRET#x@host/db",
    "postgresql://user:S3CRET/x@host/db",
    "postgresql://user:x?S3CRET@host/db",
    "postgresql://user:[S3CRET]@host/db",
    "postgresql://user:S3CRET\u2100@host/db",
    "user:S3CRET@host/db",
    "host=h password=S3CRET",
]


@pytest.mark.parametrize("url", LEAKY)
def test_password_in_a_wrong_url(url: str) -> None:
    """A password is not shown either where the URL is wrong, which is when it is shown."""
    said = [urls.redact(url)]
    for use in (BackendUrl.parse, open_backend):
        try:
            use(url)
        except ConfigurationError as exc:
            said.append(str(exc))
    assert not [text for text in said if "S3CRET" in text]


def test_password_in_settings() -> None:
    """Settings that are printed do not show the password of the store's URL."""
    assert "S3CRET" not in repr(Runner("acme://user:S3CRET@host/db").settings)


@pytest.mark.parametrize(
    ("scheme", "distribution"), [("postgresql", "windlass-postgres."), ("mongodb", "windlass-mongo.")]
)
def test_what_to_install(scheme: str, distribution: str) -> None:
    """For the schemes of our own backends the error names the distribution that there is."""
    with pytest.raises(ConfigurationError) as caught:
        plugins.load([]).backend(f"{scheme}://host/db")
    assert distribution in str(caught.value).replace(" ", ".").replace(",", ".").replace(")", ".")


@pytest.mark.parametrize("offered", [None, ["memory"], {"memory": None}])
def test_odd_offer(monkeypatch: pytest.MonkeyPatch, offered: Any) -> None:
    """A plugin whose offer is no mapping from schemes to classes is kept aside, and the others work."""
    for name, offer in (("odd", offered), ("good", {"acme": MemoryBackend})):
        plugin = SimpleNamespace(windlass_backend=functools.partial(lambda offer: offer, offer))
        monkeypatch.setitem(sys.modules, f"windlass_{name}_plugin", plugin)
    found = plugins.load(
        [EntryPoint(name, f"windlass_{name}_plugin", "windlass") for name in ("odd", "good")],
    )
    assert found.backend("acme://host") is MemoryBackend
    assert found.broken


def test_mixed_batch_is_typed(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """Jobs with different results can be enqueued in one batch, and a strict type checker minds nothing."""
    (tmp_path / "application.py").write_text(MIXED)
    cache = f"--cache-dir={pytestconfig.cache.mkdir('mypy')}"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", cache, "application.py"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


MIXED = """
from windlass import Context, Job, Runner

class Count(Job[int]):
    kind = "count"
    def work(self, ctx: Context) -> int:
        return 1

class Name(Job[str]):
    kind = "name"
    def work(self, ctx: Context) -> str:
        return ""

Runner().enqueue_batch([Count(), Name()])
"""


class Deaf:
    """An observer that raises."""

    @hookimpl
    def windlass_claimed(self, records: Sequence[Record]) -> None:
        """Raise."""
        raise RuntimeError("deaf")


class Listening:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Record] = []

    @hookimpl
    def windlass_claimed(self, records: Sequence[Record]) -> None:
        """Note it."""
        self.told += records


def test_one_observer_raises(make_runner: MakeRunner) -> None:
    """An observer that raises does not keep others from being told."""
    hooks = plugins.installed().hooks
    listening, deaf = Listening(), Deaf()
    for plugin in (listening, deaf):  # the last one registered is called first
        hooks.register(plugin)
    try:
        runner = make_runner()
        job = echo(runner)
        runner.start()
        runner.result(runner.enqueue(job.job(7)), timeout=LONG)
    finally:
        for plugin in (listening, deaf):
            hooks.unregister(plugin)
    assert len(listening.told) == 1


# settling


def test_told_what_was_recorded(runner: Runner) -> None:
    """Callbacks and numbers tell the outcome that was recorded, not one that the store refused."""
    told: list[str] = []
    runner.on_discarded(lambda record, outcome: told.append("discarded"))

    @runner.job("fail", retry=Fixed(timedelta.max))
    def fail(payload: None, ctx: Context) -> None:
        raise ValueError("no")

    handle = runner.enqueue(fail.job(None))
    runner.start()
    eventually(lambda: runner.get(handle).state is State.DISCARDED)
    eventually(lambda: sum(runner.snapshot()[6:]))
    assert (runner.snapshot().discarded, runner.snapshot().retried) == (1, 0)
    assert told == ["discarded"]


class Poisoned(MemoryBackend):
    """A store that refuses whatever is to be recorded of the jobs of priority 13, and holds its first settling up."""

    def __init__(self) -> None:
        super().__init__()
        self.settling, self.go_on = Event(), Event()

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Wait, and refuse."""
        self.settling.set()
        self.go_on.wait()
        records = self.get([outcome.claim.id for outcome in outcomes])
        if any(record.priority == 13 for record in records.values()):
            raise ValueError("thirteen")
        return super().settle(outcomes, **given)


def test_one_refused_outcome(make_runner: MakeRunner) -> None:
    """An outcome that the store refuses for good, even as a discard, keeps none beside it from being recorded."""
    backend = Poisoned()
    runner = make_runner(backend, concurrency=4)
    job = echo(runner)
    runner.enqueue(job.job(1), priority=20)
    runner.start()
    assert backend.settling.wait(LONG.total_seconds())
    poisoned = runner.enqueue(job.job(2), priority=13)
    eventually(lambda: runner.snapshot().unsettled == 2)
    others = [runner.enqueue(job.job(n)) for n in (3, 4)]
    eventually(lambda: runner.snapshot().unsettled == 4)
    backend.go_on.set()
    for handle in others:
        assert runner.result(handle, timeout=SECOND) in (3, 4)
    eventually(lambda: runner.snapshot().completed == 3)
    assert runner.get(poisoned).state is State.RUNNING


class LosesAnswers(MemoryBackend):
    """A store whose first settling takes effect, and whose answer is lost."""

    lost = False

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Settle, and lose the first answer."""
        answers = super().settle(outcomes, **given)
        if not self.lost:
            self.lost = True
            raise OutcomeUnknown("cut off")
        return answers


def test_lost_answer(make_runner: MakeRunner) -> None:
    """An outcome that was recorded, and whose answer was lost, is told as recorded and not as a lost claim."""
    runner = make_runner(LosesAnswers())
    told: list[Record] = []
    runner.on_completed(lambda record, outcome: told.append(record))
    job = echo(runner)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7
    eventually(lambda: runner.snapshot().unsettled == 0)
    assert runner.snapshot().lost == 0
    assert len(told) == 1


# claiming and leases


class UnavailableOnce(MemoryBackend):
    """A store that is not available for its first settling."""

    failed = False

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Fail once."""
        if not self.failed:
            self.failed = True
            raise Unavailable("down")
        return super().settle(outcomes, **given)


def test_unknown_kind_in_an_outage(make_runner: MakeRunner) -> None:
    """A job of an unknown kind is put back also where the store fails at that; it is not left to its lease."""
    runner = make_runner(UnavailableOnce())
    echo(runner)
    runner.backend.insert([record := NewRecord(kind="stranger", max_attempts=1)])
    runner.start()
    soon(lambda: runner.get(record.id).state is State.PENDING and runner.get(record.id).attempt == 1)


class SmallBatches(MemoryBackend):
    """A store that takes two items of a call, as its capabilities say."""

    refused = 0

    @property
    def capabilities(self) -> Capabilities:
        """Say so."""
        whole = super().capabilities
        fields = {name: getattr(whole, name) for name in Capabilities.__dataclass_fields__}
        return Capabilities(**{**fields, "max_batch": 2})

    def extend(self, claims: Sequence[Claim], **given: Any) -> Sequence[Hold]:
        """Refuse more than two."""
        self._check(claims)
        return super().extend(claims, **given)

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Refuse more than two."""
        self._check(outcomes)
        return super().settle(outcomes, **given)

    def _check(self, items: Sequence[object]) -> None:
        if len(items) > 2:
            self.refused += 1
            raise InvalidArgument("at most two")


def test_small_batches(make_runner: MakeRunner, release: Event) -> None:
    """A worker asks no more of a store at once than its `max_batch`; else it could extend no lease."""
    backend = SmallBatches()
    runner = make_runner(backend, concurrency=4, lease=SHORT_LEASE)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(n) for n in range(2)]) + runner.enqueue_batch(
        [block.job(9), block.job(9)]
    )
    runner.start()
    eventually(lambda: runner.snapshot().working == 4)
    until = [runner.get(handle).lease_until for handle in handles]
    soon(lambda: all((runner.get(h).lease_until or PAST) > (u or PAST) for h, u in zip(handles, until, strict=True)))
    assert not backend.refused


class Generous(MemoryBackend):
    """A store that hands out many more jobs than there is room for, once, as claiming ahead does."""

    given_out = False

    def claim(self, queues: Sequence[str], *, limit: int, **given: Any) -> Sequence[Record]:
        """Add to the limit, once."""
        records = super().claim(queues, limit=limit + (0 if self.given_out else 400), **given)
        self.given_out |= bool(records)
        return records


def test_given_back_for_good(make_runner: MakeRunner, release: Event) -> None:
    """Jobs given back since all handlers are busy are not claimed again while they are: giving back is no work done."""
    runner = make_runner(Generous(), concurrency=1, lease=SHORT_LEASE)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    handles = runner.enqueue_batch([block.job(n) for n in range(401)])
    runner.start()
    eventually(lambda: runner.snapshot().released >= 400)
    busy = runner.get(handles[0])
    eventually(lambda: runner.get(handles[0]).lease_until != busy.lease_until)
    assert max(runner.get(handle).attempt for handle in handles) == 1


class SlowlyHasty(MemoryBackend):
    """A store whose `wait` takes a round trip of 3 ms to say, always, that there is something."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed_at: list[float] = []

    def claim(self, *args: Any, **given: Any) -> Sequence[Record]:
        """Note it."""
        self.claimed_at.append(monotonic())
        return super().claim(*args, **given)

    def wait(self, *args: Any, **given: Any) -> bool:
        """Say so."""
        Event().wait(0.003)
        return True


def test_wrong_hints_after_a_round_trip(make_runner: MakeRunner) -> None:
    """Where hints are wrong and take a round trip each, the worker does not spin either."""
    backend = SlowlyHasty()
    runner = make_runner(backend, poll=SECOND)
    echo(runner)
    runner.start()
    eventually(lambda: len(backend.claimed_at) >= 9)
    assert backend.claimed_at[8] - backend.claimed_at[0] >= 0.2


def test_sync_beside_async(make_runner: MakeRunner, release: Event) -> None:
    """As the setting says, as many sync handlers as async ones work at once; neither takes the place of the other."""
    runner = make_runner(concurrency=1)

    @runner.job("block")
    def block(payload: int, ctx: Context) -> None:
        release.wait()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        return payload

    runner.enqueue(block.job(1))
    runner.start()
    eventually(lambda: runner.snapshot().working == 1)
    assert runner.result(runner.enqueue(echo.job(7)), timeout=SECOND) == 7


# starting and stopping


def test_stop_does_not_wait_for_the_poll(make_runner: MakeRunner) -> None:
    """A stop of an idle worker takes moments, however long its poll."""
    runner = make_runner(poll=3 * SECOND)
    echo(runner)
    runner.start()
    eventually(lambda: threads("windlass-fetcher"))
    began = monotonic()
    runner.stop()
    assert monotonic() - began < 1.5


class Down(MemoryBackend):
    """A store that records nothing."""

    def settle(self, outcomes: Sequence[Outcome], **given: Any) -> Sequence[bool]:
        """Fail."""
        raise Unavailable("down")


def test_hurried_in_an_outage(make_runner: MakeRunner) -> None:
    """A stop that is hurried does not wait for the whole grace for a store that is not there."""
    runner = make_runner(Down())
    job = echo(runner)
    runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    began = monotonic()
    runner.stop(grace=4 * SECOND, hurried=lambda: True)
    assert monotonic() - began < 2.5


def test_close_beside_a_stop(make_runner: MakeRunner) -> None:
    """A close while another thread stops the runner waits for it: the store is not closed under its last outcomes."""
    url, begun, release = "memory://beside", Event(), Event()
    with open_backend(url) as store:
        runner = make_runner(url)

        @runner.job("block")
        def block(payload: None, ctx: Context) -> int:
            begun.set()
            release.wait()
            return 7

        handle = runner.enqueue(block.job(None))
        runner.start()
        assert begun.wait(LONG.total_seconds())
        stopping = Thread(target=lambda: runner.stop(grace=SECOND))
        stopping.start()
        eventually(lambda: not runner.running)
        closing = Thread(target=runner.close)
        closing.start()
        closing.join(0.2)
        release.set()
        closing.join()
        stopping.join()
        record = store.get([handle.id])[handle.id]
        store.teardown()
    assert record.state is State.COMPLETED


def test_outcome_at_the_last_moment(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outcome is recorded also where its thread is held up, at a stop, between ending the job and handing it in."""
    runner = make_runner()
    job = echo(runner)
    end = Flight.end

    def end_slowly(flight: Flight, ctx: Run) -> bool:
        ended = end(flight, ctx)
        deadline = monotonic() + 0.5
        while ctx.kind == "echo" and monotonic() < deadline and threads("windlass-settler"):
            Event().wait(0.005)
        return ended

    monkeypatch.setattr(Flight, "end", end_slowly)
    handle = runner.enqueue(job.job(7))
    runner.start()
    eventually(lambda: runner.snapshot().unsettled)
    runner.stop()
    assert soon(lambda: runner.result(handle)) == 7


def test_no_thread_is_forgotten(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot that is taken while the worker starts costs no thread its end."""
    before = threads("windlass-handler")
    runner = make_runner()
    job = echo(runner)
    start = threading.Thread.start

    def start_watched(thread: Thread) -> None:
        if thread.name.startswith("windlass-handler"):
            runner.snapshot()
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_watched)
    runner.start()
    runner.result(runner.enqueue(job.job(7)), timeout=LONG)
    runner.close()
    soon(lambda: threads("windlass-handler") <= before)


PARTS = ("windlass-handler", "windlass-keeper", "windlass-maintainer", "windlass-loop", "windlass-settler")


@pytest.mark.parametrize("by", ["callback", "async handler"])
def test_stopped_from_inside(make_runner: MakeRunner, by: str) -> None:
    """A callback or an async handler that stops its runner stops it whole, or is refused and the runner goes on."""
    before = threads(*PARTS)
    runner = make_runner()
    tried = Event()

    @runner.job("echo")
    async def echo(payload: int, ctx: Context) -> int:
        if by == "async handler":
            quit()
        return payload

    def quit(*told: object) -> None:
        try:
            runner.stop(grace=AT_ONCE)
        finally:
            tried.set()

    if by == "callback":
        runner.on_completed(quit)
    runner.enqueue(echo.job(7))
    runner.start()
    assert tried.wait(LONG.total_seconds())
    if not runner.running:
        soon(lambda: threads(*PARTS) <= before)


def test_start_that_fails(make_runner: MakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start for which there are not enough threads leaves nothing behind, and can be tried again."""
    before = threads(*PARTS)
    runner = make_runner()
    job = echo(runner)
    start = threading.Thread.start

    def start_few(thread: Thread) -> None:
        if thread.name == "windlass-keeper":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start_few)
        with pytest.raises(RuntimeError, match="new thread"):
            runner.start()
    assert not runner.running
    soon(lambda: threads(*PARTS) <= before)
    runner.start()
    assert runner.result(runner.enqueue(job.job(7)), timeout=LONG) == 7


def soon(condition: Callable[[], Any]) -> Any:
    """Return what a condition gives as soon as it is true; fail after some seconds."""
    deadline = monotonic() + 10
    while not (value := condition()):
        if monotonic() > deadline:
            pytest.fail(f"still {value!r} in time")
        Event().wait(0.005)
    return value


def stop_anyhow(runner: Runner) -> None:
    """Stop a runner whose loop may be dead."""
    try:
        runner.stop(grace=AT_ONCE)
    except RuntimeError:
        pytest.fail("the runner cannot be stopped any more")
