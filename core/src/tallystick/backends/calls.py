"""Check the arguments of each call of the contract, and return them normalised.

Call the function of your method before you change or read anything. It raises the errors that the contract names, so a
call that it rejects has no effect. A call without a function here has one argument, which `validation` checks.

Times come in two forms. `now` is the time of the call: the `now` that the caller passed, or this machine's clock.
`given` is the `now` that the caller passed, or None. A store that uses its server's clock reads `given`, and replaces
`now` by `call.at(clock)`. Until then, `now` is close enough to check delays.

All times are in UTC. `now` and `given` are rounded down to the backend's `time_precision`. Due times are rounded up.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple, Self
from uuid import UUID

from ..contract import validation
from ..contract.changes import Changes
from ..contract.filters import MOST_COUNTED, ORDERS, Filter, Order
from ..contract.outcomes import Complete, Outcome, Release, Retry
from ..contract.progress import Progress
from ..contract.progress_report import ProgressReport
from ..contract.records import Capabilities, Claim, NewRecord, Record
from ..contract.state import State
from ..errors import InvalidArgument, Unsupported
from ..messages.safe_repr import safe_repr
from . import batches
from .lazy_records import LazyRecords
from .times import call_times, rounded_down, rounded_up


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
    records = [*records] if isinstance(records, LazyRecords) else records
    batches.records(records, capabilities.max_batch)
    for record in records:
        if len(record.payload) > capabilities.max_payload_bytes:
            validation.size(record.payload, capabilities.max_payload_bytes, "payload")
    moment, given = call_times(now, capabilities)
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
    moment, given = call_times(now, capabilities)
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
    moment, given = call_times(now, capabilities)
    until = _until(lease, moment, capabilities.time_precision)
    return ExtendCall(claims, lease, until, moment, given, capabilities.time_precision)


def _until(lease: timedelta, now: datetime, precision: timedelta) -> datetime:
    return rounded_up(validation.moment(validation.positive(lease, "lease"), now, "lease"), precision, "lease")


class ReportCall(NamedTuple):
    """The checked arguments of `report_progress`."""

    reports: Sequence[ProgressReport]
    now: datetime
    given: datetime | None
    precision: timedelta

    def at(self, clock: datetime) -> Self:
        """Return this call at the time of the server's clock, or unchanged if the caller passed `now`."""
        return self._replace(now=rounded_down(clock, self.precision)) if self.given is None else self

    def progress(self, report: ProgressReport) -> Progress:
        """Return the progress to store for a report."""
        return Progress(report.fraction, report.message, self.now)


def report_progress(
    reports: Sequence[ProgressReport], capabilities: Capabilities, *, now: datetime | None = None
) -> ReportCall:
    """Check `report_progress`."""
    batches.reports(reports, capabilities.max_batch)
    return ReportCall(reports, *call_times(now, capabilities), capabilities.time_precision)


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
    moment, given = call_times(now, capabilities)
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
    return RescueCall(validation.limit(limit), *call_times(now, capabilities))


def get(ids: Collection[UUID], capabilities: Capabilities) -> tuple[UUID, ...]:
    """Check `get`, and return the distinct ids."""
    batches.ids(ids, capabilities.max_batch)
    return tuple(dict.fromkeys(ids))


class ListCall(NamedTuple):
    """The checked arguments of `list`. `after` is set for the order `id`, and `after_time` too for the others."""

    filter: Filter
    limit: int
    order: Order
    after: UUID | None
    after_time: datetime | None

    @property
    def position(self) -> tuple[datetime, int] | None:
        """The time and the id behind which the page begins, or None for the first page and for the order `id`."""
        return None if self.after is None or self.after_time is None else (self.after_time, self.after.int)


def list(
    filter: Filter,
    capabilities: Capabilities,
    *,
    limit: int,
    order: Order = "id",
    after: UUID | tuple[datetime, UUID] | None = None,
) -> ListCall:
    """Check `list`."""
    _check_filter(filter, capabilities)
    limit = validation.limit(limit)
    if not isinstance(order, str) or order not in ORDERS:
        raise InvalidArgument(f"order is {safe_repr(order)}; it must be one of {', '.join(ORDERS)}")
    if order == "id" or after is None:
        return ListCall(filter, limit, order, batches.after(after), None)
    moment, id = batches.position(after, order)
    return ListCall(filter, limit, order, id, moment)


class CountCall(NamedTuple):
    """The checked arguments of `count`."""

    filter: Filter
    at_most: int


def count(filter: Filter, capabilities: Capabilities, *, at_most: int) -> CountCall:
    """Check `count`."""
    _check_filter(filter, capabilities)
    return CountCall(filter, validation.within(at_most, 1, MOST_COUNTED, "at_most"))


def _check_filter(filter: Filter, capabilities: Capabilities) -> None:
    batches.filter(filter, capabilities.max_batch)
    if filter.error_text is not None and not capabilities.error_text:
        raise Unsupported(
            "this backend cannot search the text of errors (it does not declare error_text); filter by error_types"
        )


class StatsCall(NamedTuple):
    """The checked arguments of `stats`."""

    now: datetime
    given: datetime | None


def stats(capabilities: Capabilities, *, now: datetime | None = None) -> StatsCall:
    """Check `stats`."""
    return StatsCall(*call_times(now, capabilities))


class ChangeCall(NamedTuple):
    """The checked arguments of `cancel`, `requeue` or `delete`."""

    filter: Filter
    limit: int
    now: datetime
    given: datetime | None


def change(filter: Filter, capabilities: Capabilities, *, limit: int, now: datetime | None = None) -> ChangeCall:
    """Check `cancel`, `requeue` or `delete`."""
    _check_filter(filter, capabilities)
    return ChangeCall(filter, validation.limit(limit), *call_times(now, capabilities))


class UpdateCall(NamedTuple):
    """The checked arguments of `update`. The `run_at` of the changes is rounded up."""

    filter: Filter
    changes: Changes
    limit: int
    now: datetime
    given: datetime | None


def update(
    filter: Filter, changes: Changes, capabilities: Capabilities, *, limit: int, now: datetime | None = None
) -> UpdateCall:
    """Check `update`."""
    _check_filter(filter, capabilities)
    if not isinstance(changes, Changes):
        raise InvalidArgument(f"changes is {safe_repr(changes)}; it must be Changes, e.g. Changes(priority=5)")
    if changes.run_at is not None:
        changes = replace(changes, run_at=rounded_up(changes.run_at, capabilities.time_precision))
    return UpdateCall(filter, changes, validation.limit(limit), *call_times(now, capabilities))


class PurgeCall(NamedTuple):
    """The checked arguments of `purge`. `since` is None without a lower bound, and `kinds` for any kind."""

    states: tuple[State, ...]
    since: datetime | None
    before: datetime
    limit: int
    kinds: tuple[str, ...] | None
    except_kinds: tuple[str, ...]

    def selects(self, kind: str, finished_at: datetime) -> bool:
        """Return whether the call deletes the record of a finished job."""
        if (self.since is not None and finished_at < self.since) or finished_at >= self.before:
            return False
        return (self.kinds is None or kind in self.kinds) and kind not in self.except_kinds


def purge(
    states: Sequence[State],
    capabilities: Capabilities,
    *,
    before: datetime,
    limit: int,
    since: datetime | None = None,
    kinds: Collection[str] | None = None,
    except_kinds: Collection[str] = (),
) -> PurgeCall:
    """Check `purge`. The states and kinds become distinct."""
    validation.final(states)
    limit = validation.limit(limit)
    before = rounded_up(validation.utc(before, "before"), capabilities.time_precision, "before")
    if since is not None:
        since = rounded_up(validation.utc(since, "since"), capabilities.time_precision, "since")
        validation.in_order(since, before, "since", "before")
    only = None if kinds is None else validation.names(kinds, "kinds")
    excluded = validation.names(except_kinds, "except_kinds")
    return PurgeCall(tuple(dict.fromkeys(map(State, states))), since, before, limit, only, excluded)


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
