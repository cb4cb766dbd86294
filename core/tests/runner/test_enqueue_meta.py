"""Text that a job carries, set at enqueue or by its kind."""

from collections.abc import Mapping

import pytest
from tallystick import Context, Enqueue, InvalidArgument, Job, Meta, MetaTooLarge, Runner

from ..helpers import LONG


class Bill(Job[dict[str, str]]):
    """A job with meta of its kind."""

    kind = "bill"
    meta = Meta({"team": "billing"})

    def work(self, ctx: Context) -> dict[str, str]:
        """Return the meta."""
        return dict(ctx.meta)


@pytest.fixture
def billing(runner: Runner) -> Runner:
    """Return a runner that has the job registered."""
    runner.register(Bill)
    return runner


def metas(runner: Runner, *jobs: Bill | Enqueue[dict[str, str]], **options: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the stored meta of the jobs of a batch."""
    return [dict(handle.record.meta) for handle in runner.enqueue_batch(jobs, **options)]  # type: ignore[arg-type]


def test_a_handler_reads_its_meta(billing: Runner) -> None:
    """The meta of an enqueue reaches the handler as `ctx.meta`."""
    handle = billing.enqueue(Bill(), meta={"trace": "7"})
    billing.start()
    assert billing.result(handle, timeout=LONG) == {"trace": "7"}


def test_meta_comes_from_the_item_or_the_batch_or_the_kind(billing: Runner) -> None:
    """The meta of an item replaces that of its batch, which replaces that of the kind."""
    assert metas(billing, Bill()) == [{"team": "billing"}]
    items = Bill(), Enqueue(Bill(), meta={"item": "1"})
    assert metas(billing, *items, meta={"batch": "1"}) == [{"batch": "1"}, {"item": "1"}]
    assert metas(billing, Enqueue(Bill(), meta={})) == [{}]


def test_invalid_meta_is_rejected_at_the_enqueue(billing: Runner) -> None:
    """Meta that is no text, or too large, is a typed error at the call, and nothing is stored."""
    with pytest.raises(InvalidArgument, match=r"meta\['n'\] is 1; it must be a string"):
        billing.enqueue(Bill(), meta={"n": 1})  # type: ignore[dict-item]
    with pytest.raises(MetaTooLarge, match="bytes as JSON"):
        billing.enqueue(Bill(), meta={"n": "x" * 5_000})
    assert billing.backend.stats().total == 0


def test_invalid_meta_of_a_kind_is_rejected_at_its_definition(runner: Runner) -> None:
    """The meta of a kind is checked when the kind is defined."""
    with pytest.raises(InvalidArgument, match="meta is 'x'; it must be a mapping"):
        runner.job("a", meta="x")  # type: ignore[arg-type]
