"""Which records a worker purges, and when: by the settings of the runner, and by the options of a kind."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple, assert_never

from ..definition import Definition
from ..options import Options
from ..settings import Settings
from ..state import State


class Purge(NamedTuple):
    """Records of a final state and of some kinds, which are purged after a time. `kinds` None is every kind."""

    state: State
    keep: timedelta
    kinds: tuple[str, ...] | None = None
    except_kinds: tuple[str, ...] = ()


def purges(settings: Settings, definitions: Mapping[str, Definition[Any, Any]]) -> list[Purge]:
    """Return the purges of a worker: one for each time that some kinds have of their own, and one for the others."""
    return [purge for state in State for purge in _of_state(state, settings, definitions)]


def _of_state(state: State, settings: Settings, definitions: Mapping[str, Definition[Any, Any]]) -> Iterator[Purge]:
    own: defaultdict[timedelta, list[str]] = defaultdict(list)
    for kind, definition in definitions.items():
        if (keep := _keep(definition.options, state)) is not None:
            own[keep].append(kind)
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
