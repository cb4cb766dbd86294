"""Keep the catalogues in step with the pages: `nox -s translate` updates them, `--check` compares."""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parent / "src" / "tallystick_dashboard"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"jinja2": {"newstyle_gettext": "true"}, "templates/**.html": {"newstyle_gettext": "true"}}
_NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # the same files make the same catalogue
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_n": (1, 2), "Rejection": (2,), "NotPermitted": (1,)}


def extracted() -> Catalog:
    """Return the texts of the pages."""
    template = Catalog()
    for _, _, message, _, _ in extract_from_dir(SOURCE, METHODS, OPTIONS, KEYWORDS):
        template.add(message)
    return template


def files(language: str) -> dict[Path, bytes]:
    """Return the catalogue of a language and its compiled form, brought up to date."""
    folder = SOURCE / "locale" / language / "LC_MESSAGES"
    path = folder / "tallystick_dashboard.po"
    catalog = read_po(io.BytesIO(path.read_bytes()), locale=language)
    catalog.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.creation_date = catalog.revision_date = _NO_DATE
    if missing := [message.id for message in catalog if message.id and not _is_translated(message)]:
        print(f"{path} lacks translations of: {missing}")
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalog, width=120, sort_output=True)
    write_mo(compiled, catalog)
    return {path: text.getvalue(), path.with_suffix(".mo"): compiled.getvalue()}


def _is_translated(message: Message) -> bool:
    """Return whether a message has its text, and all forms if it has a plural."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def main(arguments: list[str]) -> int:
    """Write the catalogues, or compare them."""
    wanted = files("de")
    if "--check" not in arguments:
        for path, content in wanted.items():
            path.write_bytes(content)
        return 0
    wrong = [path.name for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]
    if wrong:
        print(f"these catalogues are out of date: {', '.join(wrong)}; run nox -s translate")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
