"""Names may have any printable characters, are stored exactly and are compared exactly."""

from tallystick import Filter, NewRecord

from ..harness.case import LEASE, NOW, Case, example

HOSTILE = (
    "'",
    '"',
    "`",
    "\\",
    "%",
    "_",
    "*",
    "?",
    ";",
    "$where",
    "a.b",
    "{}",
    "[1,2]",
    "NULL",
    "'; DROP TABLE jobs; --",
    '" OR ""="',
    "Robert'); DELETE FROM jobs WHERE ('1'='1",
    "%(name)s {0} $1 :name @name",
    "a:b/c?d#e&f=g",
    "{a,b}",
)

SIMILAR = (
    "a", "A", " a", "a ", "a\u0301", "\u00e1", "\u00c1", "ss", "\u00df", "I", "i", "\u0131", "\u0130", "\uff41",
    "1", "1.0", "01", "\U0001f600", "\U0001f601", "\u05d0\u05d1", "\u0639", "\u65e5\u672c",
)  # fmt: skip
"""Names that collations, case folding, trimming or normalization treat as equal."""

HEADS = ("n" * 63, "n" * 127, "n" * 191, "n" * 254, "\U0001f600" * 254)
ALIKE = tuple(f"{head}{last}" for head in HEADS for last in "ab")
"""Names that differ only after as many characters as stores have been seen to compare."""

LONG = ("n" * 255, "\u65e5" * 255, "\U0001f600" * 255)


@example("NAME-01")
def names_are_kept(case: Case) -> None:
    """Kind, queue, worker, unique key and tags are returned exactly as given."""
    for name in (*LONG, *SIMILAR, *HOSTILE):
        new = NewRecord(kind=name, queue=name, unique_key=name, tags=(name, "tag z", "tag a"))
        case.insert(new)
        record = case.only(case.backend.claim([name], limit=1, worker=name, lease=LEASE, now=NOW))
        case.equal(
            (name, name, name, name, (name, "tag z", "tag a")),
            (record.kind, record.queue, record.unique_key, record.worker, record.tags),
        )
        case.equal(record, case.stored(record))


@example("NAME-02")
def similar_names_are_distinct(case: Case) -> None:
    """Similar names are distinct kinds, queues, unique keys and tags in each query."""
    _require_distinct(case, SIMILAR)


@example("NAME-02")
def names_with_a_common_prefix_are_distinct(case: Case) -> None:
    """Names that differ only in their last character are distinct in each query."""
    _require_distinct(case, ALIKE)


@example("NAME-02")
def similar_names_are_distinct_keys_in_any_order(case: Case) -> None:
    """Similar names are distinct unique keys, in whichever order they are inserted."""
    for names in (SIMILAR, SIMILAR[::-1]):
        answers = case.backend.insert([NewRecord(kind="k", unique_key=name) for name in names], now=NOW)
        case.equal([], [name for name, answer in zip(names, answers, strict=True) if not answer.created])
        case.backend.delete(Filter(), limit=len(names))


@example("NAME-03")
def hostile_names_do_no_harm(case: Case) -> None:
    """A name with a meaning in a query language is stored and found as text, and does not affect another job."""
    bystander = case.insert(NewRecord(kind="bystander", queue="bystander"))[0]
    _require_distinct(case, HOSTILE)
    case.equal(bystander, case.stored(bystander))


def _require_distinct(case: Case, names: tuple[str, ...]) -> None:
    case.insert(*(NewRecord(kind=name, queue=name, unique_key=name, tags=(name,)) for name in names))
    for name in names:
        for filter in (Filter(kinds=[name]), Filter(queues=[name]), Filter(tags=[name])):
            found = case.backend.list(filter, limit=100)
            case.equal([name], [record.kind for record in found])
        case.backend.pause(name)
        case.equal([name], [queue.name for queue in case.backend.queues() if queue.paused])
        case.backend.resume(name)
        case.equal([name], [record.queue for record in case.claim(queues=[name])])
    stats = case.backend.stats(now=NOW)
    for name in names:
        case.equal((1, 1), (stats.by_kind.get(name), stats.by_queue[name].total if name in stats.by_queue else None))
