"""Metrics for Prometheus: `runner.add_hooks(Prometheus())`. Needs the extra `prometheus`."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from time import perf_counter

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from .. import Claim, Context, Inserted, Outcome, Record, hookimpl

_LABELS = ("queue", "kind")
_RUN_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800)
_WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 1_800, 3_600, 21_600)


class Prometheus:
    """Counts jobs and attempts, and times handlers and waits, by queue and kind. Create one for each registry.

    Args:
        registry: Where to register the metrics; by default the registry that `start_http_server` serves.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._enqueued = Counter(
            "tallystick_jobs_enqueued", "Jobs that this process enqueued.", _LABELS, registry=registry
        )
        self._attempts = Counter(
            "tallystick_attempts", "Attempts that ended, by outcome.", (*_LABELS, "outcome"), registry=registry
        )
        self._lost = Counter("tallystick_claims_lost", "Claims that this process lost.", registry=registry)
        self._running = Gauge(
            "tallystick_handlers_running",
            "Handlers that run now.",
            _LABELS,
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._run = Histogram(
            "tallystick_handler_seconds", "How long handlers ran.", _LABELS, registry=registry, buckets=_RUN_BUCKETS
        )
        self._wait = Histogram(
            "tallystick_wait_seconds",
            "How long jobs waited from their due time to the claim.",
            _LABELS,
            registry=registry,
            buckets=_WAIT_BUCKETS,
        )

    @hookimpl
    def tallystick_enqueued(self, inserted: Sequence[Inserted]) -> None:
        """Count the new jobs."""
        for item in inserted:
            if item.created:
                self._enqueued.labels(item.record.queue, item.record.kind).inc()

    @hookimpl
    def tallystick_claimed(self, records: Sequence[Record]) -> None:
        """Observe how long the jobs waited."""
        for record in records:
            if record.attempted_at is not None:
                waited = max(record.attempted_at - record.run_at, timedelta(0))
                self._wait.labels(record.queue, record.kind).observe(waited.total_seconds())

    @hookimpl
    def tallystick_work(self, ctx: Context) -> Callable[[], None]:
        """Count a running handler. The returned function observes how long it ran."""
        running, began = self._running.labels(ctx.queue, ctx.kind), perf_counter()
        running.inc()

        def end() -> None:
            running.dec()
            self._run.labels(ctx.queue, ctx.kind).observe(perf_counter() - began)

        return end

    @hookimpl
    def tallystick_settled(self, outcomes: Sequence[Outcome], records: Sequence[Record]) -> None:
        """Count the outcomes."""
        for outcome, record in zip(outcomes, records, strict=True):
            self._attempts.labels(record.queue, record.kind, type(outcome).__name__.lower()).inc()

    @hookimpl
    def tallystick_lost(self, claims: Sequence[Claim]) -> None:
        """Count the lost claims."""
        self._lost.inc(len(claims))
