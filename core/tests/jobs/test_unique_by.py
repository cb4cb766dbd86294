"""Unique keys that are derived from the payload."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from tallystick import Context, DefinitionError, Enqueue, InvalidArgument, Job, Runner, declare

HOUR = timedelta(hours=1)


class Report(BaseModel):
    """A payload whose JSON has other names."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True)

    user_id: int
    full_name: str = ""
    seed: int = 0


class Refresh(Job[None]):
    """A job of which one for each user may wait."""

    kind = "refresh"
    unique_by = ("user",)
    on_conflict = "replace"
    user: int
    seed: int = 0

    def work(self, ctx: Context) -> None:
        """Do nothing."""


def test_chosen_fields(runner: Runner) -> None:
    """Jobs with equal values of the chosen fields have one key, whatever the other fields are."""

    @runner.job("report", unique_by=("fullName", "userId"))
    def report(payload: Report, ctx: Context) -> None: ...

    first = runner.enqueue(report.job(Report(user_id=1, full_name="a")))
    assert runner.enqueue(report.job(Report(user_id=1, full_name="a", seed=7))).id == first.id
    assert not runner.enqueue(report.job(Report(user_id=1, full_name="b"))).duplicate
    assert not runner.enqueue(report.job(Report(user_id=2, full_name="a"))).duplicate


def test_whole_payload(runner: Runner) -> None:
    """With "payload", jobs with equal payloads have one key; the payload may be of any type."""

    @runner.job("index", unique_by="payload")
    def index(payload: int, ctx: Context) -> None: ...

    @runner.raw("index_raw", unique_by="payload")
    def index_raw(payload: bytes, ctx: Context) -> None: ...

    assert [runner.enqueue(index.job(n)).duplicate for n in (1, 1, 2)] == [False, True, False]
    assert [runner.enqueue(index_raw.job(n)).duplicate for n in (b"1", b"1", b"2")] == [False, True, False]


def test_policies_and_windows_of_the_kind(runner: Runner) -> None:
    """The derived key is held and resolved by the options of the kind, and a class can set them."""
    runner.register(Refresh)
    first = runner.enqueue(Refresh(user=1))
    assert runner.enqueue(Refresh(user=1, seed=2)).applied == "replace"
    assert runner.get(first).payload == b'{"user":1,"seed":2}'

    @runner.job("limited", unique_by="payload", unique_until=HOUR)
    def limited(payload: int, ctx: Context) -> None: ...

    assert runner.enqueue(limited.job(1)).record.unique_until == HOUR
    assert runner.enqueue(limited.job(1)).duplicate


def test_batches_and_declarations(runner: Runner) -> None:
    """A batch derives a key for each job, and a producer without handlers derives the same ones."""

    @runner.job("report", unique_by=("userId",))
    def report(payload: Report, ctx: Context) -> None: ...

    declared = declare("report", Report, unique_by=("userId",))
    jobs = [Enqueue(report.job(Report(user_id=1))), Enqueue(report.job(Report(user_id=1)), priority=3)]
    stored = runner.enqueue_batch(jobs)
    assert [handle.duplicate for handle in stored] == [False, True]
    with Runner(runner.backend) as producer:
        assert producer.enqueue(declared.job(Report(user_id=1))).id == stored[0].id


def test_the_key_of_an_encoded_payload(runner: Runner) -> None:
    """A definition returns the key of a payload that another program has encoded; None if the kind derives no keys."""
    runner.register(Refresh)
    definition = runner.definitions["refresh"]
    assert definition.unique_key(b'{"user":7,"seed":1}') == runner.enqueue(Refresh(user=7)).record.unique_key
    assert declare("plain", str).unique_key(b'"a"') is None


def test_an_own_key_comes_first(runner: Runner) -> None:
    """A `unique_key` at the enqueue replaces the derived one."""
    runner.register(Refresh)
    runner.enqueue(Refresh(user=1))
    assert runner.enqueue(Refresh(user=1), unique_key="mine").record.unique_key == "mine"


def test_the_key_is_stable(runner: Runner) -> None:
    """A key is the same in every process and version, does not show the values, and fits for any kind."""
    runner.register(Refresh)
    assert runner.enqueue(Refresh(user=1)).record.unique_key == "refresh:9de576a7e6c550ae1af8e4c55afa87c8"
    long = declare("k" * 255, int, unique_by="payload")
    assert len(runner.enqueue(long.job(1)).record.unique_key or "") == 233


@pytest.mark.parametrize(
    ("payload", "by", "message"),
    [
        (
            Report,
            ("userid",),
            "'userid', which is no field of its payload; did you mean 'userId'? the fields are: fullName",
        ),
        (Report, ("full_name",), "the fields are: fullName, seed, userId"),
        (int, ("user",), "the payload of 'k' has no fields; write unique_by='payload'"),
    ],
)
def test_unknown_fields(payload: Any, by: Any, message: str) -> None:
    """A name that the payload does not have is rejected at the definition."""
    with pytest.raises(DefinitionError) as caught:
        declare("k", payload, unique_by=by)
    assert message in str(caught.value)


def test_raw_payloads_have_no_fields(runner: Runner) -> None:
    """The fields of a raw payload are not known."""
    with pytest.raises(DefinitionError, match="write unique_by='payload'"):
        runner.raw("k", unique_by=("user",))(lambda payload, ctx: None)


@pytest.mark.parametrize("by", ["user", 7, ("",), (7,)])
def test_wrong_option(by: Any) -> None:
    """The option is a tuple of names, or "payload"."""
    with pytest.raises(InvalidArgument, match="unique_by"):
        declare("k", Report, unique_by=by)


def test_payloads_without_a_schema(runner: Runner) -> None:
    """Where the type lists no fields, an absent one is null, and a payload without any is rejected at the enqueue."""

    @runner.job("any", unique_by=("user",))
    def take(payload: dict[str, int] | int, ctx: Context) -> None: ...

    assert [runner.enqueue(take.job(one)).duplicate for one in ({"a": 1}, {"b": 1}, {"user": 1})] == [
        False,
        True,
        False,
    ]
    with pytest.raises(InvalidArgument, match="names fields, but the payload is 7"):
        runner.enqueue(take.job(7))
