"""Words that people bring from other job systems: the command line understands them, or suggests ours.

A word with exactly our meaning is understood, and a note names our word. A word whose meaning differs, such as Celery's
`purge`, is an error with a suggestion: a command that deletes jobs must not guess.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ..contract.state import State

_COMMANDS: dict[tuple[str, str], str] = {
    ("jobs", "retry"): "requeue",
    ("jobs", "rerun"): "requeue",
    ("jobs", "ls"): "list",
    ("jobs", "get"): "show",
    ("jobs", "revoke"): "cancel",
    ("jobs", "rm"): "delete",
    ("queues", "ls"): "list",
    ("queues", "unpause"): "resume",
    ("schedules", "ls"): "list",
    ("schedules", "rm"): "remove",
    ("schedules", "unpause"): "resume",
    ("schedules", "trigger"): "run",
    ("tallystick", "enqueue"): "run",
    ("tallystick", "job"): "jobs",
    ("tallystick", "queue"): "queues",
    ("tallystick", "schedule"): "schedules",
    ("tallystick", "migrate"): "setup",
    ("tallystick", "benchmark"): "bench",
}

_LIST, _FAILED = "tallystick jobs list", "tallystick jobs list --state discarded"
_REQUEUE, _PURGE = "tallystick jobs requeue --state discarded", "tallystick jobs delete --state pending --queue QUEUE"
_WORKER = "tallystick worker MODULE:RUNNER"
_EXPORT, _IMPORT = "tallystick jobs export > FILE", "tallystick jobs import FILE"

_HINTS: dict[str, Mapping[str, str]] = {
    "tallystick": {
        **dict.fromkeys(("retry", "requeue"), _REQUEUE),
        **dict.fromkeys(("failed", "failures", "dead"), _FAILED),
        **dict.fromkeys(("list", "ls", "tasks", "task"), _LIST),
        **dict.fromkeys(("purge", "flush", "clear", "empty"), _PURGE),
        **dict.fromkeys(("start", "work", "consumer", "consume", "serve", "process"), _WORKER),
        **dict.fromkeys(("beat", "scheduler", "cron"), f"{_WORKER}; each worker also enqueues scheduled jobs"),
        **dict.fromkeys(("status", "info", "inspect"), "tallystick stats, or tallystick workers"),
        **dict.fromkeys(("monitor", "web", "ui", "flower", "events"), "tallystick dashboard, or tallystick top"),
        **dict.fromkeys(("cancel", "revoke", "abort"), "tallystick jobs cancel ID"),
        **dict.fromkeys(("pause", "suspend"), "tallystick queues pause QUEUE"),
        **dict.fromkeys(("resume", "unpause"), "tallystick queues resume QUEUE"),
        **dict.fromkeys(("export", "dump", "backup", "dumpdata"), _EXPORT),
        **dict.fromkeys(("import", "load", "restore", "loaddata"), _IMPORT),
        **dict.fromkeys(("call", "defer", "delay", "send"), "tallystick run KIND --payload JSON"),
        **dict.fromkeys(("schema", "initdb", "install"), "tallystick setup"),
        **dict.fromkeys(("healthcheck", "healthchecks", "check", "ping"), "tallystick doctor"),
        "show": "tallystick jobs show ID",
        "version": "tallystick --version",
        "help": "tallystick --help",
        "dashboard": 'pip install "tallystick[dashboard]" first',
        "top": 'pip install "tallystick[top]" first',
        "conform": 'pip install "tallystick[conformance]" first',
    },
    "jobs": {
        **dict.fromkeys(("failed", "failures", "dead"), _FAILED),
        **dict.fromkeys(("purge", "flush", "clear", "empty"), _PURGE),
        **dict.fromkeys(("abort", "stop", "kill"), "tallystick jobs cancel ID"),
        **dict.fromkeys(("inspect", "info", "status"), "tallystick jobs show ID"),
        **dict.fromkeys(("reschedule", "edit", "set", "move"), "tallystick jobs update ID --set-run-at 15m"),
        **dict.fromkeys(("enqueue", "add", "create", "run", "new"), "tallystick run KIND --payload JSON"),
        **dict.fromkeys(("dump", "backup"), _EXPORT),
        **dict.fromkeys(("load", "restore"), _IMPORT),
        "watch": f"{_LIST} --watch",
    },
    "queues": {
        **dict.fromkeys(("purge", "flush", "clear", "empty"), _PURGE),
        **dict.fromkeys(("stats", "info", "status"), "tallystick stats"),
        **dict.fromkeys(("stop", "suspend"), "tallystick queues pause QUEUE"),
        "start": "tallystick queues resume QUEUE",
    },
    "schedules": dict.fromkeys(
        ("add", "create", "new"), "@runner.schedule(...) in your code; a worker stores the schedule when it starts"
    ),
}

_RUNNER = "the name of the runner, without an option: tallystick worker MODULE:RUNNER"

_FILTERS: Mapping[str, str] = {
    **dict.fromkeys(("--status", "--failed", "--filter"), "--state STATE, e.g. --state discarded"),
    **dict.fromkeys(("--name", "--task", "--type"), "--kind KIND"),
    **dict.fromkeys(("--error", "--exception"), "--error-type TYPE, or --error-text TEXT"),
    "--since": "--created-since 2h, or --finished-since 2h",
}

_OPTIONS: dict[str, Mapping[str, str]] = {
    "tallystick": {"-A": _RUNNER, "--app": _RUNNER, "-V": "--version", "-v": "--version"},
    "worker": {
        **dict.fromkeys(("-A", "--app"), _RUNNER),
        **dict.fromkeys(("-Q", "-q"), "--queue QUEUE"),
        **dict.fromkeys(("-c", "-t", "--threads"), "--concurrency N"),
        **dict.fromkeys(("-w", "--workers", "-p"), "--processes N, or --concurrency N for the threads of one process"),
        **dict.fromkeys(("-l", "--loglevel", "--verbose", "-v"), "--log-level LEVEL"),
        **dict.fromkeys(("-n", "--hostname", "--name"), "--worker NAME"),
        **dict.fromkeys(("-B", "--beat", "--with-scheduler"), "no option; each worker also enqueues scheduled jobs"),
        **dict.fromkeys(("-P", "--pool"), "no option; async handlers run on an event loop, and others in threads"),
        **dict.fromkeys(("--max-tasks-per-child", "--max-requests"), "--max-jobs N"),
        "--max-memory-per-child": "--max-memory MIB",
        "--url": "--backend URL",
    },
    **dict.fromkeys(("run", "show"), dict.fromkeys(("-A", "--app"), "--runner MODULE:RUNNER")),
    "list": {
        **_FILTERS,
        **dict.fromkeys(("--format", "-o", "--output"), "--json"),
        **dict.fromkeys(("-w", "-f", "--follow"), "--watch"),
        **dict.fromkeys(("-n", "--count"), "--limit N"),
        "--sort": "--order ORDER",
        "--all": "--limit N, as high as you like: pages are printed as they are read",
    },
    **dict.fromkeys(("count", "cancel", "requeue", "delete", "update"), _FILTERS),
}
STATES: Mapping[str, State] = MappingProxyType(
    dict.fromkeys(("failed", "failure", "dead"), State.DISCARDED)
    | dict.fromkeys(("success", "succeeded", "successful", "done"), State.COMPLETED)
    | dict.fromkeys(("started", "executing", "active", "doing"), State.RUNNING)
    | dict.fromkeys(("retry", "retryable"), State.RETRYING)
    | dict.fromkeys(("canceled", "revoked", "aborted"), State.CANCELLED)
)
"""Words for exactly one of our states."""

STATE_HINTS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        ("queued", "enqueued", "available", "ready", "waiting", "todo", "scheduled", "deferred"),
        "pending, which holds jobs that are due and jobs that are due later",
    )
    | {
        "finished": "completed, discarded and cancelled: repeat --state",
        "error": "discarded, or retrying for jobs with attempts left",
    }
)
"""Words for a part of one of our states, or for several."""


def command_for(group: str, word: str) -> str | None:
    """Return our command with exactly the meaning of a word."""
    return _COMMANDS.get((group, word))


def command_hint(group: str, word: str) -> str | None:
    """Return a suggestion for a word that is no command of a group."""
    return _HINTS.get(group, {}).get(word)


def option_hint(command: str, option: str) -> str | None:
    """Return a suggestion for an option that a command does not have."""
    return _OPTIONS.get(command, {}).get(option)
