"""The methods of a runner about schedules. `Runner` inherits them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from typing_extensions import Unpack

from ..async_bridge import async_variant
from ..contract.schedules import NewSchedule, Schedule
from ..jobs.declaration import Call, Declaration
from ..jobs.handle import Handle
from ..jobs.job_base import Job
from ..jobs.misuse import check_rule
from . import schedule_calls
from .declared_schedules import ScheduleOptions, job_of, new_schedule, to_store
from .lifecycle import Lifecycle

ScheduledT = TypeVar("ScheduledT", bound=Declaration[Any, Any] | type[Job[Any]])


class RunnerSchedules(Lifecycle):
    """Declares schedules, and reads and changes those in the store."""

    @overload
    def schedule(
        self, rule: str | None = None, *, payload: object = ..., **options: Unpack[ScheduleOptions]
    ) -> Callable[[ScheduledT], ScheduledT]: ...
    @overload
    def schedule(
        self, rule: str | None, job: Job[object] | Call[object], **options: Unpack[ScheduleOptions]
    ) -> None: ...
    def schedule(
        self, rule: str | None = None, job: Any = None, *, payload: Any = None, **options: Unpack[ScheduleOptions]
    ) -> Callable[[ScheduledT], ScheduledT] | None:
        """Declare a schedule, which enqueues a job at each of its ticks.

        Write `@runner.schedule("*/5 * * * *", zone="Europe/Berlin")` above `@runner.job(...)` or `@runner.register`, or
        call `runner.schedule(rule, job, name=...)` for a job with fields. The worker stores declared schedules when it
        starts. A later start changes a stored schedule only if its declaration in code has changed. A schedule that you
        remove from the code stays in the store: remove it there, too.

        Args:
            rule: A cron text such as "*/5 * * * *", "@daily", or "every 5 minutes". See `every`, too.
            job: The job to enqueue at each tick.
            payload: The payload for a decorated function; None by default.

        Raises:
            AlreadyStarted: the runner has started.
            DuplicateSchedule: another schedule has the same name.
            InvalidPayload: the payload does not validate.
            InvalidArgument: the rule is invalid or never fires, or an option is invalid.
            UnknownZone: the time zone is unknown.
        """
        if job is not None:
            self._declare(rule, *self._registry.resolve(job), options)
            return None
        check_rule(rule)

        def declare(scheduled: ScheduledT) -> ScheduledT:
            self._declare(rule, *self._registry.resolve(job_of(scheduled, payload)), options)
            return scheduled

        return declare

    def _declare(
        self, rule: str | None, definition: Declaration[Any, Any], payload: Any, options: ScheduleOptions
    ) -> None:
        schedule = new_schedule(definition, self._settings, definition.encode(payload), rule, options)
        self._declared.add(schedule, definition, closed=self._registry.closed)

    def put_schedule(
        self,
        rule: str | NewSchedule | None,
        job: Job[object] | Call[object] | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """Store a schedule now, or change the stored one of the same name. Use it for schedules that users create.

        Args:
            rule: As for `schedule`, or a `NewSchedule` with an encoded payload in place of all arguments.
        """
        if isinstance(rule, NewSchedule):
            schedule = rule
        else:
            definition, payload = self._registry.resolve(job)  # type: ignore[arg-type]  # None is reported
            schedule = new_schedule(definition, self._settings, definition.encode(payload), rule, options)
        [stored] = self.backend.put_schedules([to_store(schedule, self._settings)])
        self._worker.look_at_schedules()
        return stored

    aput_schedule = async_variant(put_schedule)

    def schedules(self) -> Sequence[Schedule]:
        """Return all stored schedules, sorted by name, including those that other programs stored."""
        return self.backend.schedules()

    aschedules = async_variant(schedules)

    def pause_schedule(self, name: str) -> Schedule:
        """Pause a schedule, so that no tick fires until you resume it. Repeat: harmless.

        Raises:
            ScheduleNotFound: no schedule has this name.
        """
        return schedule_calls.pause(self.backend, name)

    apause_schedule = async_variant(pause_schedule)

    def resume_schedule(self, name: str) -> Schedule:
        """Resume a schedule with its next tick after now. Ticks during the pause do not fire. Repeat: harmless.

        Raises:
            ScheduleNotFound: no schedule has this name.
        """
        schedule = schedule_calls.resume(self.backend, name)
        self._worker.look_at_schedules()
        return schedule

    aresume_schedule = async_variant(resume_schedule)

    def remove_schedule(self, name: str) -> bool:
        """Remove a schedule from the store; return False if there is none. Its jobs stay."""
        return schedule_calls.remove(self.backend, name)

    aremove_schedule = async_variant(remove_schedule)

    def run_schedule(self, name: str) -> Handle[Any]:
        """Enqueue a job of a schedule now, in addition to those of its ticks, even if the schedule is paused.

        Raises:
            ScheduleNotFound: no schedule has this name.
        """
        inserted = schedule_calls.run_now(self.backend, name)
        self._observers.enqueued([inserted])
        return Handle.of(inserted)

    arun_schedule = async_variant(run_schedule)
