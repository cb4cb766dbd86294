"""Translations of the pages. English is in the code; other languages are compiled catalogues in `locale`."""

from functools import cache
from gettext import NullTranslations, translation
from pathlib import Path

LANGUAGES = ("en", "de")
LOCALE = Path(__file__).parent.parent / "locale"


@cache
def translations(language: str) -> NullTranslations:
    """Return the translations of a language; English for an unknown one."""
    if language not in LANGUAGES or language == "en":
        return NullTranslations()
    return translation("tallystick_dashboard", LOCALE, [language])


def accepted(header: str) -> str:
    """Return the language of ours that a reader prefers, by an Accept-Language header."""
    best, quality = "en", 0.0
    for part in header.split(",")[:20]:
        name, _, parameters = part.strip().partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES and weight > quality:
            best, quality = language, weight
    return best
