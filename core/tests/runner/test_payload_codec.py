"""The codec of a runner, and the limit of sizes."""

from typing import Any

import pytest
from tallystick import (
    ConfigurationError,
    Context,
    InvalidPayload,
    InvalidResult,
    NewSchedule,
    PayloadTooLarge,
    Runner,
    Settings,
    State,
    Status,
)
from tallystick.testing import manual

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually


class Reversed:
    """A codec that marks and reverses bytes, and rejects those without its mark. It counts its calls."""

    def __init__(self) -> None:
        self.encoded: list[tuple[bytes, str]] = []

    def encode(self, data: bytes, kind: str) -> bytes:
        """Return the marked and reversed bytes."""
        self.encoded.append((data, kind))
        return b"\x00" + data[::-1]

    def decode(self, data: bytes, kind: str) -> bytes:
        """Return the original bytes."""
        if not data.startswith(b"\x00"):
            raise ValueError(f"not marked: {data!r}")
        return data[:0:-1]


def with_echo(runner: Runner) -> Any:
    """Register a job that returns its payload."""

    @runner.job("echo", aliases=("parrot",))
    def echo(payload: str, ctx: Context) -> str:
        return payload

    return echo


def test_payload_and_result_pass_through_the_codec(make_runner: MakeRunner) -> None:
    """The store has the encoded bytes; the handler and the caller have the values."""
    runner = make_runner(codec=Reversed())
    handle = runner.enqueue(with_echo(runner).job("abc"))
    assert handle.record.payload == b'\x00"cba"'
    runner.start()
    assert runner.result(handle, timeout=LONG) == "abc"
    assert runner.get(handle).result == b'\x00"cba"'


def test_async_batch_and_raw_handlers(make_runner: MakeRunner) -> None:
    """Async handlers, handlers of batches and raw handlers get decoded payloads; raw results are encoded, too."""
    runner = make_runner(codec=Reversed())

    @runner.job("later")
    async def later(payload: str, ctx: Context) -> str:
        return payload + "!"

    @runner.batch("many", wait=AT_ONCE)
    def many(payloads: list[str], contexts: list[Context]) -> list[str]:
        return [payload + "?" for payload in payloads]

    @runner.raw("bytes")
    def raw(payload: bytes, ctx: Context) -> bytes:
        return payload * 2

    runner.start()
    handles: list[Any] = [
        *runner.enqueue_batch([later.job("a"), many.job("b")]),
        runner.enqueue_raw("bytes", b"xy"),
    ]
    assert [runner.result(handle, timeout=LONG) for handle in handles] == ["a!", "b?", b"xyxy"]
    assert runner.get(handles[2]).result == b"\x00yxyx"


def test_the_kind_is_that_of_the_record(make_runner: MakeRunner) -> None:
    """The codec gets the kind under which the job was stored, also after a rename."""
    kinds: list[str] = []

    class Spy(Reversed):
        def decode(self, data: bytes, kind: str) -> bytes:
            kinds.append(kind)
            return super().decode(data, kind)

    old = make_runner("memory://renamed", codec=Reversed())

    @old.job("parrot")
    def parrot(payload: str, ctx: Context) -> str:
        return payload

    handle = old.enqueue(parrot.job("abc"))
    runner = make_runner("memory://renamed", codec=Spy())
    with_echo(runner)
    runner.start()
    assert runner.result(handle.id, timeout=LONG) == "abc"
    assert kinds[0] == "parrot"


def test_a_payload_without_its_key_is_retried(make_runner: MakeRunner) -> None:
    """A payload that the codec rejects fails the attempt, and its error shows neither the data nor the exception."""
    plain, runner = make_runner("memory://lost-key"), make_runner("memory://lost-key", codec=Reversed())
    handle = plain.enqueue(with_echo(plain).job("secret"))
    with_echo(runner)
    runner.start()
    eventually(lambda: runner.get(handle).state is State.RETRYING)
    record = runner.get(handle)
    assert record.last_error is not None
    assert record.last_error.type == "tallystick.errors.InvalidPayload"
    assert record.last_error.message == "the codec failed on the payload of 'echo': ValueError"
    assert "secret" not in record.last_error.traceback


@pytest.mark.parametrize("returned", [None, "text", 7])
def test_a_codec_must_return_bytes(make_runner: MakeRunner, returned: object) -> None:
    """If the codec does not return bytes, the enqueue is rejected and nothing is stored."""

    class Broken(Reversed):
        def encode(self, data: bytes, kind: str) -> Any:
            return returned

    runner = make_runner(codec=Broken())
    with pytest.raises(InvalidPayload, match="must be bytes"):
        runner.enqueue(with_echo(runner).job("abc"))
    assert not runner.stats().by_state[State.PENDING]


def test_a_failing_codec_rejects_the_enqueue(make_runner: MakeRunner) -> None:
    """An exception of the codec raises `InvalidPayload`, which does not show its text and has no cause."""

    class Broken(Reversed):
        def encode(self, data: bytes, kind: str) -> bytes:
            raise KeyError(data)

    runner = make_runner(codec=Broken())
    with pytest.raises(InvalidPayload, match=r"^the codec failed on the payload of 'echo': KeyError$") as caught:
        runner.enqueue(with_echo(runner).job("abc"))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_result_that_cannot_be_read(make_runner: MakeRunner) -> None:
    """A program without the codec's key gets `InvalidResult`."""
    runner = make_runner("memory://unreadable")
    handle = runner.enqueue(with_echo(runner).job("abc"))
    runner.start()
    answer = runner.wait_for(handle, timeout=LONG)
    assert (answer.status, answer.value) == (Status.COMPLETED, "abc")
    other = make_runner("memory://unreadable", codec=Reversed())
    with_echo(other)
    with pytest.raises(InvalidResult, match="the codec failed on the result of 'echo': ValueError"):
        other.result(handle.id)


def test_schedules_are_encoded(make_runner: MakeRunner) -> None:
    """Declared and put schedules store the encoded payload, and a nonce does not change a declaration."""

    class Nonce(Reversed):
        def encode(self, data: bytes, kind: str) -> bytes:
            self.encoded.append((data, kind))
            return super().encode(data, kind) + bytes([len(self.encoded)])

    def started(codec: Nonce) -> tuple[Runner, Any]:
        runner = make_runner("memory://scheduled", codec=codec)
        echo = with_echo(runner)
        runner.schedule("@daily", echo.job("abc"), name="nightly")
        runner.start()
        return runner, echo

    codec = Nonce()
    first = started(codec)[0].schedules()
    runner, echo = started(codec)
    assert first == runner.schedules()
    assert first[0].payload.startswith(b"\x00")
    assert runner.put_schedule("@daily", echo.job("abc"), name="mine").payload.startswith(b"\x00")
    own = NewSchedule(name="own", rule="@daily", kind="echo", payload=b'"abc"')
    stored = runner.put_schedule(own)
    assert stored.payload.startswith(b'\x00"cba"')
    with pytest.raises(PayloadTooLarge, match="'echo' has 7 bytes"):
        make_runner("memory://scheduled", codec=Nonce(), max_payload_bytes=6).put_schedule(own)


def test_stored_payloads_and_results_are_read(make_runner: MakeRunner) -> None:
    """A program can read what the store has: payloads of jobs and schedules, and results."""
    runner = make_runner("memory://readable", codec=Reversed())
    handle = runner.enqueue(with_echo(runner).job("abc"))
    schedule = runner.put_schedule(NewSchedule(name="own", rule="@daily", kind="echo", payload=b'"xyz"'))
    assert runner.read_payload(handle.record) == b'"abc"'
    assert runner.read_payload(schedule) == b'"xyz"'
    assert runner.read_result(handle.record) is None
    runner.start()
    record = runner.wait_for(handle, timeout=LONG).record
    assert record is not None
    assert runner.read_result(record) == b'"abc"'
    plain = make_runner("memory://readable")
    assert (plain.read_payload(record), plain.read_result(record)) == (record.payload, record.result)


def test_the_stored_form_of_a_payload(make_runner: MakeRunner) -> None:
    """A runner returns the bytes that an enqueue would store, and rejects too many of them."""
    runner = make_runner(codec=Reversed(), max_payload_bytes=4)
    assert runner.stored_payload("echo", b'"a"') == b'\x00"a"'
    with pytest.raises(PayloadTooLarge):
        runner.stored_payload("echo", b'"ab"')


def test_what_the_codec_cannot_read_is_an_error(make_runner: MakeRunner) -> None:
    """The errors name the kind and the type of the codec's exception, and not the data."""
    plain, runner = make_runner("memory://unmarked"), make_runner("memory://unmarked", codec=Reversed())
    handle = plain.enqueue(with_echo(plain).job("secret"))
    record = handle.record._replace(result=b'"secret"')
    with pytest.raises(InvalidPayload, match=r"^the codec failed on the payload of 'echo': ValueError$"):
        runner.read_payload(record)
    with pytest.raises(InvalidResult, match=r"^the codec failed on the result of 'echo': ValueError$"):
        runner.read_result(record)


def test_tests_see_decoded_payloads() -> None:
    """`assert_enqueued` and `drain` work with a codec."""
    runner = Runner("memory://", codec=Reversed())
    echo = with_echo(runner)
    with manual(runner) as jobs:
        handle = runner.enqueue(echo.job("abc"))
        jobs.assert_enqueued(echo.job("abc"))
        jobs.drain()
        assert runner.result(handle) == "abc"


@pytest.mark.parametrize("codec", [Reversed, object(), "zlib"])
def test_a_bad_codec_is_rejected(codec: Any) -> None:
    """A class, or an object without the two methods, is no codec."""
    with pytest.raises(ConfigurationError, match=r"codec .*(call it|needs encode|which is not a codec)"):
        Runner("memory://", codec=codec)


def test_settings_do_not_show_the_codec() -> None:
    """The repr of the settings does not show the codec, whose repr may show a key."""
    assert "Reversed" not in repr(Settings(codec=Reversed()))


def test_large_payloads_are_rejected(make_runner: MakeRunner) -> None:
    """Enqueues, batches and schedules reject a payload that is larger than the setting; the stored bytes count."""
    runner = make_runner(max_payload_bytes=5, codec=Reversed())
    echo = with_echo(runner)
    runner.enqueue(echo.job("ab"))
    for call in (
        lambda: runner.enqueue(echo.job("abc")),
        lambda: runner.enqueue_batch([echo.job("a"), echo.job("abc")]),
        lambda: runner.put_schedule("@daily", echo.job("abc")),
    ):
        with pytest.raises(PayloadTooLarge, match=r"'echo' has 6 bytes; the setting max_payload_bytes allows 5"):
            call()
    assert sum(runner.stats().by_state.values()) == 1


def test_large_results_discard_the_job(make_runner: MakeRunner) -> None:
    """A result that is larger than the setting discards the job, since its handler has run."""
    runner = make_runner(max_payload_bytes=10)

    @runner.job("grow")
    def grow(payload: int, ctx: Context) -> str:
        return "x" * payload

    handle = runner.enqueue(grow.job(50))
    runner.start()
    record = runner.wait_for(handle, timeout=LONG).record
    assert record is not None
    assert record.last_error is not None
    assert (record.state, record.attempt) == (State.DISCARDED, 1)
    assert record.last_error.type.endswith("PayloadTooLarge")
