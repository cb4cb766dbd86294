from cost import ledger
from cost.ledger import Key

STATEMENTS, WAL = Key("postgres", "claim", "statements"), Key("postgres", "claim", "wal_bytes")


def test_the_latest_number_of_each_cost_is_in_force() -> None:
    """An appended entry replaces the numbers that it names, and keeps the others."""
    first = ledger.entry({STATEMENTS: 10, WAL: 500_000}, "The first measurement.")
    second = ledger.entry({WAL: 400_000}, 'A column is gone: "worker".')
    listed = ledger.changes(first + second)
    assert [change.reason for change in listed] == ["The first measurement.", 'A column is gone: "worker".']
    assert ledger.in_force(listed) == {STATEMENTS: 10, WAL: 400_000}


def test_a_cost_that_rose_or_fell_differs() -> None:
    """A count must be equal, and other costs must be within their tolerance, in both directions."""
    recorded = {STATEMENTS: 10, WAL: 500_000}
    assert not ledger.differences({STATEMENTS: 10, WAL: 505_000}, recorded)
    for changed in ({STATEMENTS: 11}, {STATEMENTS: 9}, {WAL: 505_001}, {WAL: 494_999}):
        assert ledger.differences(changed, recorded) == changed


def test_a_cost_that_is_not_recorded_differs() -> None:
    """A new phase or unit must be recorded."""
    assert ledger.differences({STATEMENTS: 10}, {}) == {STATEMENTS: 10}


def test_each_difference_is_described_by_both_numbers() -> None:
    """A failure shows the name of the cost, the direction, and both numbers."""
    assert [*ledger.described({STATEMENTS: 11, WAL: 400_000}, {STATEMENTS: 10, WAL: 500_000})] == [
        "postgres.claim.statements rose from 10 to 11",
        "postgres.claim.wal_bytes fell from 500,000 to 400,000",
    ]
