"""The rounds of a race: clients of one store whose calls start at a barrier, sometimes delayed at random."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple, TypeVar

from tallystick import Backend

from ...gates import Jitter, jitter, steps_seen
from ...harness.case import Case
from ...harness.threads import together

THREADS = 4

AnswerT = TypeVar("AnswerT")


class Round(NamedTuple):
    """Clients of one store, and the jitter that delays their threads in every second round."""

    clients: Sequence[Backend]
    hold: Jitter | None = None

    def together(self, *calls: Callable[[], AnswerT]) -> list[AnswerT]:
        """Make the calls at once, each in its own thread."""
        return together(*calls, hold=self.hold)


def race_rounds(case: Case, clients: int = THREADS, *, shared: bool = False) -> Iterator[Round]:
    """Yield the clients for each round, or one client for all threads, and clear the steps of the round before."""
    steps = steps_seen(case.target)
    with ExitStack() as stack:
        seed = f"{case.profile.seed} {case.clause_id}"
        held = stack.enter_context(jitter(steps, case.target, case.namespace, seed)) if steps is not None else None
        names = ["w"] if shared else [f"w{n}" for n in range(clients)]
        opened = [stack.enter_context(held.client(name)) if held is not None else case.bare_client() for name in names]
        for n in range(case.profile.rounds):
            case.steps.clear()
            yield Round(opened * (clients // len(opened)), held if n % 2 else None)
