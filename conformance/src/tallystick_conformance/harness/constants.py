"""Make generated programs depend on nothing but the seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from hypothesis.internal.conjecture import providers


@contextmanager
def no_local_constants() -> Iterator[None]:
    """Keep Hypothesis from drawing constants that it finds in the source of the imported modules.

    With them, the same seed draws other programs if other modules are imported. Hypothesis has no setting for this. It
    collects the constants in its module `providers`, and caches which of them each strategy may draw. Versions that do
    not collect constants lack these names.
    """
    if not hasattr(providers, "_get_local_constants"):
        yield
        return
    none, cache = type(providers._local_constants)(), type(providers.CONSTANTS_CACHE)(1_024)  # noqa: SLF001 - see above
    with patch.multiple(providers, _get_local_constants=lambda: none, CONSTANTS_CACHE=cache):
        yield
