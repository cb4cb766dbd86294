"""The backend under test: open fresh stores by namespace, and remove them all."""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from traceback import clear_frames
from typing import Self
from uuid import uuid4

from tallystick import Backend, Closed, urls
from tallystick.hooks.plugins import installed

from .exceptions import is_interrupt

MakeBackend = Callable[[str], Backend]
"""Opens a new client of the store with a given namespace."""


@dataclass(slots=True)
class Target:
    """A backend under test.

    Args:
        make: Opens a new client of the store with a given namespace. If `multi_process` is declared, other processes
            call it too, so it must be picklable: a function of a module, or a partial of one.
        name: Its name in the report.
        url: The URL that it was created from, if any.
        backend: The class, if known.
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
        """Create a target from a URL or a `make_backend(namespace)`; return a target unchanged."""
        if isinstance(source, Target):
            return source
        if isinstance(source, str):
            return cls.from_class(installed().backend(source), source)
        return cls(source, getattr(source, "__qualname__", repr(source)))

    @classmethod
    def from_class(cls, backend: type[Backend], url: str) -> Self:
        """Create a target from a backend's class, which need not be an installed plugin, and a URL."""
        return cls(partial(_open, backend, url), urls.redact(url), url, backend)

    @contextmanager
    def fresh(self) -> Iterator[tuple[str, Backend]]:
        """Create a store, yield its namespace and a client, and remove the store at the end.

        Namespaces are reused after their teardown, so that a backend that keeps something of each keeps little.
        """
        namespace = self._torn_down.pop() if self._torn_down else f"kit_{self._token}_{next(self._fresh)}"
        self._open.add(namespace)
        backend = self.make(namespace)
        try:
            backend.setup()
            yield namespace, backend
        except BaseException:
            with suppress(Exception):  # do not hide the first exception
                self._remove(namespace, backend)
            raise
        self._remove(namespace, backend)

    @contextmanager
    def others(self, *namespaces: str) -> Iterator[None]:
        """Let the block create and remove stores with these namespaces; after an interrupt, `clean` removes them."""
        self._open.update(namespaces)
        try:
            yield
        finally:
            self._forget_unless_interrupted(*namespaces)

    def clean(self, interrupt: BaseException | None = None) -> None:
        """Remove the stores that an interrupted run left, even incomplete ones; ignore errors.

        The interrupt may have come while a client opened a connection. The frames of its traceback keep that connection
        open, and a backend may keep a store that is in use. So this clears the frames first.
        """
        while interrupt is not None:
            clear_frames(interrupt.__traceback__)
            interrupt = interrupt.__context__
            gc.collect()
        for namespace in sorted(self._open):
            with suppress(Exception), self.make(namespace) as backend:
                backend.setup()  # without it, teardown may not recognize an incomplete store
                backend.teardown()
        self._open.clear()

    def _remove(self, namespace: str, backend: Backend) -> None:
        try:
            backend.teardown()
        except Closed:  # the test closed the client
            with self.make(namespace) as another:
                another.teardown()
        else:
            self._torn_down.append(namespace)
        finally:
            backend.close()
        self._forget_unless_interrupted(namespace)

    def _forget_unless_interrupted(self, *namespaces: str) -> None:
        """Forget stores that were removed; `clean` removes them again if this runs because of an interrupt."""
        if not is_interrupt(sys.exception()):
            self._open.difference_update(namespaces)


def _open(backend: type[Backend], url: str, namespace: str) -> Backend:
    return backend.from_url(backend.namespaced(url, namespace))
