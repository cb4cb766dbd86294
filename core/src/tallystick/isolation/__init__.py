"""Run handlers in child processes, which can be killed: `isolation="process"`.

A runner imports this package only if one of its kinds has this option. `child` is the program of the child process.
"""

from .definitions import isolate

__all__ = ["isolate"]
