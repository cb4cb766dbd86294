"""Background jobs on the database you already have. Start at `Runner` and `Job`; backend authors at `Backend`."""

from . import backends, diagnostics, forks, urls, validation
from .async_bridge import on_calling_loop
from .attempt_errors import ERRORS_KEPT, AttemptError
from .backend import CONTRACT_VERSION, Backend
from .batch_definition import BatchDefinition
from .changes import Changes
from .context import Context, Stop
from .control import DiscardJob, Snooze, Stopped
from .declaration import Call, Declaration
from .define import batch, declare, handles, job, raw
from .definition import Definition
from .diagnostics import Finding, Severity
from .enqueueing import BatchOptions, Enqueue, EnqueueOptions
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
from .failure import LEASE_EXPIRED, Failure
from .filters import Filter, Order
from .handle import Handle
from .hookspecs import hookimpl
from .job_base import Job
from .job_result import JobResult, Status
from .loading import load_runner
from .meta import NO_META, Meta
from .options import Options
from .outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from .payload_codec import PayloadCodec
from .plugins import open_backend
from .progress import PROGRESS_LENGTH, Progress
from .progress_report import ProgressReport
from .records import (
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
from .registers import METERS_KEPT, WORKERS_KEPT, Beat, Meter, MeterDelta, Running, WorkerInfo
from .retry import ByException, Exponential, Fixed, Never, RetryPolicy
from .runner import Runner
from .schedules import Advance, Due, NewSchedule, Rule, Schedule, due_ticks, parse_rule, tick_id
from .settings import Settings
from .state import CLAIMABLE, FINAL, TRANSITIONS, State, Transition
from .throughput import Throughput
from .unique_by import UniqueBy
from .urls import BackendUrl
from .user_warnings import BlockingCallWarning, KindFormatWarning, TallystickWarning
from .worker import Snapshot

__all__ = [
    "CLAIMABLE",
    "CONTRACT_VERSION",
    "ERRORS_KEPT",
    "FINAL",
    "LEASE_EXPIRED",
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
