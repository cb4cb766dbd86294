"""`summary.md`: the report for people, for the summary of a CI job."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from .document import ClauseEntry, Document
from .verify import reasons


def written(document: Document) -> str:
    """Return the summary as Markdown."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    counts = Counter(entry.status for entry in document.clauses)
    covered = sum(way.covered for way in document.transitions)
    backend = document.backend
    yield f"# `{document.target}` {document.verdict}"
    yield ""
    yield f"- {', '.join(f'{count} {status}' for status, count in counts.items())}"
    yield f"- contract {document.contract}, tallystick-conformance {document.kit}"
    yield f"- backend: {backend.distribution or 'not an installed plugin'} {backend.version or ''}".rstrip()
    if backend.server_version:
        yield f"- server: {backend.server_version}"
    yield f"- Python {document.python}, {document.platform}"
    yield f"- profile {document.profile}, seed {document.seed}, {document.seconds:.1f} s{_budget(document)}"
    yield f"- generated programs took {covered} of {len(document.transitions)} transitions"
    yield f"- {_verifies(document)}"
    for entry in document.clauses:
        if entry.status in ("violated", "error", "not written", "known"):
            yield from _failed(entry)
    notices: dict[str, list[str]] = defaultdict(list)
    for entry in document.clauses:
        if entry.notice:
            notices[entry.notice].append(entry.id)
    if notices:
        yield from ("", "## Notices", "")
        yield from (f"- {', '.join(ids)}: {notice}" for notice, ids in notices.items())
    open = [entry for entry in document.clauses if entry.status.startswith("not ") and entry.status != "not written"]
    if open:
        yield from ("", "## Not tested", "", "| clause | status | why |", "|---|---|---|")
        yield from (f"| {entry.id} | {entry.status} | {_cell(entry.detail)} |" for entry in open)


def _budget(document: Document) -> str:
    return "" if document.budget_seconds is None else f" of {document.budget_seconds:.0f} s"


def _verifies(document: Document) -> str:
    count = len(reasons(document))
    return f"does not verify: {count} {'reasons' if count > 1 else 'reason'}" if count else "verifies"


def _failed(entry: ClauseEntry) -> Iterator[str]:
    yield from ("", f"## {entry.id} is {entry.status}", "", entry.text, "", "````text", entry.detail or "", "````")
    if entry.raised and entry.expected is None:  # a violation's detail already has it
        yield from ("", "````text", entry.raised, "````")
    if entry.expected is not None:
        yield f"\nTo reproduce it: `tallystick conform replay trace-{entry.id}.json URL`"


def _cell(text: str | None) -> str:
    return (text or "").partition("\n")[0].replace("|", "\\|")
