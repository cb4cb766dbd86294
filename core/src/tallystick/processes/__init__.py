"""Run a worker in several processes: a supervisor starts them, restarts those that die, and stops them together.

`health` answers probes over HTTP. It is imported only by a worker that answers some.
"""

from .child_link import ChildLink
from .limits import Limits
from .status import Status
from .supervisor import Supervisor
from .watch import watched

__all__ = ["ChildLink", "Limits", "Status", "Supervisor", "watched"]
