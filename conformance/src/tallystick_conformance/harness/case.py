"""The context of one example: a fresh store, clients for it, and assertions."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from string import ascii_lowercase
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from tallystick import Backend, Capabilities, Filter, NewRecord, Record

from ..subject.sources import sources
from ..subject.target import Target
from ..subject.tracing import asked_to_be_refused, came_from_a_call, traced
from .profiles import Profile
from .shares import Share
from .violation import Violation

FunctionT = TypeVar("FunctionT", bound="Callable[[Case], None]")

NOW = datetime(2031, 5, 17, 12, 30, 15, tzinfo=UTC)
"""The `now` that examples pass. It is far from the real time, so a store that uses its own clock fails."""

LEASE = timedelta(seconds=60)


class NotRun(Exception):
    """The example cannot run on this target; the message gives the reason."""


_EXPECTED = (Violation, NotRun)
"""Exceptions that pass through unchanged. Any other exception from a call becomes a violation."""


class Case:
    """The context of an example. `backend` is a client of a fresh store; its calls become the steps of a violation."""

    def __init__(self, clause_id: str, target: Target, profile: Profile) -> None:
        self.clause_id = clause_id
        self.target = target
        self.profile = profile
        self.steps: list[str] = []
        self.notice = ""
        self.shares: list[Share] = []
        """How much of the planned work was run."""
        self._stack = ExitStack()

    def __enter__(self) -> "Case":
        self.namespace, self.raw = self._stack.enter_context(self.target.fresh())
        self._names = count()
        self.backend = self._traced(self.raw)
        return self

    def __exit__(self, kind: object, exc: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            self._stack.close()
        except Exception:
            if exc is None:
                raise  # do not hide an earlier exception
        files = sources(type(self.raw))
        if isinstance(exc, Violation):
            exc.attach(exc.__cause__ or exc.__context__, files)
        elif isinstance(exc, Exception) and not isinstance(exc, _EXPECTED) and came_from_a_call(traceback, files):
            violation = Violation(self.clause_id, "a result", repr(exc), self.steps)
            violation.attach(exc, files)
            raise violation from exc

    def _traced(self, client: Backend, *, is_elsewhere: bool = False) -> Backend:
        n = next(self._names)
        name = ascii_lowercase[n] if n < len(ascii_lowercase) else f"client {n}"
        return traced(client, self.steps, name, is_elsewhere=is_elsewhere)

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities that the backend declares."""
        return self.raw.capabilities

    def client(self) -> Backend:
        """Open another client of the same store; its calls become steps too."""
        return self._traced(self.bare_client())

    def bare_client(self) -> Backend:
        """Open another client of the same store without recording its calls, for races and for many calls."""
        return self._stack.enter_context(self.target.make(self.namespace))

    def elsewhere(self) -> tuple[str, Backend]:
        """Create another store, and return its namespace and a client."""
        namespace, client = self._stack.enter_context(self.target.fresh())
        return namespace, self._traced(client, is_elsewhere=True)

    def that(self, ok: bool, expected: object, observed: object) -> None:
        """Assert that a condition holds."""
        if not ok:
            raise Violation(self.clause_id, expected, observed, self.steps)

    def unanswered(self, exc: BaseException) -> NoReturn:
        """Raise a violation because a valid call raised an exception."""
        raise Violation(self.clause_id, "a result", repr(exc), self.steps) from exc

    def equal(self, expected: object, observed: object) -> None:
        """Assert that two values are equal."""
        self.that(expected == observed, expected, observed)

    def refuses(self, error: type[Exception], call: Callable[[], object]) -> None:
        """Assert that a call raises an error and changes nothing in the store."""
        before, made = self.contents(), len(self.steps)
        try:
            answer = call()
        except error:
            pass
        except NotImplementedError:
            raise
        except Exception as exc:
            self.that(False, error.__name__, repr(exc))
        else:
            self.that(False, error.__name__, answer)
        finally:
            asked_to_be_refused(self.steps[made:], error)
        after = self.contents()
        self.that(before == after, f"nothing changed after the rejected call: {before}", after)

    def contents(self, client: Backend | None = None) -> dict[str, Any]:
        """Return all contents of the store, as of `NOW`, as a client sees them."""
        client = client or self.raw
        records = client.list(Filter(), limit=1_000)
        meters = client.meters(NOW - timedelta(days=8), NOW + timedelta(days=1), step=timedelta(hours=1))
        return {
            "records": list(records),
            "queues": list(client.queues()),
            "stats": client.stats(now=NOW),
            "schedules": list(client.schedules()),
            "workers": list(client.workers()),
            "meters": list(meters),
        }

    def insert(self, *records: NewRecord) -> list[Record]:
        """Insert jobs at `NOW`, and return the stored records."""
        return [answer.record for answer in self.backend.insert(records, now=NOW)]

    def claim(self, limit: int = 100, now: datetime = NOW, queues: Sequence[str] = ("default",)) -> list[Record]:
        """Claim jobs, by default at `NOW`."""
        return list(self.backend.claim(queues, limit=limit, worker="w", lease=LEASE, now=now))

    def running(self, **fields: Any) -> Record:
        """Insert a job, claim it, and return its record."""
        self.insert(NewRecord(kind="k", **fields))
        return self.only(self.claim(1))

    def only(self, records: Sequence[Record]) -> Record:
        """Assert that there is exactly one record, and return it."""
        self.that(len(records) == 1, "one record", list(records))
        return records[0]

    def stored(self, record: Record) -> Record:
        """Return the current state of a record."""
        found = self.backend.get([record.id])
        self.that(record.id in found, f"the record {record.id}", "it was not found")
        return found[record.id]


Example = Callable[[Case], None]

EXAMPLES: dict[str, list[Example]] = {}
"""The examples of each clause, registered by `@example(...)`."""


def example(clause_id: str) -> Callable[[FunctionT], FunctionT]:
    """Register a function as an example of a clause; its docstring states the fact that it tests."""

    def register(function: FunctionT) -> FunctionT:
        EXAMPLES.setdefault(clause_id, []).append(function)
        return function

    return register
