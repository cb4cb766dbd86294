"""taskiq's broker in memory, which begins each job at its enqueue."""

import asyncio
from time import monotonic

from taskiq import InMemoryBroker


def alone(jobs: int, pings: int) -> dict[str, object]:
    """Do each work in this process. Enqueue and drain are one work."""
    broker = InMemoryBroker(max_async_tasks=500)
    latencies: list[float] = []

    @broker.task
    async def noop(n: int) -> None:
        """Do nothing."""

    @broker.task
    async def latency(sent: float) -> None:
        latencies.append(monotonic() - sent)

    async def run() -> float:
        await broker.startup()
        began = monotonic()
        for n in range(jobs):
            await noop.kiq(n)
        await broker.wait_all()
        elapsed = monotonic() - began
        for _ in range(pings):
            await asyncio.sleep(0.02)
            await latency.kiq(monotonic())
        await broker.wait_all()
        await broker.shutdown()
        return elapsed

    return {"drain": asyncio.run(run()), "latencies": latencies}
