"""Test an application's jobs without a worker: a store for each test, a virtual clock, and assertions.

`manual(runner)` stores jobs until the test calls `drain()`. `inline(runner)` runs each job when it is enqueued. Both
give the runner a new store inside their block: the memory backend, or any other that a URL selects. `run_job` runs one
handler without a store.
"""

from .clock import Clock
from .ephemeral import ephemeral
from .job_tester import Drained, JobTester
from .modes import inline, manual
from .run_job import arun_job, run_job

__all__ = ["Clock", "Drained", "JobTester", "arun_job", "ephemeral", "inline", "manual", "run_job"]
