"""The plugin author's manual: every hook that a Tallystick plugin can implement.

A plugin is a distribution with an entry point in the group `tallystick` that names a module (or object) with some of
these functions, each marked `@tallystick.hookimpl`:

    [project.entry-points.tallystick]
    acme = "tallystick_acme.plugin"

Each program that uses Tallystick imports this module, and the package that it is in. Import no driver there.

Hooks about jobs are called by the runner once for each *batch*, never for each job, and from the thread that did the
work: keep them short. What a hook raises is logged, and changes nothing for the job.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

from .backend import Backend
from .outcomes import Outcome
from .records import Claim, Inserted, Record

if TYPE_CHECKING:
    import typer

    from .context import Context

hookspec = pluggy.HookspecMarker("tallystick")
hookimpl = pluggy.HookimplMarker("tallystick")


@hookspec
def tallystick_backend() -> Mapping[str, str | type[Backend]]:  # type: ignore[empty-body]  # a specification has no body
    """Offer backends: URL scheme to class, as "module:Class". A scheme belongs to one distribution.

    The module is imported when a URL of that scheme is opened. A class works too, but then each program that uses
    Tallystick imports its driver.
    """


@hookspec
def tallystick_cli(app: "typer.Typer") -> None:
    """Add commands to the `tallystick` command line."""


@hookspec
def tallystick_enqueued(inserted: Sequence[Inserted]) -> None:
    """Observe an insert by a runner; a duplicate is the one with `created` false."""


@hookspec
def tallystick_claimed(records: Sequence[Record]) -> None:
    """Observe jobs that a runner claimed, before any of them is worked."""


@hookspec
def tallystick_work(ctx: "Context") -> Callable[[], None] | None:
    """Observe one job's work: called in the handler's thread or task just before it, and what is returned just after.

    This one hook is called for each job.
    """


@hookspec
def tallystick_settled(
    outcomes: Sequence[Outcome], records: Sequence[Record], exceptions: Sequence[BaseException | None]
) -> None:
    """Observe outcomes that the backend applied, each with the record as it was claimed, in one order.

    An exception is what ended the attempt, with its traceback; None where nothing was raised, as in a completion. Keep
    none of them: they hold all that the handler's frames hold. An implementation may take fewer of the arguments.

    Jobs that this runner's rescue discarded or cancelled are among them, each with its record after the rescue.
    """


@hookspec
def tallystick_lost(claims: Sequence[Claim]) -> None:
    """Observe claims that this runner no longer holds, each once, as soon as it learns so; a handler may still run."""
