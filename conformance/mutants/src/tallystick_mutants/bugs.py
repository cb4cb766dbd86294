"""Bugs that real queues shipped, by id, and the reasons why some of them are impossible under this contract."""

LISTED = {
    "A": (1, 2, 4, 5, 7, 8, 10, 11, 13),
    "B": (1, 2, 4, 5, 7, 8, 10, 11),
    "C": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16),
    "D": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16),
    "E": (1, 2, 4, 5, 7, 8, 10),
    "F": (1, 2, 4, 5, 7, 8),
    "G": (1, 2, 4, 5, 7, 8),
    "H": (1, 2, 4, 5),
    "I": (1, 2, 4, 5),
    "J": (1, 2, 4, 5, 7, 8),
    "K": (1, 2, 4),
    "L": (1, 2, 4, 5),
    "M": (1, 2, 4, 5, 7, 8, 10, 11, 13, 14),
    "N": (1, 2, 4, 5),
}
"""A: claims. B: time. C: payloads. D: fences. E: lists and counts. F: unique keys. G: order. H: batches. I: retention.
J: leases. K: numbers. L: setup and names. M: connections. N: crashes."""

IMPOSSIBLE = {
    "A10": "the contract has no groups of jobs that run one after another",
    "J5": "the runner decides when to call rescue, so no backend promises it",
    "M8": "SQLite reports a busy file as Unavailable, which the contract allows",
    "M11": "it needs a store of several servers",
    "N2": "a job is one record that changes in one step, and never moves between two places",
}
"""The listed bugs that no mutant can have, with the reason for each."""
