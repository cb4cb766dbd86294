"""Numbers, times and problems in the words of the reader's language."""

import re
from datetime import datetime, timedelta
from gettext import NullTranslations

from tallystick import State, UniqueUntil

from ..control.counts import JobCount
from ..control.health import Trouble
from ..control.overview import Overview, ProblemDocument
from ..rejections import Rejection
from .german_rules import german

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SPACE = "\N{NO-BREAK SPACE}"


class Words:
    """Formats values for people."""

    def __init__(self, translations: NullTranslations, language: str) -> None:
        self._ = translations.gettext
        self._n = translations.ngettext
        self._language = language

    def number(self, value: float) -> str:
        """Return a whole number with separators."""
        text = f"{value:,.0f}"
        return text.replace(",", ".") if self._language == "de" else text

    def decimal(self, value: float, digits: int = 1) -> str:
        """Return a number with decimals."""
        text = f"{value:,.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if self._language == "de" else text

    def percent(self, share: float) -> str:
        """Return a share in percent: few digits, and never 0 for a share above zero."""
        if 0 < share < 0.001:  # the smallest share with one digit
            return f"<{self.decimal(0.1)}{_SPACE}%"
        return self.decimal(100 * share, 0 if share >= 0.1 or share == 0 else 1) + f"{_SPACE}%"

    def capped(self, count: int, complete: bool) -> str:
        """Return a count that may have stopped early: 1,000+."""
        return self.number(count) + ("" if complete else "+")

    def counted(self, jobs: JobCount) -> str:
        """Return a `JobCount`: 1,000+."""
        return self.capped(jobs.count, jobs.complete)

    def span(self, seconds: float) -> str:
        """Return a length of time in its largest unit: 12 ms, 1.5 s, 5 min, 2 h, 3 d."""
        seconds = max(seconds, 0.0)
        if seconds < 1:
            return f"{seconds * 1_000:.0f}{_SPACE}ms"
        if seconds < 10:  # one digit is useful below ten seconds
            return f"{self.decimal(seconds)}{_SPACE}s"
        for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
            if seconds >= size:
                return f"{int(seconds // size)}{_SPACE}{unit}"
        return f"{int(seconds)}{_SPACE}s"

    def lasting(self, delta: timedelta) -> str:
        """Return a timedelta as `span` does."""
        return self.span(delta.total_seconds())

    def held(self, until: UniqueUntil) -> str:
        """Return how long a job holds its unique key."""
        if isinstance(until, timedelta):
            return self._("for %(span)s from its creation") % {"span": self.lasting(until)}
        match until:
            case "started":
                return self._("until it is started")
            case "finished":
                return self._("until it has finished")
            case "purged":
                return self._("until it is purged")

    def relative(self, moment: datetime, now: datetime) -> str:
        """Return a time relative to now: in 5 min, 2 h ago, now."""
        seconds = (moment - now).total_seconds()
        if abs(seconds) < 1:
            return self._("now")
        if seconds > 0:
            return self._("in %(span)s") % {"span": self._whole(seconds)}
        return self._("%(span)s ago") % {"span": self._whole(-seconds)}

    def _whole(self, seconds: float) -> str:
        return self.span(max(1.0, float(int(seconds)))).replace(".0", "").replace(",0", "")

    def rule(self, english: str) -> str:
        """Return the words of a schedule's rule. English ones stay if a phrase has no translation."""
        words = german(english) if self._language == "de" else None
        return words or english

    def rejection(self, rejection: Rejection) -> str:
        """Return the message of a rejection as a sentence, without the detail."""
        text = rejection.translated(self._)
        return text[:1].upper() + text[1:]

    def action(self, text: str) -> str:
        """Return an action of the audit log, which may have values behind its name."""
        if bulk := re.fullmatch(r"bulk (\w+) \((\w+)\)", text):
            return self._("bulk action %(action)s (%(state)s)") % {
                "action": self._actions()[bulk[1]],
                "state": self._states()[bulk[2]],
            }
        name = max((name for name in self._actions() if f"{text} ".startswith(f"{name} ")), key=len, default="")
        return self._actions().get(name, "") + text[len(name) :]

    def _actions(self) -> dict[str, str]:
        return {
            "requeue": self._("requeue"),
            "cancel": self._("cancel"),
            "delete": self._("delete"),
            "update": self._("update"),
            "enqueue": self._("enqueue"),
            "run again": self._("run again"),
            "queues": self._("change queues"),
            "pause queue": self._("pause queue"),
            "resume queue": self._("resume queue"),
            "schedules": self._("change schedules"),
            "add schedule": self._("add schedule"),
            "edit schedule": self._("edit schedule"),
            "pause schedule": self._("pause schedule"),
            "resume schedule": self._("resume schedule"),
            "run schedule": self._("run schedule"),
            "remove schedule": self._("remove schedule"),
        }

    def _states(self) -> dict[str, str]:
        return {"done": self._("done"), "stopped": self._("stopped"), "failed": self._("failed")}

    def headline(self, overview: Overview) -> str:
        """Return the first line of the overview: whether all is well, or the most urgent problem."""
        grave = [problem for problem in overview.problems if problem.grave]
        if grave:
            first = self.problem(grave[0])
            others = len(grave) - 1
            more = self._n("%(n)s more problem", "%(n)s more problems", others) % {"n": self.number(others)}
            return f"{first} ({more})" if others else first
        if overview.idle and not any(jobs.count for jobs in overview.by_state.values()):
            return self._("No jobs yet.")
        if overview.idle:
            return self._("All is quiet: no job waits, and no worker runs.")
        running = overview.by_state[State.RUNNING]
        active = sum(worker.state == "active" for worker in overview.workers)
        workers = self._n("%(n)s worker", "%(n)s workers", active) % {"n": self.number(active)}
        jobs = self._jobs(running)
        return self._("All is well: %(workers)s active, %(jobs)s running.") % {"workers": workers, "jobs": jobs}

    def problem(self, problem: ProblemDocument) -> str:
        """Return the sentence of a problem."""
        values = {
            "name": problem.name,
            "age": self.span(problem.age),
            "rate": self.percent(problem.rate),
            "usual": self.percent(problem.usual),
            "jobs": self._jobs(problem.jobs),
        }
        return self._problem_text(problem.trouble) % values

    def _jobs(self, jobs: JobCount) -> str:
        return self._n("%(n)s job", "%(n)s jobs", jobs.count) % {"n": self.counted(jobs)}

    def _problem_text(self, trouble: Trouble) -> str:
        match trouble:
            case Trouble.UNWORKED:
                return self._("No worker serves the queue %(name)s: %(jobs)s due, the oldest since %(age)s.")
            case Trouble.LATE:
                return self._("The queue %(name)s is late: %(jobs)s due, the oldest since %(age)s.")
            case Trouble.LOST_WORKER:
                return self._("The worker %(name)s is gone: last seen %(age)s ago, with %(jobs)s running.")
            case Trouble.FAILING:
                return self._("The queue %(name)s fails more than usual: %(rate)s of attempts, usually %(usual)s.")
            case Trouble.LATE_SCHEDULE:
                return self._("The schedule %(name)s is late: its tick was due %(age)s ago.")
            case Trouble.PAUSED:
                return self._("The queue %(name)s is paused: %(jobs)s due.")
