"""Choose the queues of each claim by their weights."""

from collections.abc import Mapping, Sequence


class Turns:
    """Gives each queue its share of the claims: by smooth weighted round robin, so no queue waits for long.

    A claim takes jobs of one queue. If they do not fill the claim, the next claim takes jobs of all queues, so that no
    capacity is left unused. Without weights, or with equal ones, every claim takes jobs of all queues.
    """

    def __init__(self, queues: Sequence[str], weights: Mapping[str, int]) -> None:
        self._all = queues
        self._weights = {queue: weights.get(queue, 1) for queue in queues}
        self._credits = dict.fromkeys(queues, 0)
        self._is_weighted = len(set(self._weights.values())) > 1
        self._took_all = True
        self.follows = False
        """Whether the last claim found too few jobs in one queue, so that a claim of all queues should follow."""

    def take(self) -> Sequence[str]:
        """Return the queues of the next claim."""
        self._took_all = self.follows or not self._is_weighted
        return self._all if self._took_all else (self._next(),)

    def report(self, *, is_full: bool) -> None:
        """Note whether the claim took as many jobs as its limit."""
        self.follows = not is_full and not self._took_all

    def _next(self) -> str:
        for queue, weight in self._weights.items():
            self._credits[queue] += weight
        chosen = max(self._credits, key=self._credits.__getitem__)
        self._credits[chosen] -= sum(self._weights.values())
        return chosen
