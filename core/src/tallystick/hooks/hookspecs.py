"""The hooks that a Tallystick plugin can implement.

A plugin is a distribution with an entry point in the group `tallystick`:

    [project.entry-points.tallystick]
    acme = "tallystick_acme.plugin"

The entry point names a module (or object) that implements some of these functions. Mark each with
`@tallystick.hookimpl`. Every program that uses Tallystick imports this module and its package, and so does
`tallystick --help`. So do not import a database driver, pydantic or `Runner` there: import them in the functions.

`runner.add_hooks(plugin)` adds such a module or object to one runner, without a distribution. It cannot have the first
two hooks, which register backends and commands.

The runner calls a hook about jobs once for each *batch* of jobs, from the thread that processed the batch. Keep these
hooks short. If a hook raises an exception, the runner logs it, and the jobs are not affected.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from ..contract.backend import Backend
from ..contract.outcomes import Outcome
from ..contract.records import Claim, Inserted, NewRecord, Record

if TYPE_CHECKING:
    import typer

    from ..jobs.context import Context

hookspec = pluggy.HookspecMarker("tallystick")
hookimpl = pluggy.HookimplMarker("tallystick")


@hookspec
def tallystick_backend() -> Mapping[str, str | type[Backend]]:  # type: ignore[empty-body]  # a specification has no body
    """Register backends: return a mapping of URL scheme to class, as "module:Class".

    Only one installed distribution may register a scheme. Tallystick imports the module when you open a URL with this
    scheme. You can also return the class itself, but then every program that uses Tallystick imports its driver.
    """


@hookspec
def tallystick_cli(app: "typer.Typer") -> None:
    """Add commands to the `tallystick` command line."""


@hookspec
def tallystick_meta(records: Sequence[NewRecord]) -> Sequence[Mapping[str, str]]:  # type: ignore[empty-body]
    """Return text to add to the `meta` of each job, before a runner inserts the jobs, such as the context of a trace.

    The answer has one mapping for each record, in the same order. Keys that the job already has are not replaced. If a
    meta would be too large, its job is inserted without the addition, and the error is logged.
    """


@hookspec
def tallystick_call(name: str, queues: Sequence[str]) -> Callable[[], None] | None:
    """Observe one call to the store. You may return a function, which the runner calls after the call.

    The runner calls both in the thread that makes the call. In the returned function, `sys.exception()` is the
    exception that is leaving the call, or None.

    Args:
        name: `insert`, `claim` or `settle`.
        queues: The queues of the jobs; for a claim, those that it may take jobs from.
    """


@hookspec
def tallystick_enqueued(inserted: Sequence[Inserted]) -> None:
    """Observe an insert by a runner. Duplicates have `created` set to False, and `applied` if the insert changed them.

    The store inserts the jobs of schedules, so this hook does not report them. `tallystick_claimed` does.
    """


@hookspec
def tallystick_claimed(records: Sequence[Record]) -> None:
    """Observe jobs that a runner claimed, before it starts any of them."""


@hookspec
def tallystick_work(ctx: "Context") -> Callable[[], None] | None:
    """Observe one attempt. You may return a function, which the runner calls after the handler.

    The runner calls both in the thread or task of the handler, directly before and after it. It calls the functions of
    several plugins in reverse order. Unlike the other hooks, this one is called for each job. In the returned function,
    `sys.exception()` is the exception that is leaving the handler, or None. For a job of a batch, it is the exception
    that the handler raised or returned for this job.
    """


@hookspec
def tallystick_settled(
    outcomes: Sequence[Outcome], records: Sequence[Record], exceptions: Sequence[BaseException | None]
) -> None:
    """Observe outcomes that the backend applied, with the claimed record and the exception of each, in the same order.

    The exception ended the attempt, and has its traceback. It is None if the handler raised nothing. Do not keep
    exceptions: they keep all variables of the handler's frames alive. Your implementation may omit arguments that it
    does not use.

    The outcomes include jobs that a rescue by this runner retried, discarded or cancelled, and waiting jobs that its
    `cancel` ended. Their records show the job afterwards.
    """


@hookspec
def tallystick_lost(claims: Sequence[Claim]) -> None:
    """Observe claims that this runner lost. Each is reported once, and its handler may still be running."""
