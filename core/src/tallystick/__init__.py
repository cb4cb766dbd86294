"""Background jobs on the database you already have. Start at `Runner` and `Job`; backend authors at `Backend`."""

from . import backends, diagnostics, forks, urls, validation
from .async_bridge import on_calling_loop
from .backend import CONTRACT_VERSION, Backend
from .context import Context, Stop
from .control import DiscardJob, Snooze, Stopped
from .definition import Call, Definition
from .diagnostics import Finding, Severity
from .enqueueing import Enqueue
from .errors import (
    AlreadyStarted,
    BackendError,
    CalledFromInside,
    ClaimLost,
    Closed,
    ConfigurationError,
    ContractMismatch,
    DefinitionError,
    DuplicateKind,
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
    ResultError,
    TallystickError,
    Unavailable,
    UnknownKind,
    UnknownScheme,
    Unsupported,
)
from .failure import LEASE_EXPIRED, AttemptError, Failure
from .filters import Changes, Filter, Order
from .handle import Handle
from .hookspecs import hookimpl
from .job import Job
from .meta import NO_META, Meta
from .options import Options
from .outcomes import Cancel, Complete, Discard, Outcome, Release, Retry
from .plugins import open_backend
from .records import Capabilities, Claim, Hold, Inserted, NewRecord, Queue, QueueStats, Record, Stats
from .retry import ByException, Exponential, Fixed, Never, RetryPolicy
from .runner import Runner
from .settings import Settings
from .state import CLAIMABLE, FINAL, TRANSITIONS, State, Transition
from .urls import BackendUrl
from .worker import Snapshot

__all__ = [
    "CLAIMABLE",
    "CONTRACT_VERSION",
    "FINAL",
    "LEASE_EXPIRED",
    "NO_META",
    "TRANSITIONS",
    "AlreadyStarted",
    "AttemptError",
    "Backend",
    "BackendError",
    "BackendUrl",
    "ByException",
    "Call",
    "CalledFromInside",
    "Cancel",
    "Capabilities",
    "Changes",
    "Claim",
    "ClaimLost",
    "Closed",
    "Complete",
    "ConfigurationError",
    "Context",
    "ContractMismatch",
    "Definition",
    "DefinitionError",
    "Discard",
    "DiscardJob",
    "DuplicateKind",
    "Enqueue",
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
    "Meta",
    "MetaTooLarge",
    "Never",
    "NewRecord",
    "NoCurrentRunner",
    "NoSuchMethod",
    "NotFinished",
    "NotSetUp",
    "Options",
    "Order",
    "Outcome",
    "OutcomeUnknown",
    "PayloadTooLarge",
    "PluginConflict",
    "Queue",
    "QueueStats",
    "Record",
    "Release",
    "ResultError",
    "Retry",
    "RetryPolicy",
    "Runner",
    "Settings",
    "Severity",
    "Snapshot",
    "Snooze",
    "State",
    "Stats",
    "Stop",
    "Stopped",
    "TallystickError",
    "Transition",
    "Unavailable",
    "UnknownKind",
    "UnknownScheme",
    "Unsupported",
    "backends",
    "diagnostics",
    "forks",
    "hookimpl",
    "on_calling_loop",
    "open_backend",
    "urls",
    "validation",
]
