"""The async task of the clauses. A backend without `supports_async_task` rejects this module when it is imported."""

import asyncio

from django.tasks import task


@task
async def echo_later(value: object) -> object:
    """Return the argument after a step of the event loop."""
    await asyncio.sleep(0)
    return value
