"""A batch of new records that are made when they are needed, so that a store can write some while others are made."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

from ..contract.records import NewRecord

T = TypeVar("T")


class LazyRecords(Sequence[NewRecord]):
    """New records with ids of their own and without unique keys, one for each job. Each is made once, in order.

    The runner passes one to `insert` for a batch of plain jobs. A backend that asks for `parts` can write a part while
    the next one is made. Then it calls `calls.insert` for each part. To any other backend this is a sequence, whose
    first use makes all records. To make a record can raise any exception, so the backend stores nothing then.
    """

    def __init__(self, jobs: Sequence[T], make: Callable[[T], NewRecord]) -> None:
        self._jobs: Sequence[Any] = jobs
        self._make: Callable[[Any], NewRecord] = make
        self._made: list[NewRecord] = []

    def parts(self, size: int) -> Iterator[Sequence[NewRecord]]:
        """Yield the records in parts of this size. A part is made when it is asked for.

        Raises:
            BaseException: A record cannot be made.
        """
        for start in range(0, len(self._jobs), size):
            yield self._first(start + size)[start : start + size]

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[NewRecord]:
        return iter(self._first(len(self._jobs)))

    @overload
    def __getitem__(self, index: int) -> NewRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NewRecord]: ...
    def __getitem__(self, index: int | slice) -> NewRecord | Sequence[NewRecord]:
        return self._first(len(self._jobs))[index]

    def _first(self, count: int) -> list[NewRecord]:
        self._made += map(self._make, self._jobs[len(self._made) : count])
        return self._made
