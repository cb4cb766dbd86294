"""`junit.xml`: one test case for each clause, as CI systems read it."""

import re
from xml.etree import ElementTree as ET

from .document import ClauseEntry, Document

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_FAILED = {"violated": "failure", "error": "error", "not written": "error"}


def written(document: Document) -> str:
    """Return the test suite as XML."""
    counts = {
        "tests": len(document.clauses),
        "failures": sum(entry.status == "violated" for entry in document.clauses),
        "errors": sum(_FAILED.get(entry.status) == "error" for entry in document.clauses),
        "skipped": sum(entry.status not in ("passed", *_FAILED) for entry in document.clauses),
    }
    totals = {name: str(count) for name, count in counts.items()} | {"time": f"{document.seconds:.3f}"}
    suites = ET.Element("testsuites", totals)
    suite = ET.SubElement(
        suites, "testsuite", {"name": "tallystick-conformance", "timestamp": document.started, **totals}
    )
    for entry in document.clauses:
        _add(suite, entry)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _add(suite: ET.Element, entry: ClauseEntry) -> None:
    family = f"tallystick.{entry.level}.{entry.id.partition('-')[0]}"
    attributes = {"classname": family, "name": f"{entry.id} {entry.text}", "time": f"{entry.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", attributes)
    detail = _ILLEGAL.sub("\ufffd", entry.detail or "")
    if entry.status in _FAILED:
        attributes = {"message": detail.partition("\n")[0], "type": entry.status}
        raised = (
            "" if entry.expected else _ILLEGAL.sub("\ufffd", entry.raised or "")
        )  # a violation's detail already has it
        ET.SubElement(case, _FAILED[entry.status], attributes).text = f"{detail}\n\n{raised}".rstrip()
    elif entry.status != "passed":
        ET.SubElement(case, "skipped", {"message": f"{entry.status}: {detail}".partition("\n")[0]})
