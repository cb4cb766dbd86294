"""Payloads, results and failures are opaque and stored exactly."""

from tallystick import Claim, Complete, Discard, Failure, Filter, NewRecord, PayloadTooLarge, Retry

from ..harness.case import LEASE, NOW, Case, example
from .restore import whole

BYTES = (
    b"",
    b"\x00",
    b"a\x00b\x00",
    b"trailing zeros\x00\x00",
    b" \t\r\n ",
    bytes(range(256)),
    b"\xff\xfe\xfa invalid UTF-8 \xc3\x28",
    b"\xed\xa0\x80 a surrogate in UTF-8",
    b"\xef\xbb\xbf{}",
    b"null",
    b'"text"',
    b'{"b": 1, "a": 1.0, "a": 2}',
    b'{"lone": "\\ud800", "nul": "\\u0000"}',
    b'{"int": 9007199254740993, "big": 123456789012345678901234567890, "exp": 1e400}',
    b"[NaN, Infinity, -0.0]",
    b'{"$set": {"a.b": 1}, "": 0, ".": "$where"}',
    b"\\x00\\000\\N\\.",
    b"'; DROP TABLE jobs; --",
    bytes(range(256)) * 4096,
)
"""Values that stores have been seen to reject, truncate or change. The last is 1 MiB."""

_LARGE = 4 * 1024 * 1024
_BATCH = 20 * 1024 * 1024
"""Bytes of a batch: more than fits into one MongoDB document."""

TEXTS = (
    "",
    "a\x00b",
    "\ud800 alone, \udfff too",
    "\U0001f600 é e\u0301 \u202e \u2028 \ufeff \ufffe",
    "line\r\nline\rline\n\ttab",
    " \n spaces around it \t ",
    "\\u0000 \\x00 %s {} $1 ? :name ''",
    "$state",
    "$$NOW",
    "x" * 32_000,
)


@example("PAYLOAD-01")
def payloads_are_kept(case: Case) -> None:
    """insert, get and claim return each payload unchanged, in a batch with others."""
    maximum = case.capabilities.max_payload_bytes
    new = [NewRecord(kind="k", payload=payload) for payload in BYTES if len(payload) <= maximum]
    answered = {record.id: record.payload for record in case.insert(*new)}
    got = {id: record.payload for id, record in case.backend.get([record.id for record in new]).items()}
    claimed = {record.id: record.payload for record in case.claim()}
    for record in new:
        for payloads in (answered, got, claimed):
            case.equal(record.payload, payloads.get(record.id))


@example("PAYLOAD-02")
def results_are_kept(case: Case) -> None:
    """`get` returns each result unchanged. An empty result is not None."""
    results = [None, *(result for result in BYTES if len(result) <= case.capabilities.max_payload_bytes)]
    case.insert(*(NewRecord(kind="k") for _ in results))
    claims = [record.claim for record in case.claim()]
    case.backend.settle([Complete(claim, result) for claim, result in zip(claims, results, strict=True)], now=NOW)
    stored = case.backend.get([claim.id for claim in claims])
    for claim, result in zip(claims, results, strict=True):
        case.equal(result, stored[claim.id].result)


@example("PAYLOAD-03")
def the_largest_is_kept(case: Case) -> None:
    """A payload and a result of exactly max_payload_bytes are stored unchanged."""
    largest = _sized(case.capabilities.max_payload_bytes)
    record = case.running(payload=largest)
    case.that(record.payload == largest, f"{len(largest):,} bytes, unchanged", record.payload)
    case.backend.settle([Complete(record.claim, largest)], now=NOW)
    result = case.stored(record).result
    case.that(result == largest, f"{len(largest):,} bytes, unchanged", result)


@example("PAYLOAD-03")
def a_batch_may_be_large_too(case: Case) -> None:
    """A batch of large payloads is stored whole, even if it exceeds one document or packet of the store."""
    payload = _sized(min(case.capabilities.max_payload_bytes, _LARGE))
    new = [NewRecord(kind="k", payload=payload) for _ in range(_BATCH // _LARGE)]
    case.insert(*new)
    kept = case.backend.get([record.id for record in new]).values()
    sizes = [len(record.payload) for record in kept if record.payload == payload]
    case.equal([len(payload)] * len(new), sizes)


@example("PAYLOAD-03")
def a_large_one_may_replace_a_small_one(case: Case) -> None:
    """A replaced payload is kept, whether the one before it or the new one is large. Each call returns it."""
    large = _sized(min(case.capabilities.max_payload_bytes, _LARGE))
    for payload in (b"small", large, large[::-1], b"small again", large):
        new = NewRecord(kind="k", payload=payload, unique_key="key", on_conflict="replace")
        [answer] = case.backend.insert([new], now=NOW)
        records = [answer.record, case.stored(answer.record), *case.backend.list(Filter(), limit=9)]
        case.that(all(record.payload == payload for record in records), f"{len(payload):,} bytes, unchanged", records)
    claimed = case.only(case.claim())
    case.that(claimed.payload == large, f"{len(large):,} bytes, unchanged", claimed.payload)
    rescued = case.only(case.backend.rescue(limit=1, now=NOW + 2 * LEASE))
    case.that(rescued.payload == large, f"{len(large):,} bytes, unchanged", rescued.payload)


@example("PAYLOAD-03")
def a_restored_one_may_be_large(case: Case) -> None:
    """A restored record has its payload, however large it is."""
    payload = _sized(min(case.capabilities.max_payload_bytes, _LARGE))
    restored = whole(payload=payload)
    case.equal([True], list(case.backend.restore([restored], now=NOW)))
    case.that(case.stored(restored) == restored, "the restored record", case.stored(restored))


@example("PAYLOAD-04")
def one_byte_more_is_rejected(case: Case) -> None:
    """A payload of one byte too many is rejected, and no other job of its batch is stored."""
    new = [NewRecord(kind="k"), NewRecord(kind="k", payload=_sized(case.capabilities.max_payload_bytes + 1))]
    case.refuses(PayloadTooLarge, lambda: case.backend.insert(new, now=NOW))


@example("PAYLOAD-04")
def one_byte_more_of_a_result_is_rejected(case: Case) -> None:
    """A result of one byte too many is rejected, and no other outcome of its batch is applied."""
    case.insert(NewRecord(kind="k"), NewRecord(kind="k"))
    first, second = (record.claim for record in case.claim())
    too_large = _sized(case.capabilities.max_payload_bytes + 1)
    case.refuses(PayloadTooLarge, lambda: case.backend.settle([Complete(first), Complete(second, too_large)], now=NOW))


def _sized(length: int) -> bytes:
    return (bytes(range(256)) * (length // 256 + 1))[:length]


@example("PAYLOAD-05")
def failures_are_kept(case: Case) -> None:
    """The type, message and traceback of each failure are returned unchanged, after Retry and after Discard."""
    case.insert(*(NewRecord(kind="k") for _ in TEXTS * 2))
    claims = [record.claim for record in case.claim()]
    errors: dict[Claim, Failure] = {}
    for claim, text in zip(claims, TEXTS * 2, strict=True):
        errors[claim] = Failure(text, text, text)
    half = len(TEXTS)
    retries = [Retry(claim, NOW, errors[claim]) for claim in claims[:half]]
    discards = [Discard(claim, errors[claim]) for claim in claims[half:]]
    case.backend.settle([*retries, *discards], now=NOW)
    stored = case.backend.get([claim.id for claim in claims])
    for claim, error in errors.items():
        case.equal(error, stored[claim.id].last_error)
