"""Where each setting of a runner comes from."""

from collections.abc import Collection
from typing import Literal

from .settings import Settings

Source = Literal["argument", "environment", "default"]
"""An argument of `Runner` or `configure`, an environment variable, or the default."""


def sources(settings: Settings, arguments: Collection[str]) -> dict[str, Source]:
    """Return the source of each setting, given the names of those that were passed as arguments."""
    return {name: _source(name, settings, arguments) for name in Settings.model_fields}


def _source(name: str, settings: Settings, arguments: Collection[str]) -> Source:
    if name in arguments:
        return "argument"
    return "environment" if name in settings.model_fields_set else "default"
