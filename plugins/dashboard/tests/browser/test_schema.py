"""Random requests by the OpenAPI document: no answer is a server error, and each has the shape that it promises."""

import subprocess
import sys
from pathlib import Path

import pytest
from tallystick import Runner

from ..application import add, add_attempts, add_schedule, add_worker, complete, discard, retry
from .conftest import Serve

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_random_requests(serve: Serve, live: Runner, tmp_path: Path) -> None:
    """Valid and invalid requests to every endpoint, on a store with jobs in each state."""
    for make in (add, complete, discard, retry):
        make(live.backend)
    add_schedule(live)
    add_worker(live.backend)
    add_attempts(live.backend, completed=5, discarded=1)
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{serve()}/api/openapi.json"]
    options = ["--checks", CHECKS, "--header", "Sec-Fetch-Site: none", "--max-examples", "25", "--seed", "1"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=tmp_path)
    if done.returncode:
        pytest.fail(done.stdout[-20_000:] + done.stderr[-2_000:])
