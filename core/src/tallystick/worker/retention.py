"""Which records a worker purges. The maintainer calls it at the interval of the setting `maintenance`.

The settings of the runner and the options of a kind limit how long records are kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, assert_never

from ..config.settings import Settings
from ..contract.state import State
from ..jobs.definition import Definition
from ..jobs.options import Options
from .worker_context import WorkerContext

_MARGIN = timedelta(hours=1)
"""How much later than its `finished_at` a record may appear: in a long transaction, or with another machine's clock."""

_RESTART = timedelta(days=1)
"""How often a purge ignores what it remembers, and begins at the first record."""


class Purge(NamedTuple):
    """Records of a final state and of some kinds, which are purged after a time. `kinds` None is every kind."""

    state: State
    keep: timedelta
    kinds: tuple[str, ...] | None = None
    except_kinds: tuple[str, ...] = ()


class Retention:
    """Purges the records of finished jobs. It remembers how far it came, so that kept records are not read again."""

    def __init__(self, context: WorkerContext, limit: int) -> None:
        self._context = context
        self._limit = limit
        self._purges = purges(context.settings, context.definitions)
        self._begin: dict[Purge, datetime] = {}
        self._restarted_at = datetime.now(UTC)

    def purge(self, until_done: Callable[[Callable[[], int]], bool]) -> None:
        """Purge all records that were kept long enough, by repeated calls."""
        now = datetime.now(UTC)
        if now - self._restarted_at > _RESTART:
            self._begin.clear()
            self._restarted_at = now
        for purge in self._purges:
            try:
                before = now - purge.keep
                begin_next = before - _MARGIN
            except OverflowError:  # longer ago than the first date
                continue
            if until_done(partial(self._some, purge, before)):
                self._begin[purge] = begin_next

    def _some(self, purge: Purge, before: datetime) -> int:
        begin = self._begin.get(purge)
        return self._context.backend.purge(
            [purge.state],
            before=before,
            since=None if begin is None else min(begin, before),
            limit=self._limit,
            kinds=purge.kinds,
            except_kinds=purge.except_kinds,
        )


def purges(settings: Settings, definitions: Mapping[str, Definition[Any, Any]]) -> list[Purge]:
    """Return the purges of a worker: one for each time that some kinds have of their own, and one for the others."""
    return [purge for state in State for purge in _of_state(state, settings, definitions)]


def _of_state(state: State, settings: Settings, definitions: Mapping[str, Definition[Any, Any]]) -> Iterator[Purge]:
    own: defaultdict[timedelta, list[str]] = defaultdict(list)
    for kind, definition in definitions.items():
        if (keep := _keep(definition.options, state)) is not None:
            own[keep] += [kind, *definition.options.aliases]
    yield from (Purge(state, keep, kinds=tuple(kinds)) for keep, kinds in own.items() if keep != timedelta.max)
    if (keep := _keep(settings, state)) is not None:
        yield Purge(state, keep, except_kinds=tuple(kind for kinds in own.values() for kind in kinds))


def _keep(given: Settings | Options, state: State) -> timedelta | None:
    match state:
        case State.COMPLETED:
            return given.keep_completed
        case State.DISCARDED:
            return given.keep_discarded
        case State.CANCELLED:
            return given.keep_cancelled
        case State.PENDING | State.RUNNING | State.RETRYING:
            return None
        case _:
            assert_never(state)
