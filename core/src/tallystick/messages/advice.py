"""Suggestions for users of Celery, RQ, Huey, Dramatiq and dataclasses: the Tallystick equivalents of their words."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType

_ATTEMPTS = "max_attempts, which counts the first attempt too"
_POLICY = "retry=, with a policy: Exponential(...), Fixed(...), ByException({...}) or Never()"
_LATER = "run_at= when you enqueue: an aware datetime, or a timedelta as the delay"
_TIMEOUT = "timeout=timedelta(seconds=...)"
_EXPIRY = "nothing: jobs do not expire; a handler can raise DiscardJob if its job is too old"
_SCHEDULE = '@runner.schedule("*/5 * * * *") or @runner.schedule(every=timedelta(minutes=5)), above the job'
_RESULTS = "keep_completed= and keep_discarded=, which limit how long records are kept"

NEVER_FIELDS = {
    "retries": _ATTEMPTS,
    "max_retries": _ATTEMPTS,
    "max_tries": _ATTEMPTS,
    "autoretry_for": _POLICY,
    "retry_backoff": _POLICY,
    "retry_backoff_max": _POLICY,
    "retry_jitter": _POLICY,
    "retry_kwargs": _POLICY,
    "retry_policy": _POLICY,
    "default_retry_delay": _POLICY,
    "retry_delay": _POLICY,
    "min_backoff": _POLICY,
    "max_backoff": _POLICY,
    "time_limit": _TIMEOUT,
    "soft_time_limit": _TIMEOUT,
    "job_timeout": _TIMEOUT,
    "queue_name": "queue=",
    "routing_key": "queue=",
    "acks_late": "nothing: a job is acknowledged when its handler ends, and rescued if its worker dies",
    "rate_limit": "concurrency=, a setting of the runner",
    "ignore_result": "nothing: a handler that returns None stores no result",
    "store_results": _RESULTS,
    "result_ttl": "keep_result=timedelta(...), which limits how long the result can be read",
    "failure_ttl": _RESULTS,
    "bind": "nothing: every handler receives its context as the second argument",
}
"""Options of other libraries that are hardly ever the name of a payload's field."""

WORDS = NEVER_FIELDS | {
    "name": "the kind, as the first argument",
    "task_name": "the kind, as the first argument",
    "actor_name": "the kind, as the first argument",
    "delay": _LATER,
    "countdown": _LATER,
    "eta": _LATER,
    "when": _LATER,
    "expires": _EXPIRY,
    "expire": _EXPIRY,
    "ttl": _EXPIRY,
    "task_id": "id=, a uuid.UUID",
    "job_id": "id=, a uuid.UUID",
    "unique": 'unique_by=("user_id",), with the names of fields, or unique_key= when you enqueue',
    "unique_for": "unique_until=timedelta(...), with a unique_key",
    "debounce": 'on_conflict="debounce", with a unique_key and run_at',
    "throttle": "unique_until=timedelta(...), with a unique_key",
    "replace_existing": 'on_conflict="replace", with a unique_key',
    "args": "the payload: one value of any type",
    "kwargs": "the payload: one value of any type",
    "cron": _SCHEDULE,
    "crontab": _SCHEDULE,
    "schedule": _SCHEDULE,
    "every": _SCHEDULE,
    "interval": _SCHEDULE,
    "periodic": _SCHEDULE,
}

OF_ONE_JOB = ("run_at", "id", "unique_key", "transaction")
OF_A_KIND = (
    "retry",
    "timeout",
    "isolation",
    "memory_limit",
    "payload_version",
    "aliases",
    "unique_by",
    "keep_result",
    "keep_completed",
    "keep_discarded",
    "keep_cancelled",
)

CALLS = {
    "delay": "runner.enqueue({job})",
    "apply_async": "runner.enqueue({job}, run_at=...)",
    "apply": "runner.enqueue({job})",
    "send": "runner.enqueue({job})",
    "send_with_options": "runner.enqueue({job}, run_at=...)",
    "defer": "runner.enqueue({job})",
    "schedule": "runner.enqueue_in(timedelta(...), {job})",
    "s": "{job}",
    "si": "{job}",
    "signature": "{job}",
    "map": "runner.enqueue_batch([...])",
}
"""How other libraries enqueue a job, and the equivalent call here."""


SETTINGS = {
    "url": "backend",
    "broker": "backend",
    "database_url": "backend",
    "workers": "concurrency",
    "threads": "concurrency",
    "max_workers": "concurrency",
    "prefetch": "batch",
    "prefetch_count": "batch",
    "visibility_timeout": "lease",
    "poll_interval": "poll",
    "shutdown_timeout": "grace",
    "result_ttl": "keep_completed",
    "failure_ttl": "keep_discarded",
    "name": "worker",
    "retries": "max_attempts",
    "max_retries": "max_attempts",
    "max_tries": "max_attempts",
    "retry_policy": "retry",
    "retry_delay": "retry_base",
    "default_retry_delay": "retry_base",
    "job_timeout": "timeout",
    "time_limit": "timeout",
}
"""The names of settings in other libraries, and their names here."""


STATES = {
    **dict.fromkeys(("queued", "enqueued", "ready", "waiting", "scheduled", "deferred", "available"), "pending"),
    **dict.fromkeys(("active", "started", "executing", "in_progress"), "running"),
    **dict.fromkeys(("retry", "retryable", "failing"), "retrying"),
    **dict.fromkeys(("success", "succeeded", "successful", "done", "finished", "complete"), "completed"),
    **dict.fromkeys(("failed", "failure", "error", "dead", "errored"), "discarded"),
    **dict.fromkeys(("canceled", "revoked", "aborted"), "cancelled"),
}
"""The states of other libraries, and the nearest one here."""

_LONGEST = 100  # characters of a word that is compared


def near(word: object, known: Collection[str], elsewhere: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return "did you mean 'x'? " for the most similar name, or for its equivalent here; empty if there is none."""
    if not isinstance(word, str):
        return ""
    word = word[:_LONGEST]
    meant = elsewhere.get(word.lower()) or next(iter(get_close_matches(word, list(map(str, known)), n=1)), None)
    return f"did you mean {meant!r}? " if meant else ""


def unknown_fields(of: str, given: Collection[str], known: Collection[str]) -> str | None:
    """Return advice on a field that does not exist; None if all exist."""
    wrong = next((name for name in given if name not in known), None)
    return wrong and f"{of} has no field {wrong!r}; {near(wrong, known)}the fields are: {', '.join(known)}"


def unknown_setting(word: str, known: Collection[str], prefix: str = "") -> str:
    """Return advice on a setting that does not exist: the most similar name, and all valid names."""
    names = {name: f"{prefix}{name.upper()}" if prefix else name for name in known}
    close = [SETTINGS[word]] if word in SETTINGS else get_close_matches(word, known, n=1)
    meant = f"did you mean {names[close[0]]}? " if close else ""
    return f"{meant}the settings are: {', '.join(sorted(names.values()))}"


def unknown_option(word: str, known: Collection[str]) -> str:
    """Return advice on an option that does not exist: its replacement, and all valid options."""
    return f"{instead(word, known)}; the options are: {', '.join(sorted(known))}"


def instead(word: str, known: Collection[str]) -> str:
    """Return the replacement for an option that does not exist."""
    if word in OF_ONE_JOB:
        return f"{word} belongs to one job: pass it when you enqueue"
    if word in OF_A_KIND:
        return f'{word} belongs to the kind: @runner.job("kind", {word}=...)'
    if close := get_close_matches(word, known, n=1, cutoff=0.8):
        return f"did you mean {close[0]}="
    return f"write {WORDS[word]}" if word in WORDS else "it does not exist"
