"""Stores that are opened again after all clients closed."""

from tallystick import Complete, NewRecord

from ..harness.case import LEASE, NOW, Case, example
from .registered import fill_registers


@example("DURABLE-01")
def a_store_opened_again_has_everything(case: Case) -> None:
    """After all clients close, a new client finds every record, queue, pause, claim, key and register unchanged."""
    waits = case.insert(NewRecord(kind="k", unique_key="waits", tags=("b", "a"), payload=b"\0\xff", run_at=LEASE))[0]
    running = case.running(queue="default", unique_key="runs")
    case.backend.settle([Complete(case.running(unique_key="kept", unique_until="purged").claim, b"")], now=NOW)
    case.backend.pause("paused")
    fill_registers(case.backend)
    before = case.contents()
    case.backend.close()
    again = case.client()
    case.equal(before, case.contents(again))
    held = again.insert([NewRecord(kind="k", unique_key=key) for key in ("waits", "runs", "kept")], now=NOW)
    case.equal([False] * 3, [answer.created for answer in held])
    case.equal([True], list(again.settle([Complete(running.claim)], now=NOW)))
    case.equal([waits.id], [r.id for r in again.claim(["default"], limit=9, worker="w", lease=LEASE, now=NOW + LEASE)])
