"""Versions of payloads: upgrade the stored payloads of older versions of a kind, step by step."""

from collections.abc import Callable, Mapping
from inspect import Parameter, iscoroutinefunction, signature
from typing import Any, NamedTuple, TypeVar

from ..contract import validation
from ..contract.meta import Meta
from ..errors import DefinitionError, InvalidPayload
from ..messages.safe_repr import safe_repr
from . import handlers
from .codec import Codec
from .options import LATEST_VERSION

UpgradeT = TypeVar("UpgradeT", bound=Callable[[Any], Any])

KEY = "payload-version"
"""The key of `meta` with the version of a job's payload. A job without it has version 1."""


class NewerPayload(InvalidPayload):
    """The payload has a newer version than this program knows."""


class Step(NamedTuple):
    """A function that upgrades the payload of one version to the next, and the codecs of its two payloads."""

    function: Callable[[Any], Any]
    before: Codec[Any]
    after: Codec[Any]

    def __call__(self, payload: bytes) -> bytes:
        """Upgrade an encoded payload. Raises `InvalidPayload`, or an exception of the function."""
        return self.after.dump(self.function(self.before.decode(payload)))


class Upgrades:
    """The upgrades of one kind by the version that they upgrade from. Those of `parents` apply, too."""

    def __init__(self, parents: tuple["Upgrades", ...] = ()) -> None:
        self._parents = parents
        self._steps: dict[int, Step] = {}

    def decorator(self, kind: str, version: int, latest: int) -> Callable[[UpgradeT], UpgradeT]:
        """Return a decorator that adds the function which upgrades payloads of a version.

        Raises:
            DefinitionError: the version is not an older one, or the function does not take one payload.
        """
        validation.within(version, 1, LATEST_VERSION, "version")
        if version >= latest:
            raise DefinitionError(
                f"{kind!r} has payload_version={latest}, so there is no upgrade from version {version}; raise "
                f"payload_version to {version + 1} or more"
            )

        def add(function: UpgradeT) -> UpgradeT:
            self._steps[version] = _step(kind, version, function)
            return function

        return add

    def find(self, version: int) -> Step | None:
        """Return the upgrade from a version, if there is one."""
        found = [self._steps.get(version), *(parent.find(version) for parent in self._parents)]
        return next((step for step in found if step is not None), None)

    def check(self, kind: str, latest: int) -> None:
        """Reject a gap: an upgrade whose result no further upgrade takes to the latest version."""
        known = [version for version in range(1, latest) if self.find(version)]
        if known and len(known) != latest - known[0]:
            missing = next(version for version in range(known[0], latest) if version not in known)
            raise DefinitionError(
                f"{kind!r} has payload_version={latest} and an upgrade from version {known[0]}, but none from version "
                f"{missing}; add a function with upgrade_from({missing})"
            )

    def apply(self, kind: str, payload: bytes, version: int, latest: int) -> bytes:
        """Return a payload of a version as one of the latest version.

        Raises:
            NewerPayload: the version is newer than the latest.
            InvalidPayload: an upgrade is missing, or a payload does not validate.
        """
        if version > latest:
            raise NewerPayload(f"the payload of {kind!r} has version {version}; this program knows version {latest}")
        for step_from in range(version, latest):
            step = self.find(step_from)
            if step is None:
                raise InvalidPayload(
                    f"the payload of {kind!r} has version {version} of {latest}, and no function upgrades it; write "
                    f"one with upgrade_from({step_from})"
                )
            payload = step(payload)
        return payload


def version_of(meta: Mapping[str, str]) -> int:
    """Return the version of the payload of a job with this meta."""
    try:
        return int(meta.get(KEY, "1"))
    except ValueError:
        raise InvalidPayload(f"meta[{KEY!r}] is {safe_repr(meta[KEY])}; it must be a whole number") from None


def with_version(meta: Mapping[str, str], version: int) -> Mapping[str, str]:
    """Return the meta of a job whose payload has a version. Replaces the version of another job's meta."""
    meta = meta if type(meta) is Meta else Meta(meta)
    if version == 1 and KEY not in meta:
        return meta
    others = {key: value for key, value in meta.items() if key != KEY}
    return Meta(others if version == 1 else {**others, KEY: str(version)})


def _step(kind: str, version: int, function: Any) -> Step:
    what = f"the upgrade of {kind!r} from version {version}"
    if not callable(function) or iscoroutinefunction(function):
        raise DefinitionError(f"{what} is {safe_repr(function)}; it must be a sync function of the old payload")
    try:
        parameters = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    if len(parameters) != 1 or parameters[0].kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
        raise DefinitionError(f"{what} is {safe_repr(function)}; it must take one argument, the old payload")
    before, after = (handlers.resolve(kind, function, name) for name in (parameters[0].name, "return"))
    texts = f"the payload of {kind!r}, version {version},", f"the result of {what}"
    return Step(function, Codec(before, texts[0], InvalidPayload), Codec(after, texts[1], InvalidPayload))
