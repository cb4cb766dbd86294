"""The tasks of the example project, as Django 6 defines them."""

from django.tasks import TaskContext, task


@task
def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


@task(queue_name="mail", priority=7, max_attempts=3)
async def send_mail(address: str) -> str:
    """Send a mail."""
    return f"sent to {address}"


@task(takes_context=True)
def divide(context: TaskContext, number: int) -> float:
    """Divide a number by the attempt less one."""
    earlier: int = context.attempt - 1
    return number / earlier
