"""Background jobs on the database you already have. Start at `Runner` and `Job`; backend authors at `Backend`.

Names that need pydantic or the runner are imported on first use, because the command line shows its help without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from . import diagnostics, forks, urls
from ._version import __version__
from .async_bridge import on_calling_loop
from .contract import validation
from .contract.attempt_errors import ERRORS_KEPT, AttemptError
from .contract.backend import CONTRACT_VERSION, Backend
from .contract.changes import Changes
from .contract.failure import LEASE_EXPIRED, Failure
from .contract.filters import Filter, Order
from .contract.meta import NO_META, Meta
from .contract.outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from .contract.progress import PROGRESS_LENGTH, Progress
from .contract.progress_report import ProgressReport
from .contract.records import (
    Capabilities,
    Claim,
    Hold,
    Inserted,
    NewRecord,
    OnConflict,
    Queue,
    QueueStats,
    Record,
    Stats,
    UniqueUntil,
)
from .contract.registers import LONGEST_TTL, METERS_KEPT, WORKERS_KEPT, Beat, Meter, MeterDelta, Running, WorkerInfo
from .contract.schedules import Advance, Due, NewSchedule, Rule, Schedule, due_ticks, parse_rule, tick_id
from .contract.state import CLAIMABLE, FINAL, TRANSITIONS, State, Transition
from .diagnostics import Finding, Severity
from .errors import (
    AlreadyStarted,
    BackendError,
    CalledFromInside,
    ChildError,
    ClaimLost,
    Closed,
    ConfigurationError,
    ContractMismatch,
    DefinitionError,
    DuplicateKind,
    DuplicateSchedule,
    ForeignStore,
    InvalidArgument,
    InvalidPayload,
    InvalidResult,
    JobCancelled,
    JobDiscarded,
    JobNotFound,
    MetaTooLarge,
    NoCurrentRunner,
    NoSuchMethod,
    NotFinished,
    NotSetUp,
    OutcomeUnknown,
    PayloadTooLarge,
    PluginConflict,
    ProcessCrashed,
    ResultError,
    ResultExpired,
    ScheduleNotFound,
    TallystickError,
    Unavailable,
    UnknownKind,
    UnknownScheme,
    UnknownZone,
    Unsupported,
)
from .hooks.hookspecs import hookimpl
from .hooks.plugins import open_backend
from .urls import BackendUrl
from .user_warnings import BlockingCallWarning, KindFormatWarning, TallystickWarning

if TYPE_CHECKING:
    from . import backends
    from .config.payload_codec import PayloadCodec
    from .config.settings import Settings
    from .jobs.batch_definition import BatchDefinition
    from .jobs.context import Context, Stop
    from .jobs.control import DiscardJob, Snooze, Stopped
    from .jobs.declaration import Call, Declaration
    from .jobs.define import batch, declare, handles, job, raw
    from .jobs.definition import Definition
    from .jobs.handle import Handle
    from .jobs.job_base import Job
    from .jobs.options import Options
    from .jobs.retry import ByException, Exponential, Fixed, Never, RetryPolicy
    from .jobs.unique_by import UniqueBy
    from .runner.enqueueing import BatchOptions, Enqueue, EnqueueOptions
    from .runner.job_result import JobResult, Status
    from .runner.loading import load_runner
    from .runner.runner import Runner
    from .runner.throughput import Rate, Throughput
    from .worker import Snapshot

__all__ = [
    "CLAIMABLE",
    "CONTRACT_VERSION",
    "ERRORS_KEPT",
    "FINAL",
    "LEASE_EXPIRED",
    "LONGEST_TTL",
    "METERS_KEPT",
    "NO_META",
    "PROGRESS_LENGTH",
    "TRANSITIONS",
    "WORKERS_KEPT",
    "Advance",
    "AlreadyStarted",
    "AttemptError",
    "Backend",
    "BackendError",
    "BackendUrl",
    "BatchDefinition",
    "BatchOptions",
    "Beat",
    "BlockingCallWarning",
    "ByException",
    "Call",
    "CalledFromInside",
    "Cancel",
    "Capabilities",
    "Changes",
    "ChildError",
    "Claim",
    "ClaimLost",
    "Closed",
    "Complete",
    "ConfigurationError",
    "Context",
    "ContractMismatch",
    "Declaration",
    "Definition",
    "DefinitionError",
    "Discard",
    "DiscardJob",
    "Due",
    "DuplicateKind",
    "DuplicateSchedule",
    "Enqueue",
    "EnqueueOptions",
    "Exponential",
    "Failure",
    "Filter",
    "Finding",
    "Fixed",
    "ForeignStore",
    "Handle",
    "Hold",
    "Inserted",
    "InvalidArgument",
    "InvalidPayload",
    "InvalidResult",
    "Job",
    "JobCancelled",
    "JobDiscarded",
    "JobNotFound",
    "JobResult",
    "KindFormatWarning",
    "Meta",
    "MetaTooLarge",
    "Meter",
    "MeterDelta",
    "Never",
    "NewRecord",
    "NewSchedule",
    "NoCurrentRunner",
    "NoSuchMethod",
    "NotFinished",
    "NotSetUp",
    "OnConflict",
    "Options",
    "Order",
    "Outcome",
    "OutcomeUnknown",
    "PayloadCodec",
    "PayloadTooLarge",
    "PluginConflict",
    "ProcessCrashed",
    "Progress",
    "ProgressReport",
    "Queue",
    "QueueStats",
    "Rate",
    "Record",
    "Release",
    "ResultError",
    "ResultExpired",
    "Retry",
    "RetryPolicy",
    "Rule",
    "Runner",
    "Running",
    "Schedule",
    "ScheduleNotFound",
    "Settings",
    "Severity",
    "Snapshot",
    "Snooze",
    "State",
    "Stats",
    "Status",
    "Stop",
    "Stopped",
    "TallystickError",
    "TallystickWarning",
    "Throughput",
    "Transition",
    "Unavailable",
    "UniqueBy",
    "UniqueUntil",
    "UnknownKind",
    "UnknownScheme",
    "UnknownZone",
    "Unsupported",
    "WorkerInfo",
    "__version__",
    "backends",
    "batch",
    "declare",
    "diagnostics",
    "due_ticks",
    "forks",
    "handles",
    "hookimpl",
    "job",
    "load_runner",
    "on_calling_loop",
    "open_backend",
    "parse_rule",
    "raw",
    "tick_id",
    "urls",
    "validation",
]

_MODULES = {
    "config.payload_codec": ("PayloadCodec",),
    "config.settings": ("Settings",),
    "jobs.batch_definition": ("BatchDefinition",),
    "jobs.context": ("Context", "Stop"),
    "jobs.control": ("DiscardJob", "Snooze", "Stopped"),
    "jobs.declaration": ("Call", "Declaration"),
    "jobs.define": ("batch", "declare", "handles", "job", "raw"),
    "jobs.definition": ("Definition",),
    "jobs.handle": ("Handle",),
    "jobs.job_base": ("Job",),
    "jobs.options": ("Options",),
    "jobs.retry": ("ByException", "Exponential", "Fixed", "Never", "RetryPolicy"),
    "jobs.unique_by": ("UniqueBy",),
    "runner.enqueueing": ("BatchOptions", "Enqueue", "EnqueueOptions"),
    "runner.job_result": ("JobResult", "Status"),
    "runner.loading": ("load_runner",),
    "runner.runner": ("Runner",),
    "runner.throughput": ("Rate", "Throughput"),
    "worker": ("Snapshot",),
}


if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> object:
        if name == "backends":
            return import_module(f"{__name__}.{name}")
        for module, names in _MODULES.items():
            if name in names:
                globals()[name] = value = getattr(import_module(f"{__name__}.{module}"), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
