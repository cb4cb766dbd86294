"""Types that a type checker infers in an application."""

import re

import pytest

from .helpers import check_types

APPLICATION = """
from datetime import timedelta
from uuid import UUID
from pydantic import BaseModel
from tallystick import Context, Job, Runner

class Receipt(BaseModel):
    number: int

class Buy(Job[Receipt]):
    kind = "buy"
    amount: int
    def work(self, ctx: Context) -> Receipt:
        return Receipt(number=self.amount)

class BuySlowly(Job[Receipt]):
    kind = "buy_slowly"
    amount: int
    async def work(self, ctx: Context) -> Receipt:
        return Receipt(number=self.amount)

runner = Runner()
runner.register(Buy)

@runner.job("sync", priority=1)
def sync(payload: int, ctx: Context) -> Receipt:
    return Receipt(number=payload)

@runner.job("async")
async def coroutine(payload: str, ctx: Context) -> list[str]:
    return [payload]

@runner.raw("raw")
def raw(payload: bytes, ctx: Context) -> bytes | None:
    return payload

@runner.schedule("@daily", zone="Europe/Berlin", payload=7)
@runner.job("scheduled")
def scheduled(payload: int, ctx: Context) -> Receipt:
    return Receipt(number=payload)

@runner.schedule(every=timedelta(minutes=5), overlap=False)
@runner.register
class Sweep(Job[Receipt]):
    kind = "sweep"
    def work(self, ctx: Context) -> Receipt:
        return Receipt(number=1)

runner.schedule("@daily", Buy(amount=1), name="buy-one")
reveal_type(scheduled)  # scheduled function
reveal_type(Sweep())  # scheduled class
reveal_type(runner.put_schedule("@daily", Buy(amount=1), missed="all").paused)  # stored schedule
runner.schedule("@daily", 7)  # no job to schedule
runner.schedule("@daily", Buy(amount=1), missed="some")  # no such policy
reveal_type(runner.enqueue(Buy(amount=1)))  # class
reveal_type(runner.enqueue(BuySlowly(amount=1)))  # async class
reveal_type(runner.result(runner.enqueue(Buy(amount=1))))  # result
reveal_type(sync)  # function
reveal_type(coroutine)  # async function
reveal_type(runner.enqueue(sync.job(1)))  # call
reveal_type(runner.result(runner.enqueue(coroutine.job("a"))))  # async result
reveal_type(runner.enqueue_batch([sync.job(1), sync.job(2)]))  # batch
reveal_type(raw)  # raw
reveal_type(runner.result(UUID(int=0)))  # id
reveal_type(runner.register(Buy)(amount=1))  # registered
sync.job("one")  # wrong payload
coroutine.job(1)  # wrong async payload
runner.enqueue("buy")  # no job
runner.enqueue(Buy(amount=1), colour="red")  # no such option
Runner(concurrency="many")  # wrong setting

async def main(ctx: Context) -> None:
    reveal_type(await runner.aenqueue(Buy(amount=1)))  # async enqueue
    reveal_type(await runner.aresult(await runner.aenqueue(sync.job(1))))  # awaited result
    reveal_type(await runner.aresult(UUID(int=0)))  # awaited id
    reveal_type(await runner.aenqueue_batch([Buy(amount=1)]))  # awaited batch
    reveal_type((await runner.apause_schedule("buy")).paused)  # awaited schedule
    reveal_type(await runner.acancel(UUID(int=0)))  # awaited count
    reveal_type(await ctx.acomplete(Receipt(number=1), transaction=None))  # awaited completion
    await runner.aenqueue("buy")  # no job to await
    await runner.aenqueue(Buy(amount=1), colour="red")  # no such option to await
    async with Runner() as opened:
        reveal_type(opened)  # opened
"""


@pytest.fixture(scope="module")
def messages(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Run mypy in strict mode, and return its messages by the comment of their line."""
    application = tmp_path_factory.mktemp("types") / "application.py"
    application.write_text(APPLICATION)
    done = check_types(application, pytestconfig.cache.mkdir("mypy"))
    lines = APPLICATION.splitlines()
    messages: dict[str, str] = {}
    for number, message in re.findall(r"^application\.py:(\d+): (?:error|note): (.*)$", done.stdout, re.MULTILINE):
        comment = lines[int(number) - 1].partition("  # ")[2] or f"line {number}"
        messages[comment] = f"{messages.get(comment, '')}{message}\n"
    assert messages, done.stderr
    return messages


@pytest.mark.parametrize(
    ("line", "type_"),
    [
        ("scheduled function", "Definition[int, Receipt]"),
        ("scheduled class", "Sweep"),
        ("stored schedule", "bool"),
        ("awaited schedule", "bool"),
        ("class", "Handle[Receipt]"),
        ("async class", "Handle[Receipt]"),
        ("result", "Receipt"),
        ("function", "Definition[int, Receipt]"),
        ("async function", "Definition[str, list[str]]"),
        ("call", "Handle[Receipt]"),
        ("async result", "list[str]"),
        ("batch", "list[Handle[Receipt]]"),
        ("raw", "Definition[bytes, bytes | None]"),
        ("id", "Any"),
        ("registered", "Buy"),
        ("async enqueue", "Handle[Receipt]"),
        ("awaited result", "Receipt"),
        ("awaited id", "Any"),
        ("awaited batch", "list[Handle[Receipt]]"),
        ("awaited count", "int"),
        ("awaited completion", "Receipt"),
        ("opened", "Runner"),
    ],
)
def test_type(messages: dict[str, str], line: str, type_: str) -> None:
    """A job keeps the types of its payload and result, from its definition to the result that is read back."""
    assert f'is "{type_}"' in re.sub(r"\b(builtins|application|tallystick(\.\w+)+)\.", "", messages[line])


@pytest.mark.parametrize("line", ["wrong payload", "wrong async payload"])
def test_wrong_payload(messages: dict[str, str], line: str) -> None:
    """A payload of the wrong type is an error where the job is made."""
    assert "[arg-type]" in messages[line]


@pytest.mark.parametrize(
    "line",
    [
        *("no job", "no such option", "wrong setting", "no job to await", "no such option to await"),
        *("no job to schedule", "no such policy"),
    ],
)
def test_wrong_call(messages: dict[str, str], line: str) -> None:
    """A call with a wrong job, option or setting is an error."""
    assert re.search(r"\[(arg-type|call-arg|call-overload|type-var|misc)\]", messages[line])


def test_no_other_complaint(messages: dict[str, str]) -> None:
    """A strict type checker finds no other error in the application."""
    assert {comment for comment in messages if comment.startswith("line ")} == set()
