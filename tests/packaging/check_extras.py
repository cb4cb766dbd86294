"""Run a job with the hooks and services of all extras, and the command line, in the environment that runs this script.

The environment has the wheel of `tallystick[opentelemetry,prometheus,sentry,structlog,svcs]` and its dependencies only.
"""

import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import svcs
from tallystick import Context, Runner
from tallystick.observability.opentelemetry import OpenTelemetry
from tallystick.observability.prometheus import Prometheus
from tallystick.observability.sentry import Sentry
from tallystick.observability.structlog import Structlog


class Mailer:
    """A service."""

    sent = "sent"


def main() -> None:
    """Check what the extras add."""
    with tempfile.TemporaryDirectory() as folder, Runner(f"sqlite:///{folder}/jobs.db") as runner:
        for hooks in (OpenTelemetry(), Prometheus(), Sentry(), Structlog()):
            runner.add_hooks(hooks)
        registry = svcs.Registry()
        registry.register_factory(Mailer, Mailer)
        runner.use_svcs(registry)

        @runner.job("mail:send")
        def send(address: str, ctx: Context, mailer: Mailer) -> str:
            return f"{mailer.sent} to {address}"

        runner.start()
        handle = runner.enqueue(send.job("ada@example.org"))
        assert runner.result(handle, timeout=timedelta(minutes=5)) == "sent to ada@example.org"
    command = str(Path(sys.executable).with_name("tallystick"))
    subprocess.run([command, "--help"], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
