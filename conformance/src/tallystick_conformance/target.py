"""What is tested: a way to open stores by namespace, each fresh, and to leave nothing behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Self
from uuid import uuid4

from tallystick import Backend, Closed, urls
from tallystick.plugins import installed

MakeBackend = Callable[[str], Backend]
"""Opens a new client of the store called by a namespace."""


@dataclass(slots=True)
class Target:
    """A backend under test.

    Args:
        make: Opens a new client of the store of a namespace. Other processes call it too where `multi_process` is
            declared, so it must be picklable: a function of a module, or a partial of one.
        name: What the report calls it.
        url: The URL that it was made from, if it was.
        backend: The class, where it is known.
    """

    make: MakeBackend
    name: str
    url: str | None = None
    backend: type[Backend] | None = None
    _token: str = field(default_factory=lambda: uuid4().hex[:10])
    _fresh: Iterator[int] = field(default_factory=count)
    _torn_down: list[str] = field(default_factory=list)
    _open: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, source: "str | MakeBackend | Target") -> "Target":
        """Take a URL, a `make_backend(namespace)` or a target."""
        if isinstance(source, Target):
            return source
        if isinstance(source, str):
            return cls.from_class(installed().backend(source), source)
        return cls(source, getattr(source, "__qualname__", repr(source)))

    @classmethod
    def from_class(cls, backend: type[Backend], url: str) -> Self:
        """Take a backend's class, which need not be installed as a plugin, and a URL for it."""
        return cls(partial(_open, backend, url), urls.redact(url), url, backend)

    @contextmanager
    def fresh(self) -> Iterator[tuple[str, Backend]]:
        """Make a store, and give its namespace and a client; remove it at the end.

        A namespace that was torn down is used again, so that what a backend keeps of one is little.
        """
        namespace = self._torn_down.pop() if self._torn_down else f"kit_{self._token}_{next(self._fresh)}"
        self._open.add(namespace)
        backend = self.make(namespace)
        try:
            backend.setup()
            yield namespace, backend
        except BaseException as exc:
            with suppress(Exception):  # what went wrong first is told
                self._remove(namespace, backend)
            if not isinstance(exc, Exception):  # an interrupt, perhaps in the middle of the setup
                self._open.add(namespace)
            raise
        self._remove(namespace, backend)

    def clean(self) -> None:
        """Remove the stores that an interrupted run left, whole or half made; one that cannot be removed is left."""
        for namespace in sorted(self._open):
            with suppress(Exception), self.make(namespace) as backend:
                backend.setup()  # else a teardown may find nothing that it knows for its own
                backend.teardown()
        self._open.clear()

    def _remove(self, namespace: str, backend: Backend) -> None:
        try:
            backend.teardown()
        except Closed:  # by the test
            with self.make(namespace) as another:
                another.teardown()
        else:
            self._torn_down.append(namespace)
        finally:
            backend.close()
        self._open.discard(namespace)


def _open(backend: type[Backend], url: str, namespace: str) -> Backend:
    return backend.from_url(backend.namespaced(url, namespace))
