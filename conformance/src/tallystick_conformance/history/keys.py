"""Unique keys: never two holders for sure, and nobody refused for a key that was surely free."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from tallystick import Record

from .finding import Finding
from .linearize import Life, covering, holds_key
from .operation import Operation


class _Span(NamedTuple):
    began: float
    ended: float
    id: UUID
    call: Operation | None = None


def judge(history: Iterable[Operation], lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    """Yield R13."""
    held: defaultdict[str, list[_Span]] = defaultdict(list)
    taken: defaultdict[str, list[_Span]] = defaultdict(list)
    for life in lives.values():
        for key, span in _holding(life):
            held[key].append(span)
    for call in history:
        if call.failed or call.unknown:
            continue
        for key, span in _taking(call, lives):
            taken[key].append(span)
        if call.call == "insert":
            yield from _refusals(call, lives)
    for key, takers in taken.items():
        yield from _doubles(key, held[key], takers)
        yield from _together(key, held[key], takers)


def _holding(life: Life) -> Iterator[tuple[str, _Span]]:
    record = _known(life)
    if record is not None and record.unique_key is not None:
        for began, ended in life.held:
            yield record.unique_key, _Span(began, ended, life.id)


def _taking(call: Operation, lives: Mapping[UUID, Life]) -> Iterator[tuple[str, _Span]]:
    """Yield the keys that a call took: at some moment of it, nobody else held them."""
    if call.call == "insert":
        for new, answer in zip(call.given["records"], call.answer, strict=False):
            if answer.created and new.unique_key is not None:
                yield new.unique_key, _Span(call.began, call.over, new.id, call)
    elif call.call == "requeue":
        for id in call.answer:
            record = _known(lives.get(id))
            if record is not None and record.unique_key is not None:
                yield record.unique_key, _Span(call.began, call.over, id, call)


def _known(life: Life | None) -> Record | None:
    states = (state for window in (life.windows if life else ()) for state in window.states)
    return next((state for state in states if state is not None), None)


def _doubles(key: str, held: list[_Span], takers: list[_Span]) -> Iterator[Finding]:
    """Yield each taking that lies within the time for which another record surely held the key."""
    held, index = sorted(held, key=lambda span: span.began), 0
    longest: dict[UUID, _Span] = {}
    for taker in sorted(takers, key=lambda span: span.began):
        while index < len(held) and held[index].began < taker.began:
            longest = _two_longest(longest, held[index])
            index += 1
        for id, span in longest.items():
            if id != taker.id and span.ended > taker.ended:
                assert taker.call is not None
                text = f"job {taker.id} was given the unique key {key!r}, although job {id} held it"
                yield Finding.of("R13", text, taker.call)


def _together(key: str, held: list[_Span], takers: list[_Span]) -> Iterator[Finding]:
    """Yield each two records that surely held the key at one moment, though it may have been free as each took it."""
    last: _Span | None = None
    for span in sorted(held, key=lambda span: span.began):
        shared = last is not None and last.id != span.id and span.began < last.ended
        if last is not None and shared and (calls := _took(takers, last, span)):
            yield Finding.of("R13", f"jobs {last.id} and {span.id} held the unique key {key!r} at once", *calls)
        last = span if last is None else max(last, span, key=_ended)


def _took(takers: list[_Span], *spans: _Span) -> list[Operation]:
    """Return the calls that gave each record the key, where they are known."""
    found = (
        next((taker for taker in reversed(takers) if taker.id == span.id and taker.ended <= span.began), None)
        for span in spans
    )
    return [taker.call for taker in found if taker is not None and taker.call is not None]


def _two_longest(longest: dict[UUID, _Span], span: _Span) -> dict[UUID, _Span]:
    best = {**longest, span.id: max(span, longest.get(span.id, span), key=_ended)}
    return {span.id: span for span in sorted(best.values(), key=_ended)[-2:]}


def _ended(span: _Span) -> float:
    return span.ended


def _refusals(call: Operation, lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    for new, answer in zip(call.given["records"], call.answer, strict=False):
        met = answer.record
        if answer.created or met.id == new.id:
            continue
        if new.unique_key is None or met.unique_key != new.unique_key:
            text = f"job {new.id} was refused as a duplicate of {met.id}, which has neither its id nor its unique key"
            yield Finding.of("R13", text, call)
            continue
        life = lives.get(met.id)
        window = covering(life.windows, call.began, call.over) if life is not None else None
        if window is not None and not any(map(holds_key, window.states)):
            text = f"job {new.id} was refused for the unique key {new.unique_key!r}, which {met.id} did not hold then"
            yield Finding.of("R13", text, call)
