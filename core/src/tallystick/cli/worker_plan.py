"""The options of a worker, which a supervisor sends to its processes."""

import pickle
import sys
from dataclasses import dataclass
from typing import Self

from ..config.settings import SettingsArgs
from ..processes import Limits
from .logs import Format, Level

WORKER_PROCESS = (sys.executable, "-m", "tallystick.cli.worker_process")
"""The command of a worker process, which takes the number of a socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlan:
    """What one worker process runs. It may hold the password of a URL, so it never is an argument of a process."""

    target: str
    overrides: SettingsArgs
    limits: Limits
    log_level: Level
    log_format: Format

    def to_bytes(self) -> bytes:
        """Return the plan as bytes."""
        return pickle.dumps(self)

    @classmethod
    def of_bytes(cls, encoded: bytes) -> Self:
        """Return the plan of bytes from the supervisor."""
        plan = pickle.loads(encoded)  # noqa: S301  # only the supervisor has the other end of the socket
        assert isinstance(plan, cls)
        return plan
