"""Write the script that reproduces a violation. It imports only `tallystick`, so it contains its own helpers."""

import re
from collections.abc import Iterator

import tallystick

HEAD = '''\
"""{title}

{seen}

Run it with your backend's URL. It creates its own store next to the one at the URL, and removes it. It exits with 1 if
the clause is broken, and with 0 if the clause holds:

    python repro-{id}.py sqlite:////tmp/jobs.db
    python repro-{id}.py --backend module:Class URL     # a class without an installed plugin
"""

'''

RERUN = '''\
"""{title}

{seen}

No plain program reproduces this violation: it needs clients that race, processes, the clock or very many jobs.
So this script runs the clause with the kit (tallystick-conformance), under the profile and the seed of the violation.
It exits with 1 if the clause is broken, and with 0 if the clause holds:

    python repro-{id}.py sqlite:////tmp/jobs.db
    python repro-{id}.py --backend module:Class URL     # a class without an installed plugin
"""

import argparse
import sys
from importlib import import_module

from tallystick_conformance import Target, conform

'''

RERUN_BODY = """
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", metavar="MODULE:CLASS")
    parser.add_argument("url")
    options = parser.parse_args()
    module, _, name = (options.backend or "").partition(":")
    target = Target.from_class(getattr(import_module(module), name), options.url) if module else options.url
    report = conform(target, profile={profile!r}, seed={seed}, only=[{id!r}])
    for result in report.results:
        print(result.clause_id, result.status, result.detail)
    sys.exit(0 if report.passed else 1)


if __name__ == "__main__":
    main()
"""

_WORDS = {
    "unpacked": """\
def unpacked(text):
    return decompress(b85decode(text))
""",
    "fail": """\
def fail(expected, observed):
    raise AssertionError(f"{CLAUSE}\\n  expected: {expected}\\n  observed: {observed}")
""",
    "answered": """\
def answered(call):
    try:
        return call()
    except Exception as exc:
        fail("a result", repr(exc))
""",
    "equal": """\
def equal(expected, observed):
    if expected != observed:
        fail(expected, observed)
""",
    "some": """\
def some(groups, count, observed):
    \"\"\"Require `count` items, at most one of each group; the backend may choose which.\"\"\"
    met = [n for n, group in enumerate(groups) for one in group if one in observed]
    if not len(observed) == len(met) == len(set(met)) == count:
        fail(f"{count} of {groups}", observed)
""",
    "chosen": """\
def chosen(expected, observed):
    \"\"\"Stop unless the backend chose the same items as when the violation was seen.\"\"\"
    if set(expected) != set(observed):
        print("no violation: the backend made another valid choice, so the rest of the program does not apply")
        sys.exit()
""",
    "gone": """\
def gone(backend, ids):
    return [id for id in ids if id not in backend.get(ids)]
""",
    "contents": """\
def contents(backend, now):
    total, by_state, by_kind, by_queue = backend.stats(now=now)
    stats = Stats(total, dict(by_state), dict(by_kind), dict(by_queue))
    return list(backend.list(Filter(), limit=10_000)), list(backend.queues()), stats
""",
    "stored": """\
def stored(backend, now, records, queues, stats):
    for expected, observed in zip((records, queues, stats), contents(backend, now), strict=True):
        equal(expected, observed)
""",
    "refused": """\
def refused(error, backend, now, call):
    before = contents(backend, now)
    try:
        answer = call()
    except error:
        equal(before, contents(backend, now))
    else:
        fail(f"{error.__name__}, and no effect", f"the result {answer!r}")
""",
}

_NEEDS = {
    "answered": ["fail"],
    "equal": ["fail"],
    "some": ["fail"],
    "stored": ["fail", "equal", "contents"],
    "refused": ["fail", "equal", "contents"],
}

_MAIN = """\
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", metavar="MODULE:CLASS")
    parser.add_argument("url")
    options = parser.parse_args()
    module, _, name = (options.backend or "").partition(":")
    backend = getattr(import_module(module), name) if module else installed().backend(options.url)
    with backend.from_url(backend.namespaced(options.url, f"repro_{uuid4().hex[:10]}")) as store:
        store.setup()
        try:
            program(store)
        finally:
            store.teardown()
    print("the clause holds")


if __name__ == "__main__":
    main()
"""

_IMPORTS = {
    "import argparse": "argparse",
    "import sys": "sys",
    "from base64 import b85decode": "b85decode",
    "from datetime import datetime": "datetime",
    "from datetime import timedelta": "timedelta",
    "from importlib import import_module": "import_module",
    "from uuid import UUID": "UUID",
    "from uuid import uuid4": "uuid4",
    "from zlib import decompress": "decompress",
}


def written(head: str, title: str, lines: list[str]) -> str:
    """Return a script with these lines as its program, and with the helpers and imports that they need."""
    program = "".join(f"    {line}\n" for line in lines)
    words = _words(program)
    needed = {name for name in _WORDS if name in words} | {n for name in words for n in _NEEDS.get(name, ())}
    constants = f"CLAUSE = {title!r}\n" + ("at = datetime.fromisoformat\n" if "at" in words else "")
    functions = [f"def program(backend):\n{program}", *(text for name, text in _WORDS.items() if name in needed), _MAIN]
    body = "\n\n".join([constants, *functions])
    return head + "\n".join([*_imports(_words(body)), "", body])


def _imports(words: set[str]) -> Iterator[str]:
    yield from (line for line, name in _IMPORTS.items() if name in words)
    ours = sorted(words & set(tallystick.__all__))
    yield ""
    if ours:
        yield f"from tallystick import {', '.join(ours)}"
    yield "from tallystick.plugins import installed"


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))
