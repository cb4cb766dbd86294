"""Check unique keys: no two records hold a key at once, and no job is rejected for a free key."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from tallystick import Record

from ..contract.eligibility import holds_key
from .finding import Finding
from .linearize import Life, covering
from .operation import Operation


class _Span(NamedTuple):
    began: float
    ended: float
    id: UUID
    call: Operation | None = None


def check_keys(history: Iterable[Operation], lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    """Yield R13 for each key with two holders, and for each wrong duplicate."""
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
            yield from _wrong_duplicates(call, lives)
    for key, takers in taken.items():
        yield from _doubles(key, held[key], takers)
        yield from _together(key, held[key], takers)


def _holding(life: Life) -> Iterator[tuple[str, _Span]]:
    record = _known(life)
    if record is not None and record.unique_key is not None:
        for began, ended in life.held:
            yield record.unique_key, _Span(began, ended, life.id)


def _taking(call: Operation, lives: Mapping[UUID, Life]) -> Iterator[tuple[str, _Span]]:
    """Yield the keys that a call took, so that no other record held them at some moment of the call."""
    if call.call == "insert":
        for new, answer in zip(call.given["records"], call.answer, strict=False):
            if answer.created and new.unique_key is not None:
                yield new.unique_key, _Span(call.began, call.over, new.id, call)
    elif call.call == "requeue":
        for id in call.answer:
            record = _known(lives.get(id))
            if record is not None and record.unique_key is not None and record.unique_until != "started":
                yield record.unique_key, _Span(call.began, call.over, id, call)


def _known(life: Life | None) -> Record | None:
    states = (state for window in (life.windows if life else ()) for state in window.states)
    return next((state for state in states if state is not None), None)


def _doubles(key: str, held: list[_Span], takers: list[_Span]) -> Iterator[Finding]:
    """Yield each call that took a key while another record certainly held it."""
    held, index = sorted(held, key=lambda span: span.began), 0
    longest: dict[UUID, _Span] = {}
    for taker in sorted(takers, key=lambda span: span.began):
        while index < len(held) and held[index].began < taker.began:
            longest = _two_longest(longest, held[index])
            index += 1
        for id, span in longest.items():
            if id != taker.id and span.ended > taker.ended:
                assert taker.call is not None
                text = f"job {taker.id} got the unique key {key!r}, although job {id} held it"
                yield Finding.of("R13", text, taker.call)


def _together(key: str, held: list[_Span], takers: list[_Span]) -> Iterator[Finding]:
    """Yield each two records that certainly held the key at the same moment."""
    last: _Span | None = None
    for span in sorted(held, key=lambda span: span.began):
        shared = last is not None and last.id != span.id and span.began < last.ended
        if last is not None and shared and (calls := _took(takers, last, span)):
            yield Finding.of(
                "R13", f"jobs {last.id} and {span.id} held the unique key {key!r} at the same time", *calls
            )
        last = span if last is None else max(last, span, key=_ended)


def _took(takers: list[_Span], *spans: _Span) -> list[Operation]:
    """Return the calls by which each record got the key, if known."""
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


def _wrong_duplicates(call: Operation, lives: Mapping[UUID, Life]) -> Iterator[Finding]:
    for new, answer in zip(call.given["records"], call.answer, strict=False):
        duplicate = answer.record
        if answer.created or duplicate.id == new.id:
            continue
        if new.unique_key is None or duplicate.unique_key != new.unique_key:
            text = f"job {new.id} was reported as a duplicate of {duplicate.id}, which has another id and unique key"
            yield Finding.of("R13", text, call)
            continue
        life = lives.get(duplicate.id)
        window = covering(life.windows, call.began, call.over) if life is not None else None
        if window is not None and not any(map(holds_key, window.states)):
            text = f"job {new.id} was rejected for the unique key {new.unique_key!r}, which {duplicate.id} did not hold"
            yield Finding.of("R13", text, call)
