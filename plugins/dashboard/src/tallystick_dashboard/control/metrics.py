"""The numbers of a store in Prometheus' text format, version 0.0.4."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from threading import Lock

from tallystick import LEASE_EXPIRED, Filter, Rate

from .counts import MOST_COUNTED, count
from .plane import ControlPlane
from .rates import floor
from .snapshots import MINUTE, MOST_DUE, StoreSnapshot

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SETTLED = timedelta(minutes=1)
"""Workers send the numbers of a minute up to this long after its end."""

_OUTCOMES = ("completed", "retried", "discarded", "released", "cancelled")

Labels = dict[str, str]
Sample = tuple[Labels, float]


class Counters:
    """Attempts since the start of this process, by queue and kind. Prometheus expects counters that only rise."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until: datetime | None = None
        self._sums: dict[tuple[str, str], Rate] = {}

    def advance(self, plane: ControlPlane, now: datetime) -> dict[tuple[str, str], Rate]:
        """Add the minutes that have ended since the last call, and return the sums."""
        with self._lock:
            until = floor(now - _SETTLED, MINUTE)
            if self._until is None:
                self._until = until
            if until > self._until:
                for meter in plane.backend.meters(self._until, until, step=MINUTE):
                    key = (meter.queue, meter.kind)
                    self._sums[key] = self._sums.get(key, Rate()).plus(Rate(*meter[3:]))
                self._until = until
            return dict(self._sums)


def render(plane: ControlPlane, counters: Counters) -> str:
    """Return the metrics of a store."""
    snapshot = plane.snapshot()
    lost = plane.shared.get("lost leases", lambda: count(plane.backend, Filter(error_types=[LEASE_EXPIRED.type]))).count
    lines: list[str] = []
    for name, kind, help_text, samples in (*_gauges(snapshot), *_counters(counters.advance(plane, snapshot.at))):
        lines += _metric(name, kind, help_text, samples)
    lines += _metric("lost_leases", "gauge", "Jobs whose last error is a lost lease, up to 1,000.", [({}, lost)])
    return "\n".join(lines) + "\n"


Metric = tuple[str, str, str, list[Sample]]


def _gauges(snapshot: StoreSnapshot) -> Iterable[Metric]:
    queues = snapshot.queues.items()
    jobs = [({"queue": n, "state": state}, float(jobs.count)) for n, q in queues for state, jobs in q.by_state.items()]
    yield "jobs", "gauge", f"Jobs by queue and state, up to {MOST_COUNTED:,}.", jobs
    due = [({"queue": name}, float(queue.due.count)) for name, queue in queues]
    yield "queue_due", "gauge", f"Due jobs, up to {MOST_DUE}.", due
    ages = [({"queue": name}, _age(queue.oldest_due, snapshot.at)) for name, queue in queues]
    yield "queue_oldest_due_age_seconds", "gauge", "Age of the oldest due job; zero if none is due.", ages
    yield "queue_paused", "gauge", "1 if the queue is paused.", [({"queue": n}, float(q.paused)) for n, q in queues]
    alive = sum(worker.is_alive(snapshot.at) for worker in snapshot.workers)
    states = [({"state": "alive"}, float(alive)), ({"state": "lost"}, float(len(snapshot.workers) - alive))]
    yield "workers", "gauge", "Workers by state.", states
    late = [
        ({"schedule": s.name}, _age(s.next_tick, snapshot.at))
        for s in snapshot.schedules
        if s.next_tick and not s.paused
    ]
    yield "schedule_late_seconds", "gauge", "How late the next tick is.", late


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else max((now - moment).total_seconds(), 0.0)


def _counters(sums: dict[tuple[str, str], Rate]) -> Iterable[Metric]:
    items = sorted(sums.items())
    attempts = [
        ({"queue": queue, "kind": kind, "outcome": outcome}, float(getattr(rate, outcome)))
        for (queue, kind), rate in items
        for outcome in _OUTCOMES
    ]
    yield "attempts_total", "counter", "Attempts since the start of the dashboard, by outcome.", attempts
    for name, field in (
        ("waiting", "time from run_at to the claim"),
        ("running", "time from the claim to the outcome"),
    ):
        seconds = [
            ({"queue": queue, "kind": kind}, getattr(rate, name).total_seconds()) for (queue, kind), rate in items
        ]
        yield f"{name}_seconds_total", "counter", f"Sum of the {field}.", seconds


def _metric(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> list[str]:
    full = f"tallystick_{name}"
    lines = [f"# HELP {full} {help_text}", f"# TYPE {full} {kind}"]
    for labels, value in samples:
        inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(f"{full}{{{inner}}} {value:.15g}" if inner else f"{full} {value:.15g}")
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
