"""A shop whose store looks like that of a busy day, with or without problems: jobs, meters, workers and schedules."""

import json
import math
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr, field_serializer
from tallystick import (
    Advance,
    Beat,
    Complete,
    Context,
    Discard,
    Failure,
    Filter,
    MeterDelta,
    NewRecord,
    NewSchedule,
    ProgressReport,
    Record,
    Retry,
    Runner,
    Running,
)

HOST = "worker-{}.shop.example"
LEASE = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
LOST = timedelta(minutes=9)

QUEUES = {"billing": ("invoice:create", "card:charge"), "emails": ("mail:welcome", "mail:receipt"),
          "media": ("image:resize",), "reports": ("report:daily",)}  # fmt: skip
RATES = {"billing": (44, 0.4, 0.9), "emails": (116, 0.5, 0.4), "media": (185, 0.0, 3.6), "reports": (4, 0.0, 21.0)}
"""The attempts of a queue in a minute, how many of a hundred of them usually fail, and the seconds that one takes."""

_TRACEBACK = """Traceback (most recent call last):
  File "/srv/shop/mails.py", line 48, in send
    server.send_message(message)
  File "/usr/lib/python3.13/smtplib.py", line 984, in send_message
    return self.sendmail(from_addr, to_addrs, flatmsg, mail_options)
{}: {}
"""
FAILURES = {
    "mail:receipt": ("smtplib.SMTPServerDisconnected", "Connection unexpectedly closed: timed out"),
    "mail:welcome": ("smtplib.SMTPRecipientsRefused", "550 5.1.1 grace@shop.example: user unknown"),
    "card:charge": ("shop.errors.CardDeclined", "card ending in 4242 was declined: insufficient_funds"),
    "invoice:create": ("KeyError", "'vat_id'"),
    "image:resize": ("PIL.UnidentifiedImageError", "cannot identify image file 'uploads/8841.heic'"),
}


class Charge(BaseModel):
    """A payment."""

    order: str = Field(description="The number of the order.")
    amount: int = Field(description="In cents.", gt=0)
    currency: str = "EUR"
    card_token: SecretStr
    capture: bool = True

    @field_serializer("card_token", when_used="json")
    def _write(self, token: SecretStr) -> str:
        return token.get_secret_value()


def make_runner(store: str) -> Runner:
    """Return the shop's runner."""
    runner = Runner(f"memory://{store}", max_attempts=5)
    for queue, kinds in QUEUES.items():
        for kind in kinds:
            _declare(runner, kind, queue)
    return runner


def _declare(runner: Runner, kind: str, queue: str) -> None:
    payload: Any = Charge if kind == "card:charge" else dict[str, Any]

    def work(payload: Any, ctx: Context) -> None:
        pass

    work.__annotations__["payload"] = payload
    work.__module__, work.__qualname__ = f"shop.{kind.partition(':')[0]}s", kind.partition(":")[2]
    runner.job(kind, queue=queue)(work)


class Shop:
    """Fills a store, and knows the jobs that the screenshots show."""

    def __init__(self, runner: Runner, now: datetime, *, healthy: bool) -> None:
        self.healthy = healthy
        self.runner, self.backend, self.now = runner, runner.backend, now
        self._random = Random(4)
        self.ids: dict[str, UUID] = {}

    def fill(self) -> None:
        """Fill the store."""
        self._meters()
        for n in range(1_200 if self.healthy else 340):
            self._finished(n, timedelta(minutes=10 * self._random.random() * (n % 9 + 1)))
        self._retried()
        self._running()
        self._waiting()
        self._schedules()
        if not self.healthy:
            self.backend.pause("reports")

    def _meters(self) -> None:
        deltas = []
        for queue, (rate, failing, takes) in RATES.items():
            for minute in range(-4, 24 * 60):  # some minutes ahead: the screenshots take their time
                began = (self.now - minute * MINUTE).replace(second=0, microsecond=0)
                count = round(rate * (1 + 0.25 * math.sin(minute / 14) + 0.15 * self._random.random()))
                share = 14.0 if queue == "emails" and minute < 30 and not self.healthy else failing
                failed = sum(100 * self._random.random() < share for _ in range(count))
                kind = QUEUES[queue][0]
                spent = timedelta(seconds=takes * count)
                deltas.append(MeterDelta(minute=began, queue=queue, kind=kind, completed=count - failed, retried=failed,
                                         waiting=timedelta(seconds=0.02 * count), running=spent))  # fmt: skip
        for start in range(0, len(deltas), 500):
            self.backend.meter(deltas[start : start + 500], now=self.now)

    def _job(self, kind: str, at: datetime, **fields: Any) -> NewRecord:
        queue = next(queue for queue, kinds in QUEUES.items() if kind in kinds)
        order = f"{self._random.randrange(10_000, 99_999)}"
        payload: dict[str, Any] = {"order": order, "to": "grace@shop.example", "template": "receipt", "locale": "de"}
        if kind == "card:charge":
            payload = {"order": order, "amount": 4_900, "currency": "EUR", "card_token": "tok_1", "capture": True}
        tags = (f"order:{order}", "eu")
        made = min(at, self.now - 90 * MINUTE * self._random.random() if at > self.now else at)
        id = UUID(int=int(made.timestamp() * 1_000) << 80 | 7 << 76 | 2 << 62 | self._random.getrandbits(62))
        return NewRecord(**{"id": id, "kind": kind, "queue": queue, "payload": json.dumps(payload).encode(),
                            "tags": tags, "run_at": at, "max_attempts": 5, **fields})  # fmt: skip

    def _claimed(self, kind: str, at: datetime, **fields: Any) -> Record:
        new = self._job(kind, at, **fields)
        self.backend.insert([new], now=at)
        worker = f"worker-{self._random.randrange(1, 4)}"
        [record] = self.backend.claim([new.queue], limit=1, worker=worker, lease=LEASE, now=at + MINUTE / 900)
        return record

    def _failure(self, kind: str) -> Failure:
        type_, message = FAILURES[kind]
        return Failure(type_, message, _TRACEBACK.format(type_.rpartition(".")[2], message))

    def _finished(self, n: int, ago: timedelta) -> None:
        kinds = [kind for kinds in QUEUES.values() for kind in kinds]
        kind = kinds[n % len(kinds)]
        record = self._claimed(kind, self.now - ago - MINUTE)
        ended = self.now - ago - MINUTE + timedelta(milliseconds=self._random.randrange(40, 1_400))
        if self._random.random() < (0.004 if self.healthy else 0.1) and kind in FAILURES:
            self.backend.settle([Discard(record.claim, self._failure(kind))], now=ended)
            return
        self.backend.settle([Complete(record.claim, b'{"message_id": "20261129.4711@shop.example"}')], now=ended)
        self.ids.setdefault("completed", record.id)

    def _retried(self) -> None:
        for n in range(3 if self.healthy else 31):
            kind = "mail:receipt" if n % 4 else "mail:welcome"
            self._one_retried(kind, self.now - timedelta(minutes=3 + n % 17), attempts=1)
        self.ids["retrying"] = self._one_retried("mail:receipt", self.now - timedelta(minutes=22), attempts=3)
        self.ids["discarded"] = self._one_retried(
            "card:charge", self.now - timedelta(minutes=41), attempts=3, last=True
        )

    def _one_retried(self, kind: str, at: datetime, *, attempts: int, last: bool = False) -> UUID:
        record = self._claimed(kind, at, unique_key=f"order:{at:%H%M}" if attempts > 1 else None,
                               meta={"trace": "4bf92f3577b34da6"} if attempts > 1 else {})  # fmt: skip
        for attempt in range(1, attempts + 1):
            ended = at + timedelta(minutes=5 * (attempt - 1), seconds=4)
            if last and attempt == attempts:
                self.backend.settle([Discard(record.claim, self._failure(kind))], now=ended)
                return record.id
            delay = timedelta(minutes=5) if attempt < attempts else self.now - ended + timedelta(minutes=4)
            self.backend.settle([Retry(record.claim, delay, self._failure(kind))], now=ended)
            if attempt < attempts:
                again = at + timedelta(minutes=5 * attempt, seconds=4)
                [record] = self.backend.claim([record.queue], limit=1, worker="worker-2", lease=LEASE, now=again)
        return record.id

    def _running(self) -> None:
        works: dict[int, list[Running]] = {1: [], 2: [], 3: []}
        kinds = ("image:resize", "image:resize", "card:charge", "image:resize", "mail:receipt")
        for n, kind in enumerate(kinds * 4 if self.healthy else kinds):
            began = self.now - timedelta(seconds=3 + (2 if self.healthy else 11) * n)
            if n % 3 == 2 and not self.healthy:
                began -= LOST
            record = self._claimed(kind, began)
            works[n % 3 + 1].append(Running(record.claim, kind, began))
            self.ids["running"] = record.id
            report = ProgressReport(record.claim, 0.4, "page 40 of 100")
            self.backend.report_progress([report], now=self.now - timedelta(seconds=3))
        for n, running in works.items():
            lost = n == 3 and not self.healthy
            beat = Beat(worker=f"worker-{n}", host=HOST.format(n), pid=4_100 + n, version="1.4.2", queues=tuple(QUEUES),
                        concurrency=10, started_at=self.now - timedelta(hours=5, minutes=n), running=tuple(running),
                        busy=len(running))  # fmt: skip
            self.backend.beat(beat, ttl=MINUTE if lost else LEASE, now=self.now - LOST if lost else self.now)

    def _waiting(self) -> None:
        jobs = [self._job("image:resize", self.now + timedelta(minutes=2 * n + 9)) for n in range(24)]
        jobs += [self._job("mail:welcome", self.now + timedelta(minutes=7 * n + 9)) for n in range(40)]
        if self.healthy:
            jobs += [self._job("mail:receipt", self.now - timedelta(seconds=n / 4)) for n in range(14)]
        late = timedelta(seconds=1) if self.healthy else timedelta(minutes=4)
        jobs += [self._job("report:daily", self.now - late, priority=2)]
        self.backend.insert(jobs, now=self.now - late)
        self.ids["pending"] = jobs[-1].id

    def _schedules(self) -> None:
        for name, rule, kind in (
            ("cleanup:carts", "*/15 * * * *", "image:resize"),
            ("invoices:send", "0 6 * * 1-5", "invoice:create"),
            ("newsletter", "0 9 1 * *", "mail:welcome"),
            ("report:daily", "30 3 * * *", "report:daily"),
        ):
            queue = next(queue for queue, kinds in QUEUES.items() if kind in kinds)
            declared = None if name == "newsletter" else "v1"
            zone = "Europe/Berlin" if name.startswith("report") else "UTC"
            earlier = self.now - timedelta(days=40)
            new = NewSchedule(name=name, rule=rule, kind=kind, queue=queue, payload=b'{"scope": "all"}', zone=zone,
                              declared=declared)  # fmt: skip
            [stored] = self.backend.put_schedules([new], now=earlier)
            parsed = stored.parsed()
            last, following = parsed.last_tick(self.now), parsed.next_tick(self.now)
            assert last is not None
            advance = Advance(name=name, revision=stored.revision, ticks=(last,), next_tick=following)
            self.backend.advance([advance], now=self.now)
            self.backend.delete(Filter(tags=[f"schedule:{name}"]), limit=1)
        if not self.healthy:
            self.runner.pause_schedule("newsletter")


def filled(*, healthy: bool) -> tuple[Runner, Shop]:
    """Return the runner of a filled store."""
    runner = make_runner("healthy" if healthy else "troubled")
    shop = Shop(runner, datetime.now(UTC), healthy=healthy)
    shop.fill()
    return runner, shop
