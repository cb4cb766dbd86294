"""One example under test: a fresh store, clients for it, and words to say what must be."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from string import ascii_lowercase
from types import TracebackType
from typing import Any, NoReturn, TypeVar

from tallystick import Backend, Capabilities, Filter, NewRecord, Record

from .gates.lines import sources
from .profiles import Profile
from .shares import Share
from .target import Target
from .tracing import asked_to_be_refused, came_from_a_call, traced
from .violation import Violation

FunctionT = TypeVar("FunctionT", bound="Callable[[Case], None]")

NOW = datetime(2031, 5, 17, 12, 30, 15, tzinfo=UTC)
"""The moment at which examples play; a store with its own clock cannot know it."""

LEASE = timedelta(seconds=60)


class NotRun(Exception):
    """An example that cannot be run on this target; its message says why."""


_TOLD = (Violation, NotRun)
"""What an example may end with as it is. Anything else that a call raises is a valid call not answered."""


class Case:
    """What an example gets. `backend` is a client of a fresh store, and its calls are the steps of a violation."""

    def __init__(self, clause_id: str, target: Target, profile: Profile) -> None:
        self.clause_id = clause_id
        self.target = target
        self.profile = profile
        self.steps: list[str] = []
        self.notice = ""
        self.shares: list[Share] = []
        """How much of what the profile plans was run."""
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
                raise  # else what went wrong first is told
        files = sources(type(self.raw))
        if isinstance(exc, Violation):
            exc.tell_of(exc.__cause__ or exc.__context__, files)
        elif isinstance(exc, Exception) and not isinstance(exc, _TOLD) and came_from_a_call(traceback, files):
            violation = Violation(self.clause_id, "an answer", repr(exc), self.steps)
            violation.tell_of(exc, files)
            raise violation from exc

    def _traced(self, client: Backend, *, is_elsewhere: bool = False) -> Backend:
        n = next(self._names)
        name = ascii_lowercase[n] if n < len(ascii_lowercase) else f"client {n}"
        return traced(client, self.steps, name, is_elsewhere=is_elsewhere)

    @property
    def capabilities(self) -> Capabilities:
        """What the backend declares."""
        return self.raw.capabilities

    def client(self) -> Backend:
        """Open another client of the same store, whose calls are steps too."""
        return self._traced(self.bare_client())

    def bare_client(self) -> Backend:
        """Open another client of the same store, whose calls are no steps: for races, and for many calls."""
        return self._stack.enter_context(self.target.make(self.namespace))

    def elsewhere(self) -> tuple[str, Backend]:
        """Make another store."""
        namespace, client = self._stack.enter_context(self.target.fresh())
        return namespace, self._traced(client, is_elsewhere=True)

    def that(self, ok: bool, expected: object, observed: object) -> None:
        """Require that a condition holds."""
        if not ok:
            raise Violation(self.clause_id, expected, observed, self.steps)

    def unanswered(self, exc: BaseException) -> NoReturn:
        """Say that a valid call raised an exception."""
        raise Violation(self.clause_id, "an answer", repr(exc), self.steps) from exc

    def equal(self, expected: object, observed: object) -> None:
        """Require that two values are equal."""
        self.that(expected == observed, expected, observed)

    def refuses(self, error: type[Exception], call: Callable[[], object]) -> None:
        """Require that a call raises an error and that nothing in the store changes."""
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
        self.that(before == after, f"nothing changed after the refusal: {before}", after)

    def contents(self) -> dict[str, Any]:
        """Return everything that can be seen of the store, as at `NOW`."""
        records = self.raw.list(Filter(), limit=1_000)
        return {"records": list(records), "queues": list(self.raw.queues()), "stats": self.raw.stats(now=NOW)}

    def insert(self, *records: NewRecord) -> list[Record]:
        """Insert jobs at `NOW`, and return them as stored."""
        return [answer.record for answer in self.backend.insert(records, now=NOW)]

    def claim(self, limit: int = 100, now: datetime = NOW, queues: Sequence[str] = ("default",)) -> list[Record]:
        """Claim at `NOW`."""
        return list(self.backend.claim(queues, limit=limit, worker="w", lease=LEASE, now=now))

    def running(self, **fields: Any) -> Record:
        """Insert a job and claim it."""
        self.insert(NewRecord(kind="k", **fields))
        return self.only(self.claim(1))

    def only(self, records: Sequence[Record]) -> Record:
        """Require that there is one record, and return it."""
        self.that(len(records) == 1, "one record", list(records))
        return records[0]

    def stored(self, record: Record) -> Record:
        """Return a record as it is now."""
        found = self.backend.get([record.id])
        self.that(record.id in found, f"the record {record.id}", "it is not there")
        return found[record.id]


Example = Callable[[Case], None]

EXAMPLES: dict[str, list[Example]] = {}
"""The examples of each clause; a module's `@example(...)` puts them here."""


def example(clause_id: str) -> Callable[[FunctionT], FunctionT]:
    """Register a function as an example of a clause; its docstring states the fact that it tests."""

    def register(function: FunctionT) -> FunctionT:
        EXAMPLES.setdefault(clause_id, []).append(function)
        return function

    return register
