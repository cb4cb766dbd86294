"""Bugs in namespaces: stores that affect other stores."""

import re

from tallystick_conformance import Mutant
from tallystick_memory import MemoryBackend, backend
from tallystick_memory import backend as memory

from ..patch import MEMORY


class CutsNamespaces(MemoryBackend):
    """A store's name is cut at 30 characters."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        return super().namespaced(url, namespace[:30] if len(namespace) == 32 else namespace)


class TearsDownAll(MemoryBackend):
    """teardown empties the neighbouring stores too."""

    def teardown(self) -> None:
        super().teardown()
        for store in list(backend._stores.values()):  # noqa: SLF001 - mutants may use private names
            store.clear()


class TearsDownByPrefix(MemoryBackend):
    """teardown empties every store with a name that begins with this store's name."""

    def teardown(self) -> None:
        super().teardown()
        for name, store in list(memory._stores.items()):  # noqa: SLF001 - mutants may use private names
            if name.startswith(self._name):
                store.clear()


class TearsDownByPattern(MemoryBackend):
    """teardown treats an underscore in the store's name as a wildcard for any character."""

    def teardown(self) -> None:
        super().teardown()
        pattern = re.compile(re.escape(self._name).replace("_", "."))
        for name, store in list(memory._stores.items()):  # noqa: SLF001 - mutants may use private names
            if pattern.fullmatch(name):
                store.clear()


class JoinsUnderscores(MemoryBackend):
    """Two underscores in a namespace are treated as one."""

    @classmethod
    def namespaced(cls, url: str, namespace: str) -> str:
        url = super().namespaced(url, namespace)
        return url.replace("__", "_")


MUTANTS: tuple[Mutant, ...] = (
    MEMORY.mutant("cuts namespaces", "SETUP-03", CutsNamespaces, "L4"),
    MEMORY.mutant("tears down all", "SETUP-03", TearsDownAll),
    MEMORY.mutant("tears down by prefix", "SETUP-03", TearsDownByPrefix, "L4"),
    MEMORY.mutant("tears down by pattern", "SETUP-03", TearsDownByPattern, "L5"),
    MEMORY.mutant("joins underscores", "SETUP-03", JoinsUnderscores, "L4"),
)
