"""Check the arguments of each call of the contract, and return them normalised.

Call the function of your method before you change or read anything. It raises the errors that the contract names, so a
call that it rejects has no effect. A call without a function here has one argument, which `validation` checks.

Times come in two forms. `now` is the time of the call: the `now` that the caller passed, or this machine's clock.
`given` is the `now` that the caller passed, or None. A store that uses its server's clock reads `given`, and replaces
`now` by `call.at(clock)`. Until then, `now` is close enough to check delays.

All times are in UTC. `now` and `given` are rounded down to the backend's `time_precision`. Due times are rounded up.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from .. import validation
from ..errors import Unsupported
from ..outcomes import Complete, Outcome, Release, Retry
from ..records import Capabilities, Claim, Filter, NewRecord, Record
from ..state import State
from . import batches
from .times import rounded_down, rounded_up


class InsertCall(NamedTuple):
    """The checked arguments of `insert`. `due` has the `run_at` of each record."""

    records: Sequence[NewRecord]
    due: Sequence[datetime]
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        if self.given is not None:
            return self
        now = rounded_down(clock, self.precision)
        return self._replace(now=now, due=_due(self.records, now, self.precision))

    def stored(self) -> Sequence[Record]:
        """Return the records to store."""
        return [new.stored(self.now, run_at) for new, run_at in zip(self.records, self.due, strict=True)]


def insert(
    records: Sequence[NewRecord],
    capabilities: Capabilities,
    *,
    transaction: object | None = None,
    now: datetime | None = None,
) -> InsertCall:
    """Check `insert`. Pass `transaction` to reject it if the backend does not declare `transactions`."""
    _check_transaction(transaction, capabilities)
    batches.records(records, capabilities.max_batch)
    for record in records:
        if len(record.payload) > capabilities.max_payload_bytes:
            validation.size(record.payload, capabilities.max_payload_bytes, "payload")
    moment, given = _times(now, capabilities)
    due = _due(records, moment, capabilities.time_precision)
    return InsertCall(records, due, moment, given, capabilities.time_precision)


def _due(records: Sequence[NewRecord], now: datetime, precision: timedelta) -> Sequence[datetime]:
    return [now if new.run_at is None else rounded_up(validation.moment(new.run_at, now), precision) for new in records]


class ClaimCall(NamedTuple):
    """The checked arguments of `claim`. `until` is when the lease ends."""

    queues: tuple[str, ...]
    limit: int
    worker: str
    lease: timedelta
    until: datetime
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        if self.given is not None:
            return self
        now = rounded_down(clock, self.precision)
        return self._replace(now=now, until=_until(self.lease, now, self.precision))


def claim(
    queues: Sequence[str],
    capabilities: Capabilities,
    *,
    limit: int,
    worker: str,
    lease: timedelta,
    now: datetime | None = None,
) -> ClaimCall:
    """Check `claim`. The names of queues become distinct."""
    names = validation.names(queues, "queues")
    limit = validation.limit(limit)
    worker = validation.name(worker, "worker")
    moment, given = _times(now, capabilities)
    until = _until(lease, moment, capabilities.time_precision)
    return ClaimCall(names, limit, worker, lease, until, moment, given, capabilities.time_precision)


class ExtendCall(NamedTuple):
    """The checked arguments of `extend`. `until` is when the leases end."""

    claims: Sequence[Claim]
    lease: timedelta
    until: datetime
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        if self.given is not None:
            return self
        now = rounded_down(clock, self.precision)
        return self._replace(now=now, until=_until(self.lease, now, self.precision))


def extend(
    claims: Sequence[Claim], capabilities: Capabilities, *, lease: timedelta, now: datetime | None = None
) -> ExtendCall:
    """Check `extend`."""
    batches.claims(claims, capabilities.max_batch)
    moment, given = _times(now, capabilities)
    until = _until(lease, moment, capabilities.time_precision)
    return ExtendCall(claims, lease, until, moment, given, capabilities.time_precision)


def _until(lease: timedelta, now: datetime, precision: timedelta) -> datetime:
    return rounded_up(validation.moment(validation.positive(lease, "lease"), now, "lease"), precision, "lease")


class SettleCall(NamedTuple):
    """The checked arguments of `settle`."""

    outcomes: Sequence[Outcome]
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        return self._replace(now=rounded_down(clock, self.precision)) if self.given is None else self

    def due(self, outcome: Retry | Release) -> datetime:
        """Return the `run_at` of an outcome."""
        return rounded_up(validation.moment(outcome.run_at, self.now), self.precision)


def settle(
    outcomes: Sequence[Outcome],
    capabilities: Capabilities,
    *,
    transaction: object | None = None,
    now: datetime | None = None,
) -> SettleCall:
    """Check `settle`. Pass `transaction` to reject it if the backend does not declare `transactions`."""
    _check_transaction(transaction, capabilities)
    batches.outcomes(outcomes, capabilities.max_batch)
    moment, given = _times(now, capabilities)
    call = SettleCall(outcomes, moment, given, capabilities.time_precision)
    for outcome in outcomes:
        if isinstance(outcome, Complete):
            validation.size(outcome.result, capabilities.max_payload_bytes, "result")
        elif isinstance(outcome, Retry | Release):
            call.due(outcome)
    return call


def _check_transaction(transaction: object | None, capabilities: Capabilities) -> None:
    if transaction is not None and not capabilities.transactions:
        raise Unsupported("this backend does not support transactions (it does not declare them); omit transaction=")


class RescueCall(NamedTuple):
    """The checked arguments of `rescue`."""

    limit: int
    now: datetime
    given: datetime | None


def rescue(capabilities: Capabilities, *, limit: int, now: datetime | None = None) -> RescueCall:
    """Check `rescue`."""
    return RescueCall(validation.limit(limit), *_times(now, capabilities))


def get(ids: Collection[UUID], capabilities: Capabilities) -> tuple[UUID, ...]:
    """Check `get`, and return the distinct ids."""
    batches.ids(ids, capabilities.max_batch)
    return tuple(dict.fromkeys(ids))


class ListCall(NamedTuple):
    """The checked arguments of `list`."""

    filter: Filter
    limit: int
    after: UUID | None


def list(filter: Filter, capabilities: Capabilities, *, limit: int, after: UUID | None = None) -> ListCall:
    """Check `list`."""
    batches.filter(filter, capabilities.max_batch)
    batches.after(after)
    return ListCall(filter, validation.limit(limit), after)


class StatsCall(NamedTuple):
    """The checked arguments of `stats`."""

    now: datetime
    given: datetime | None


def stats(capabilities: Capabilities, *, now: datetime | None = None) -> StatsCall:
    """Check `stats`."""
    return StatsCall(*_times(now, capabilities))


class ChangeCall(NamedTuple):
    """The checked arguments of `cancel`, `requeue` or `delete`."""

    filter: Filter
    limit: int
    now: datetime
    given: datetime | None


def change(filter: Filter, capabilities: Capabilities, *, limit: int, now: datetime | None = None) -> ChangeCall:
    """Check `cancel`, `requeue` or `delete`."""
    batches.filter(filter, capabilities.max_batch)
    return ChangeCall(filter, validation.limit(limit), *_times(now, capabilities))


class PurgeCall(NamedTuple):
    """The checked arguments of `purge`."""

    states: tuple[State, ...]
    before: datetime
    limit: int


def purge(states: Sequence[State], capabilities: Capabilities, *, before: datetime, limit: int) -> PurgeCall:
    """Check `purge`. The states become distinct."""
    validation.final(states)
    limit = validation.limit(limit)
    before = rounded_up(validation.utc(before, "before"), capabilities.time_precision, "before")
    return PurgeCall(tuple(dict.fromkeys(map(State, states))), before, limit)


def queue(name: str) -> str:
    """Check `pause` or `resume`, and return the queue's name."""
    return validation.name(name, "queue")


class WaitCall(NamedTuple):
    """The checked arguments of `wait`."""

    queues: tuple[str, ...]
    timeout: timedelta


def wait(queues: Sequence[str], *, timeout: timedelta) -> WaitCall:
    """Check `wait`. The names of queues become distinct."""
    return WaitCall(validation.names(queues, "queues"), validation.duration(timeout, "timeout"))


def _times(now: datetime | None, capabilities: Capabilities) -> tuple[datetime, datetime | None]:
    precision = capabilities.time_precision
    if now is None:
        return rounded_down(datetime.now(UTC), precision), None
    given = rounded_down(validation.utc(now), precision)
    return given, given
