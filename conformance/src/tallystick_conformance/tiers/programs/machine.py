"""The Hypothesis state machine of generated programs: it draws calls, and makes them on a backend and on the model."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, assert_never
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tallystick import (
    AttemptError,
    Cancel,
    Changes,
    Claim,
    Complete,
    Discard,
    Failure,
    Filter,
    NewRecord,
    Order,
    Outcome,
    Progress,
    ProgressReport,
    Record,
    Release,
    Retry,
    State,
)

from ...contract.eligibility import CLAIMABLE, FINAL, is_eligible, page_place
from ...subject.target import Target
from . import strategies
from .chores import Chores
from .crowd import Crowd, crowds, run_crowd
from .differential import Pair
from .judge import Judge, Unarmed
from .strategies import IDS, Change, Chore, Draft, Ending, Grip, Moment, Policy, Range, Step, Whole

STARTS = {"2001": datetime(2001, 1, 1, tzinfo=UTC), "2077": datetime(2077, 1, 1, tzinfo=UTC)}
"""The starts of the virtual clock; a backend that uses its own clock cannot be near both."""


def _guarded(method: Callable[..., None]) -> Callable[..., None]:
    """End the program when the backend and the model differ under a clause that is not armed."""

    @wraps(method)
    def rule_method(self: "Machine", *args: Any, **kwargs: Any) -> None:
        if not self.over:
            try:
                with self._pair.judging_errors():
                    method(self, *args, **kwargs)
            except Unarmed:
                self.over = True

    return rule_method


class Machine(RuleBasedStateMachine):
    """One program on one fresh store. If `over` is true from the start, it makes no calls."""

    def __init__(
        self, target: Target, judge: Judge, start: datetime, *, crowds: bool = True, over: bool = False
    ) -> None:
        super().__init__()
        self.over = over
        self.now = start
        self._has_crowd = crowds
        self._stack = ExitStack()
        if over:
            return
        _, backend = self._stack.enter_context(target.fresh())
        judge.steps.clear()
        self._tick = backend.capabilities.time_precision
        self._pair = Pair(backend, judge)
        self._chores = Chores(self._pair)

    def teardown(self) -> None:
        """Remove the store."""
        self._stack.close()

    @initialize(stock=strategies.stocks, crowd=crowds)
    @_guarded
    def begin(self, stock: list[Draft], crowd: Crowd | None) -> None:
        """Start with some jobs, so that every program has jobs to work on; sometimes run a crowd before."""
        if crowd is not None and self._has_crowd:
            run_crowd(crowd, self._pair, self.now)
        self._pair.insert([self._new(draft) for draft in stock], now=self.now)

    @rule(stock=strategies.stocks)
    @_guarded
    def refill(self, stock: list[Draft]) -> None:
        """Resume all paused queues, and insert many jobs."""
        for queue in self._pair.model.queues():
            if queue.paused:
                self._pair.resume(queue.name)
        self._pair.insert([self._new(draft) for draft in stock], now=self.now)

    @rule(batch=strategies.batches, now=strategies.clock_steps, policy=st.none() | strategies.changing_policies)
    @_guarded
    def insert(self, batch: list[Draft], now: Moment, policy: Policy | None) -> None:
        """Insert new jobs, some with ids and keys that are already stored. With a policy, the first meets a holder."""
        self._move(now)
        if policy is not None:
            batch[0] = self._meeting(batch[0], policy)
        self._pair.insert([self._new(draft) for draft in batch], now=self.now)

    def _meeting(self, draft: Draft, policy: Policy) -> Draft:
        """Return the draft with a new id, and the key and kind of a holder. If possible, retry one, and meet that."""
        if running := [record for record in self._holders() if record.state is State.RUNNING]:
            self._pair.settle([Retry(running[0].claim, timedelta(0), Failure("Error", ""))], now=self.now)
        holders = self._holders()
        holders = [record for record in holders if record.state is State.RETRYING] or holders
        slots = [slot for slot, id in enumerate(IDS) if id not in self._pair.model.records]
        if not holders or not slots:
            return draft
        holder, slot = holders[draft.slot % len(holders)], slots[draft.slot % len(slots)]
        return draft._replace(slot=slot, kind=holder.kind, unique_key=holder.unique_key, policy=policy)

    def _holders(self) -> list[Record]:
        """Return the jobs that hold a unique key."""
        model = self._pair.model
        keys = sorted({record.unique_key for record in model.records.values() if record.unique_key is not None})
        return [holder for key in keys if (holder := model.holder(key, self.now)) is not None]

    @rule(queues=strategies.queue_lists, limit=strategies.limits, worker=st.sampled_from(strategies.WORKERS),
          lease=strategies.leases, now=strategies.due_moments)  # fmt: skip
    @_guarded
    def claim(self, queues: list[str], limit: int, worker: str, lease: timedelta, now: Moment) -> None:
        """Claim, sometimes at the edge of a due time."""
        self._move(now)
        self._pair.claim(queues, limit=limit, worker=worker, lease=lease, now=self.now)

    @rule(
        limit=strategies.limits,
        endings=st.lists(strategies.endings, min_size=1, max_size=5),
        now=strategies.clock_steps,
    )
    @_guarded
    def work(self, limit: int, endings: list[Ending], now: Moment) -> None:
        """Claim and settle in one step, so that many jobs finish."""
        self._begin_attempts(limit, timedelta(seconds=10), now)
        self._pair.settle(self._outcomes(endings), now=self.now)

    @rule(limit=strategies.limits, lease=strategies.leases, now=strategies.clock_steps, later=strategies.lease_moments,
          grips=st.lists(strategies.grips, min_size=1, max_size=3))  # fmt: skip
    @_guarded
    def hold(self, limit: int, lease: timedelta, now: Moment, later: Moment, grips: list[Grip]) -> None:
        """Claim and extend in one go, so that there is something to hold."""
        self._begin_attempts(limit, timedelta(seconds=30), now)
        self._move(later)
        self._pair.extend(self._claims(grips), lease=lease, now=self.now)

    @rule(
        grips=st.lists(strategies.grips, min_size=1, max_size=5), lease=strategies.leases, now=strategies.lease_moments
    )
    @_guarded
    def extend(self, grips: list[Grip], lease: timedelta, now: Moment) -> None:
        """Extend claims that are current, stale, repeated or unknown."""
        self._move(now)
        self._pair.extend(self._claims(grips), lease=lease, now=self.now)

    @rule(
        steps=st.lists(strategies.steps, min_size=1, max_size=3),
        ending=st.none() | strategies.endings,
        now=strategies.clock_steps,
    )
    @_guarded
    def report(self, steps: list[Step], ending: Ending | None, now: Moment) -> None:
        """Report the progress of claims that are current, stale, repeated or unknown; sometimes then end one."""
        if not self._pair.model.running():
            self._begin_attempts(1, timedelta(seconds=30), now)
        claims = self._claims([step.grip for step in steps])
        reports = [ProgressReport(claim, *step[1:]) for claim, step in zip(claims, steps, strict=False)]
        self._pair.report_progress(reports, now=self.now)
        if ending is not None:
            self._pair.sweep(self.now)
            self._pair.settle(self._outcomes([ending]), now=self.now)

    @rule(endings=st.lists(strategies.endings, min_size=1, max_size=5), now=strategies.clock_steps)
    @_guarded
    def settle(self, endings: list[Ending], now: Moment) -> None:
        """Settle claims that are current, stale, repeated or unknown."""
        self._move(now)
        self._pair.settle(self._outcomes(endings), now=self.now)

    @rule(limit=strategies.limits, now=strategies.lease_moments, flag=st.sampled_from([False, False, True]))
    @_guarded
    def rescue(self, limit: int, now: Moment, flag: bool) -> None:
        """Rescue, sometimes at the edge of a lease, and sometimes jobs with a requested cancellation."""
        if not self._pair.model.running():
            self._begin_attempts(limit, timedelta(seconds=30), Moment("now", 0, 0, 0))
        if flag:
            self._pair.cancel(Filter(states=[State.RUNNING]), limit=1, now=self.now)
            self._pair.sweep(self.now)
        self._move(now)
        self._pair.rescue(limit=limit, now=self.now)

    @rule(filter=strategies.filters, limit=strategies.limits, now=strategies.clock_steps)
    @_guarded
    def cancel(self, filter: Filter, limit: int, now: Moment) -> None:
        """Cancel by a filter."""
        self._move(now)
        self._pair.cancel(filter, limit=limit, now=self.now)

    @rule(limit=strategies.limits, endings=st.lists(strategies.endings, max_size=2), now=strategies.clock_steps)
    @_guarded
    def flag(self, limit: int, endings: list[Ending], now: Moment) -> None:
        """Cancel running jobs, and settle some of them."""
        self._move(now)
        self._pair.cancel(Filter(states=[State.RUNNING]), limit=limit, now=self.now)
        self._pair.sweep(self.now)
        self._pair.settle(self._outcomes(endings), now=self.now)

    @rule(filter=strategies.wide_filters, limit=strategies.limits, now=strategies.clock_steps)
    @_guarded
    def requeue(self, filter: Filter, limit: int, now: Moment) -> None:
        """Requeue by a filter."""
        self._move(now)
        self._pair.requeue(filter, limit=limit, now=self.now)

    @rule(filter=strategies.filters, limit=st.sampled_from([1, 2]))
    @_guarded
    def delete(self, filter: Filter, limit: int) -> None:
        """Delete by a filter."""
        self._pair.delete(filter, limit=limit)

    @rule(
        states=strategies.final_states,
        before=strategies.finish_moments,
        limit=strategies.limits,
        kinds=strategies.purged_kinds,
        since=st.none() | st.none() | strategies.finish_moments,
    )
    @_guarded
    def purge(
        self, states: list[State], before: Moment, limit: int, kinds: dict[str, Any], since: Moment | None
    ) -> None:
        """Purge, sometimes at the edge of a finish time, and sometimes only some kinds."""
        end = self._at(before)
        selection = kinds if since is None else {**kinds, "since": min(self._at(since), end)}
        self._pair.purge(states, before=end, limit=limit, **selection)

    @rule(
        filter=strategies.wide_filters,
        change=strategies.changes,
        limit=strategies.limits,
    )
    @_guarded
    def update(self, filter: Filter, change: Change, limit: int) -> None:
        """Change waiting jobs."""
        fields: dict[str, Any] = change._asdict()
        changes = Changes(**{**fields, "run_at": None if change.run_at is None else self._at(change.run_at)})
        self._pair.update(filter, changes, limit=limit, now=self.now)

    @rule(batch=strategies.wholes, first=strategies.first_states, now=strategies.clock_steps)
    @_guarded
    def restore(self, batch: list[Whole], first: State, now: Moment) -> None:
        """Restore records in one state after another, some with ids that are already stored."""
        self._move(now)
        states = [*State, *State][list(State).index(first) :]
        records: list[Record] = []
        for whole, state in zip(batch, states, strict=False):
            taken = self._pair.model.records.keys() | {record.id for record in records}
            record = self._whole(whole, state, [id for id in IDS if id not in taken])
            if self._pair.model.copy().restore([*records, record], self.now) is None:  # its key is held
                record = record._replace(unique_key=None)
            records.append(record)
        self._pair.restore(records, now=self.now)

    def _whole(self, whole: Whole, state: State, free: list[UUID]) -> Record:
        draft, created, ended = whole.draft, self._at(whole.created), self._at(whole.ended)
        run_at, began = self._when(draft.at), state is not State.PENDING
        errors = tuple(AttemptError(n, ended, Failure("Error", str(n))) for n in range(whole.errors * began))
        return Record(
            id=free[draft.slot % len(free)] if free and whole.fresh else IDS[draft.slot],
            kind=draft.kind,
            queue=draft.queue,
            payload=draft.payload,
            priority=draft.priority,
            state=state,
            attempt=whole.attempt * began,
            max_attempts=draft.max_attempts,
            run_at=run_at if isinstance(run_at, datetime) else created + (run_at or timedelta(0)),
            created_at=created,
            updated_at=ended,
            attempted_at=ended if began else None,
            finished_at=ended if state in FINAL else None,
            lease_until=ended + timedelta(seconds=30) if state is State.RUNNING else None,
            worker=strategies.WORKERS[whole.flag] if began else None,
            cancel_requested=whole.flag and state not in CLAIMABLE,
            unique_key=draft.unique_key,
            unique_until=draft.unique_until,
            last_error=errors[-1].error if errors else None,
            result=draft.payload if state is State.COMPLETED else None,
            tags=draft.tags,
            meta=draft.meta,
            errors=errors,
            progress=Progress(0.5, "half", ended) if began and whole.flag else None,
        )

    @rule(chores=st.lists(strategies.chores, min_size=1, max_size=4))
    @_guarded
    def tend(self, chores: list[Chore]) -> None:
        """Make calls about schedules, workers and meters."""
        for chore in chores:
            self._move(chore.at)
            self._chores.do(chore, self.now)
            self._pair.sweep(self.now)

    @rule(queue=st.sampled_from(strategies.QUEUES), pause=st.sampled_from([False, False, False, True]))
    @_guarded
    def switch(self, queue: str, pause: bool) -> None:
        """Pause or resume a queue."""
        (self._pair.pause if pause else self._pair.resume)(queue)

    @rule(slots=st.lists(strategies.slots, max_size=5))
    @_guarded
    def get(self, slots: list[int]) -> None:
        """Get by ids, some of them unknown or repeated."""
        self._pair.get([IDS[slot] for slot in slots])

    @rule(filter=strategies.filters, limit=strategies.limits, after=st.none() | strategies.slots)
    @_guarded
    def page(self, filter: Filter, limit: int, after: int | None) -> None:
        """List one page."""
        self._pair.page(filter, limit=limit, after=None if after is None else IDS[after])

    @rule(
        filter=strategies.filters,
        range=strategies.ranges,
        order=strategies.orders,
        limit=strategies.limits,
        after=st.none() | strategies.slots,
    )
    @_guarded
    def view(self, filter: Filter, range: Range | None, order: Order, limit: int, after: int | None) -> None:
        """List one page in an order, and count the matching records."""
        filter = filter if range is None else self._within(filter, range)
        records = sorted(self._pair.model.records.values())
        places = [page_place(record, order) for record in records if getattr(record, order) is not None]
        place = places[after % len(places)] if after is not None and places else None
        self._pair.page_by(filter, limit=limit, order=order, after=place)
        self._pair.count(filter, at_most=limit)

    def _within(self, filter: Filter, range: Range) -> Filter:
        since = None if range.since is None else self._at(range.since)
        until = None if range.until is None else self._at(range.until)
        if since is not None and until is not None:
            since, until = min(since, until), max(since, until)
        fields: dict[str, Any] = {f"{range.of}_since": since, f"{range.of}_until": until}
        return replace(filter, **fields)

    @invariant()
    @_guarded
    def sides_agree(self) -> None:
        """The store holds what the model holds."""
        self._pair.sweep(self.now)
        self._chores.sweep()

    def _begin_attempts(self, limit: int, lease: timedelta, now: Moment) -> None:
        """Claim from every queue; if nothing is due yet, move the clock to the next due time."""
        self._move(now)
        model = self._pair.model
        if not model.due(strategies.QUEUES, self.now):
            waiting = [record.run_at for record in model.records.values() if is_eligible("claim", record)]
            self.now = min(waiting, default=self.now)
        self._pair.claim(strategies.QUEUES, limit=limit, worker="w3", lease=lease, now=self.now)
        self._pair.sweep(self.now)

    def _move(self, moment: Moment) -> None:
        self.now = self._at(moment)

    def _at(self, moment: Moment) -> datetime:
        anchor = self.now
        if moment.anchor != "now":
            records = sorted(self._pair.model.records.values())
            anchors = [at for record in records if (at := getattr(record, moment.anchor)) is not None]
            anchor = anchors[moment.slot % len(anchors)] if anchors else self.now
        return anchor + moment.ticks * self._tick + timedelta(seconds=moment.seconds)

    def _when(self, at: Moment | timedelta | None) -> datetime | timedelta | None:
        return self._at(at) if isinstance(at, Moment) else at

    def _new(self, draft: Draft) -> NewRecord:
        fields: dict[str, Any] = draft._asdict()
        policy = fields.pop("policy")
        if draft.unique_key is not None:
            fields.update(policy._asdict())
        return NewRecord(id=IDS[fields.pop("slot")], run_at=self._when(fields.pop("at")), **fields)

    def _claims(self, grips: list[Grip]) -> list[Claim]:
        """Convert grips to claims, each of the next job, so that few claims repeat.

        If no job runs, omit the grips of running jobs except the first.
        """
        records = self._pair.model.records
        running = sorted(record.id for record in self._pair.model.running())
        claims = []
        for place, grip in enumerate(grips):
            ids = running if running and grip.running else IDS
            id = ids[(grip.slot + place) % len(ids)]
            if not place or running or not grip.running:
                claims.append(Claim(id, max(0, (records[id].attempt if id in records else 1) + grip.lag)))
        return claims

    def _outcomes(self, endings: list[Ending]) -> list[Outcome]:
        claims = self._claims([ending.grip for ending in endings])
        return [self._outcome(ending, claim) for ending, claim in zip(endings, claims, strict=False)]

    def _outcome(self, ending: Ending, claim: Claim) -> Outcome:
        error = Failure("Error", ending.text)
        match ending.by:
            case "complete":
                return Complete(claim, ending.text.encode() or None)
            case "retry":
                run_at = self._when(ending.at)
                return Retry(claim, self.now if run_at is None else run_at, error)
            case "discard":
                return Discard(claim, error)
            case "release":
                return Release(claim, self._when(ending.at))
            case "cancel":
                return Cancel(claim)
            case _:
                assert_never(ending.by)
