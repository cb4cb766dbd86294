"""Versions of payloads, and renamed kinds."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from tallystick import (
    Context,
    DefinitionError,
    DuplicateKind,
    Enqueue,
    InvalidPayload,
    Job,
    NewRecord,
    Record,
    Runner,
    State,
    declare,
    handles,
    job,
)

from ..helpers import AT_ONCE, LONG, MakeRunner, eventually, stored


class FirstEmail(BaseModel):
    """A payload of version 1."""

    email: str


class Email(BaseModel):
    """A payload of version 3."""

    to: list[str]


@job("send", payload_version=3)
def send(payload: Email, ctx: Context) -> list[str]:
    """Return the addresses."""
    return payload.to


@send.upgrade_from(1)
def _(old: FirstEmail) -> dict[str, Any]:
    return {"address": old.email}


@send.upgrade_from(2)
def _(old: dict[str, str]) -> Email:
    return Email(to=[old["address"]])


class Greet(Job[str]):
    """A job of version 2."""

    kind = "greet"
    payload_version = 2
    first_name: str

    def work(self, ctx: Context) -> str:
        """Return the name."""
        return self.first_name


@Greet.upgrade_from(1)
def _(old):  # type: ignore[no-untyped-def]  # annotations are not necessary
    return {"first_name": old["name"]}


def insert(runner: Runner, kind: str, payload: bytes, **fields: Any) -> UUID:
    """Store a job as an older or newer program would, and return its id."""
    return runner.backend.insert([NewRecord(kind=kind, payload=payload, **fields)])[0].record.id


def reached(runner: Runner, id: UUID, state: State) -> Record:
    """Wait until a job is in a state, and return its record."""
    eventually(lambda: runner.get(id).state is state)
    return runner.get(id)


def test_old_payloads_are_upgraded(make_runner: MakeRunner) -> None:
    """A payload of an older version goes through all upgrades to the latest; the latest goes through none."""
    runner = make_runner()
    runner.register(send)
    runner.register(Greet)
    first = insert(runner, "send", b'{"email": "a"}')
    second = insert(runner, "send", b'{"address": "b"}', meta={"payload-version": "2"})
    third = runner.enqueue(send.job(Email(to=["c"]))).id
    greetings = insert(runner, "greet", b'{"name": "Ada"}'), runner.enqueue(Greet(first_name="Bob")).id
    runner.start()
    assert [runner.result(id, timeout=LONG) for id in (first, second, third)] == [["a"], ["b"], ["c"]]
    assert [runner.result(id, timeout=LONG) for id in greetings] == ["Ada", "Bob"]


def test_version_is_stored_in_the_meta(make_runner: MakeRunner) -> None:
    """Each job of a kind with a later version carries it in its meta; jobs of version 1 carry nothing."""
    runner = make_runner()
    runner.register(send)
    runner.job("plain")(lambda_handler)
    assert dict(runner.enqueue(send.job(Email(to=[]))).record.meta) == {"payload-version": "3"}
    stored_meta = runner.enqueue(send.job(Email(to=[])), meta={"payload-version": "1", "a": "b"}).record.meta
    assert dict(stored_meta) == {"payload-version": "3", "a": "b"}
    [item] = runner.enqueue_batch([Enqueue(send.job(Email(to=[])), meta={"c": "d"})])
    assert dict(item.record.meta) == {"payload-version": "3", "c": "d"}
    plain = runner.definitions["plain"].job(1)
    assert dict(runner.enqueue(plain).record.meta) == {}
    assert dict(runner.enqueue(plain, meta=item.record.meta).record.meta) == {"c": "d"}
    assert dict(runner.enqueue_raw("send", b'{"to": []}').record.meta) == {"payload-version": "3"}
    schedule = runner.put_schedule("@daily", send.job(Email(to=[])), meta={"e": "f"})
    assert dict(schedule.meta) == {"payload-version": "3", "e": "f"}


def lambda_handler(payload: int, ctx: Context) -> None:
    """Do nothing."""


def test_newer_payloads_are_put_off(make_runner: MakeRunner, caplog: pytest.LogCaptureFixture) -> None:
    """A worker puts off a payload of a newer version, at no cost of an attempt, and logs why."""
    runner = make_runner()
    runner.register(Greet)
    id = insert(runner, "greet", b"{}", meta={"payload-version": "3"}, max_attempts=1)
    runner.start()
    eventually(lambda: runner.snapshot().put_off)
    record = reached(runner, id, State.PENDING)
    assert (record.attempt, record.max_attempts) == (1, 2)
    assert record.run_at - record.updated_at == timedelta(seconds=30)
    assert "payloads of kind 'greet' have a newer version than this program knows" in caplog.text


@pytest.mark.parametrize(
    ("payload", "meta", "message"),
    [
        (b"{}", {}, "version 1.*email.*required"),
        (b'{"address": 7}', {"payload-version": "2"}, "version 2"),
        (b"{}", {"payload-version": "2"}, "address"),
        (b"{}", {"payload-version": "two"}, "must be a whole number"),
        (b"{}", {"payload-version": "0"}, "no function upgrades it"),
    ],
)
def test_payload_that_cannot_be_upgraded(
    make_runner: MakeRunner, payload: bytes, meta: dict[str, str], message: str
) -> None:
    """An old payload that does not validate, or that its upgrade rejects, ends as an unreadable payload does."""
    runner = make_runner()
    runner.register(send)
    id = insert(runner, "send", payload, meta=meta, max_attempts=1)
    runner.start()
    record = reached(runner, id, State.DISCARDED)
    assert record.last_error is not None
    assert re.search(message, record.last_error.message)


def test_handler_of_a_declaration_has_its_upgrades() -> None:
    """The upgrades of a declaration apply to its handler, and those of a class to its subclasses."""
    declared = declare("declared", int, payload_version=2)
    handler = handles(declared)(lambda payload, ctx: payload)

    @declared.upgrade_from(1)
    def number(old: str) -> int:
        return int(old)

    assert handler.decode(b'"7"', {}) == 7
    assert handler.decode(b"7", {"payload-version": "2"}) == 7
    assert handler.decode(b"7") == 7
    assert number("7") == 7

    class Subclass(Greet):
        kind = "subclass"

    runner = Runner("memory://")
    runner.register(Subclass)
    assert runner.definitions["subclass"].decode(b'{"name": "Ada"}', {}) == Subclass(first_name="Ada")
    runner.close()


def test_missing_upgrade(make_runner: MakeRunner) -> None:
    """A worker does not start if an upgrade between two versions is missing. The oldest upgrades can be removed."""
    runner = make_runner()

    @runner.job("gap", payload_version=4)
    def gap(payload: int, ctx: Context) -> None: ...

    gap.upgrade_from(1)(lambda old: old)
    gap.upgrade_from(3)(lambda old: old)
    with pytest.raises(DefinitionError, match=r"upgrade from version 1, but none from version 2.*upgrade_from\(2\)"):
        runner.start()
    gap.upgrade_from(2)(lambda old: old)
    runner.start()

    recent = declare("recent", int, payload_version=4)
    recent.upgrade_from(3)(lambda old: old)
    recent.upgrades.check("recent", 4)
    with pytest.raises(InvalidPayload, match=r"version 1 of 4, and no function upgrades it"):
        recent.decode(b"1", {})


async def asynchronous(old: int) -> int:
    """An async function, which cannot upgrade."""
    return old


@pytest.mark.parametrize(
    ("version", "function", "message"),
    [
        (3, lambda old: old, "raise payload_version to 4"),
        (1, lambda: None, "must take one argument"),
        (1, lambda old, more: None, "must take one argument"),
        (1, asynchronous, "must be a sync function"),
        (1, 7, "must be a sync function"),
    ],
)
def test_not_an_upgrade(version: int, function: Any, message: str) -> None:
    """An upgrade is a sync function of one older payload."""
    with pytest.raises(DefinitionError, match=message):
        send.upgrade_from(version)(function)


def test_raw_payloads_have_no_versions(make_runner: MakeRunner) -> None:
    """Nothing is known about the payload of a raw job, so it has no upgrades."""
    runner = make_runner()
    raw = runner.raw("raw", payload_version=2)(lambda payload, ctx: payload)
    with pytest.raises(DefinitionError, match="'raw' is raw"):
        raw.upgrade_from(1)


def test_renamed_kind(make_runner: MakeRunner) -> None:
    """A worker runs the jobs of former kinds of a job, and new jobs get the new kind."""
    runner = make_runner()

    @runner.job("emails:send", aliases=("mail", "old:mail"))
    def renamed(payload: int, ctx: Context) -> str:
        return ctx.kind

    old = [insert(runner, kind, b"1") for kind in ("mail", "old:mail")]
    runner.start()
    assert [runner.result(id, timeout=LONG) for id in old] == ["mail", "old:mail"]
    assert runner.result(renamed.enqueue(1), timeout=LONG) == "emails:send"
    assert runner.enqueue_raw("mail", b"1").record.kind == "emails:send"
    assert list(runner.definitions) == ["emails:send"]
    assert runner.snapshot().put_off == 0


def test_producer_reads_results_of_former_kinds(make_runner: MakeRunner) -> None:
    """A declaration with aliases reads the results of jobs of a former kind."""
    producer = make_runner()
    producer.register(declare("new", int, int, aliases=("old",)))
    id = insert(producer, "old", b"1")
    worker = make_runner(producer.backend)
    worker.job("old")(count)
    worker.start()
    assert producer.result(id, timeout=LONG) == 1


def count(payload: int, ctx: Context) -> int:
    """Return the payload."""
    return payload


def test_alias_of_another_kind(make_runner: MakeRunner) -> None:
    """No two definitions share a kind or an alias."""
    runner = make_runner()
    runner.job("a", aliases=("b",))(count)
    for kind, aliases in ("b", ()), ("c", ("a",)), ("c", ("b",)):
        with pytest.raises(DuplicateKind, match="is a kind or an alias of"):
            runner.job(kind, aliases=aliases)(lambda_handler)
    runner.job("c", aliases=("d",))(lambda_handler)


def test_former_kinds_have_the_retention_of_the_kind(make_runner: MakeRunner) -> None:
    """Records of a former kind are kept as long as those of the kind."""
    runner = make_runner(maintenance=timedelta(milliseconds=10))
    runner.job("a", aliases=("b",), keep_completed=AT_ONCE)(count)
    id = insert(runner, "b", b"1")
    runner.start()
    eventually(lambda: not runner.backend.get([id]))


def test_direct_call() -> None:
    """A handler gets the payload as it is when called directly."""
    assert send(Email(to=["a"]), Context(stored())) == ["a"]
