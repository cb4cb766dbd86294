"""All checks of the project. `nox` runs those that every change must pass; `nox --list` shows all sessions."""

import os
import shutil
import subprocess
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
SCHEDULED = ["sqlite", "postgres", "mongo", "mongo-set"]
SUPERVISED = ["sqlite", "postgres"]
SOAKED = ["memory", "sqlite", "postgres"]
CHAOS = ["postgres", "mongo", "mongo-set"]
BACKENDS = ["memory", "sqlite", "postgres", "mongo"]
DISTRIBUTIONS = {
    "tallystick-core": ["tallystick"],
    "tallystick-memory": ["tallystick_memory"],
    "tallystick-sqlite": ["tallystick_sqlite"],
    "tallystick-postgres": ["tallystick_postgres"],
    "tallystick-mongo": ["tallystick_mongo"],
    "tallystick-dashboard": ["tallystick_dashboard"],
    "tallystick-django": ["tallystick_django"],
    "tallystick-conformance": ["tallystick_conformance"],
    "tallystick-mutants": ["tallystick_mutants"],
    "tallystick": ["tallystick", "tallystick_memory", "tallystick_sqlite"],
}
EXTRAS = ["opentelemetry", "prometheus", "sentry", "structlog", "svcs"]
"""The extras of the core that need no backend."""

TESTS = {"PYTHONPATH": "tests"}
"""The directory of the tests' shared modules."""

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "imports", "workflows", "docs", "build", "default_tests"]
nox.options.error_on_missing_interpreters = True


def _reveal_pyenv() -> None:
    """Put all Pythons of pyenv that the sessions need on the path."""
    if shutil.which("pyenv") is None:
        return
    found = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, check=True).stdout.split()
    versions = [next((v for v in reversed(found) if v.startswith(f"{python}.")), None) for python in PYTHONS]
    os.environ["PYENV_VERSION"] = ":".join(version for version in versions if version)


_reveal_pyenv()


def sync(session: nox.Session, *groups: str) -> None:
    """Install the locked workspace into the session's environment."""
    command = ["uv", "sync", "--locked", "--no-default-groups", f"--python={session.virtualenv.location}"]
    environment = {"UV_PROJECT_ENVIRONMENT": session.virtualenv.location}
    session.run_install(*command, *(f"--group={group}" for group in groups), env=environment, silent=True)


def measure(session: nox.Session, *arguments: str) -> None:
    """Run a Python program that measures. With `-- --write` it records the results, and their pages are made again."""
    session.run("python", *arguments, *session.posargs, env=TESTS)
    if "--write" in session.posargs:
        session.run("python", "docs/generate.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting and prose."""
    sync(session, "dev")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("python", "docs/prose.py")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of all code strictly."""
    sync(session, "dev")
    session.run("mypy")
    session.run("basedpyright")


@nox.session
def imports(session: nox.Session) -> None:
    """Check the direction of imports."""
    sync(session, "dev")
    session.run("lint-imports")


@nox.session
def workflows(session: nox.Session) -> None:
    """Check the workflows of GitHub Actions against their schema, and for security."""
    sync(session, "release")
    files = [str(path) for path in sorted(Path(".github/workflows").glob("*.yml"))]
    session.run("check-jsonschema", "--builtin-schema=vendor.github-workflows", *files)
    session.run("check-jsonschema", "--builtin-schema=vendor.dependabot", ".github/dependabot.yml")
    session.run("zizmor", "--offline", "--no-progress", ".github")


@nox.session
def default_tests(session: nox.Session) -> None:
    """Run all tests as the README says, on one Python and all backends."""
    sync(session, "dev")
    session.run("pytest", "--numprocesses=4", *session.posargs)


@nox.session
def kit(session: nox.Session) -> None:
    """Run the tests of the kit that take long: whole runs on backends that conform, and on known bugs."""
    sync(session, "dev")
    session.run("pytest", "--numprocesses=auto", "-m", "kit", "conformance/tests", "tests", *session.posargs)


@nox.session(python=PYTHONS)
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def tests(session: nox.Session, backend: str) -> None:
    """Run the tests of one backend, and the shared tests on it; with memory, those without a backend, too."""
    sync(session, "dev")
    django = ["plugins/django", "conformance/tests/test_django_tasks.py"]  # whose version follows from Python's
    core = ["core/tests", "plugins/dashboard", *django] if backend == "memory" else []
    paths = [*core, f"plugins/{backend}", "tests"]
    session.run("pytest", "--numprocesses=auto", *paths, f"--backend={backend}", *session.posargs)


@nox.session
@nox.parametrize("backend", BACKENDS, ids=BACKENDS)
def conformance(session: nox.Session, backend: str) -> None:
    """Check a backend against the contract, with the quick profile unless given `-- --profile standard`."""
    sync(session, "dev")
    if backend == "postgres":
        session.run("python", "tests/prove_postgres.py", *session.posargs, env=TESTS)
        return
    if backend == "mongo":
        session.run("python", "tests/prove_mongo.py", *session.posargs, env=TESTS)
        return
    url = {"memory": "memory://", "sqlite": f"sqlite:///{session.create_tmp()}/conform.db"}[backend]
    session.run("tallystick", "conform", url, *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Check that the kit detects known-bad backends."""
    sync(session, "dev")
    session.run("tallystick", "conform", "mutants", *session.posargs)


@nox.session
def false_alarms(session: nox.Session) -> None:
    """Check that 10,000 concurrent rounds on correct backends have no finding."""
    sync(session, "dev")
    session.run("python", "conformance/tests/false_alarms.py", *session.posargs, env=TESTS)


@nox.session
def example(session: nox.Session) -> None:
    """Check the tutorial's backend with the whole kit, from its wheel in a separate environment."""
    sync(session, "dev")
    session.run(
        "pytest",
        "-m",
        "kit or not kit",
        "--override-ini=faulthandler_timeout=3600",
        "tests/test_example_backend.py",
        *session.posargs,
        env={"TALLYSTICK_EXAMPLE": "standard"},
    )


@nox.session
def vendor(session: nox.Session) -> None:
    """Unpack the dashboard's JavaScript packages at pinned hashes, or compare them with `-- --check`."""
    session.run("python", "plugins/dashboard/vendor.py", *session.posargs)


@nox.session
def translate(session: nox.Session) -> None:
    """Bring the dashboard's catalogues up to date, or compare them with `-- --check`."""
    sync(session, "dev")
    session.run("python", "plugins/dashboard/translate.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Test the dashboard in a real browser, and its API with random requests."""
    sync(session, "dev", "browser")
    session.run("pytest", "-m", "browser", "plugins/dashboard", *session.posargs)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take screenshots of every page of the dashboard in a folder; renew those of the manual with `-- --write`."""
    sync(session, "dev", "browser")
    session.run("python", "plugins/dashboard/tests/browser/screenshots.py", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Check that generated pages are up to date, run the examples, and build the manual without warnings."""
    sync(session, "dev", "docs")
    session.run("python", "docs/generate.py", "--check")
    session.run("pytest", "README.md", "docs", "-q")
    session.run("sphinx-build", "--fail-on-warning", "--quiet", "docs", f"{session.create_tmp()}/site")


@nox.session
def build(session: nox.Session) -> None:
    """Build each distribution, check it, and import its wheel alone; keep the files with `-- --out FOLDER`."""
    sync(session, "release")
    folder = Path(session.create_tmp()).resolve()
    wheels, environment, local_wheels = folder / "wheels", folder / "environment", folder / "ours.txt"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run_install("uv", "build", "--all-packages", "--no-create-gitignore", "--out-dir", str(wheels), silent=True)
    session.run("twine", "check", "--strict", *map(str, sorted(wheels.iterdir())))
    built = {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in wheels.glob("*.whl")}
    local_wheels.write_text("".join(f"{name} @ {wheel.as_uri()}\n" for name, wheel in built.items()))
    python = str(environment / "bin" / "python")
    for distribution, modules in DISTRIBUTIONS.items():
        session.run_install("uv", "venv", "--clear", "--seed", str(environment), silent=True)
        wheel = str(built[distribution])
        session.run_install(
            "uv", "pip", "install", "--python", python, "--override", str(local_wheels), wheel, silent=True
        )
        session.run(python, "-m", "pip", "check", external=True)
        session.run(python, "tests/packaging/check_typed.py", *modules, external=True)
    if session.posargs:
        _, out = session.posargs
        shutil.copytree(wheels, out)


@nox.session
def newcomer(session: nox.Session) -> None:
    """Follow the tutorial word by word, from wheels in an empty home to the dashboard in a browser."""
    sync(session, "dev", "browser")
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run_install("uv", "build", "--all-packages", "--wheel", "--out-dir", str(wheels), silent=True)
    session.run("python", "tests/newcomer.py", str(wheels), *session.posargs, env=TESTS)


@nox.session
def sdist(session: nox.Session) -> None:
    """Run the default tests from the sdist of `tallystick`, which contains the whole project."""
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    session.run_install("uv", "build", "--sdist", "--package=tallystick", f"--out-dir={folder}", silent=True)
    [archive] = folder.glob("*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    session.chdir(archive.with_suffix("").with_suffix(""))
    session.env.pop("TMPDIR")  # in this project, pytest would load its conftest for the programs of the tests
    sync(session, "dev")
    session.run("pytest", "--numprocesses=4", *session.posargs)


@nox.session
def extras(session: nox.Session) -> None:
    """Install the wheels with the extras of the core in an empty environment, and run a job with all of them."""
    folder = Path(session.create_tmp()).resolve()
    wheels, environment = folder / "wheels", folder / "environment"
    shutil.rmtree(wheels, ignore_errors=True)
    session.run_install("uv", "build", "--all-packages", "--wheel", "--out-dir", str(wheels), silent=True)
    version = next(wheels.glob("tallystick_core-*.whl")).name.split("-")[1]
    session.run_install("uv", "venv", "--clear", str(environment), silent=True)
    python = str(environment / "bin" / "python")
    # an override, as in `build`, would drop the extras of the distributions that depend on each other
    ours = [f"{name}=={version}" for name in ("tallystick-core", "tallystick-memory", "tallystick-sqlite")]
    install = ["uv", "pip", "install", "--python", python, "--find-links", str(wheels)]
    session.run_install(*install, f"tallystick[{','.join(EXTRAS)}]=={version}", *ours, silent=True)
    session.run(python, "tests/packaging/check_extras.py", external=True)


@nox.session
@nox.parametrize("server", CHAOS, ids=CHAOS)
def chaos(session: nox.Session, server: str) -> None:
    """Crash a server repeatedly while four processes work."""
    sync(session, "dev")
    session.run("python", "tests/chaos/restarts.py", server, *session.posargs, env=TESTS)


@nox.session
@nox.parametrize("store", SUPERVISED, ids=SUPERVISED)
def terminations(session: nox.Session, store: str) -> None:
    """Stop a supervisor by SIGTERM 20 times while its processes work."""
    sync(session, "dev")
    session.run("python", "tests/terminations.py", store, *session.posargs, env=TESTS)


@nox.session
@nox.parametrize("store", SOAKED, ids=SOAKED)
def soak(session: nox.Session, store: str) -> None:
    """Run 200,000 jobs through one worker, and check that its memory stays flat."""
    sync(session, "dev")
    session.run("python", "tests/soak.py", store, *session.posargs, env=TESTS)


@nox.session
def round_trip(session: nox.Session) -> None:
    """Move 100,000 jobs from SQLite through other stores and back, and check that they are identical."""
    sync(session, "dev")
    session.run("python", "tests/round_trip.py", *session.posargs, env=TESTS)


@nox.session
@nox.parametrize("store", SCHEDULED, ids=SCHEDULED)
def chaos_schedules(session: nox.Session, store: str) -> None:
    """Fire a schedule of every second from ten runners, two of which are killed."""
    sync(session, "dev")
    session.run("python", "tests/chaos/schedules.py", store, *session.posargs, env=TESTS)


@nox.session(python="3.12")
def bench_peers(session: nox.Session) -> None:
    """Compare with other libraries, each in its own environment; record the figures with `-- --write`."""
    sync(session, "dev")
    measure(session, "-m", "bench.peers.compare")


@nox.session(python="3.13")
def django_tasks(session: nox.Session) -> None:
    """Test our backend of `django.tasks` and three others by the kit's clauses; record them with `-- --write`."""
    sync(session, "dev")
    session.install("django-tasks-db==0.13.0", "django-ox==1.9.1")
    measure(session, "tests/django_tasks/compare.py")


@nox.session(python="3.13")
def django_own_tests(session: nox.Session) -> None:
    """Run Django's own tests of task backends on ours, from the sdist of the Django that is installed."""
    sync(session, "dev")
    session.install("pip")
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder)
    folder.mkdir()
    version = session.run("python", "-c", "import django; print(django.__version__)", silent=True)
    command = ["python", "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=django"]
    session.run_install(*command, f"--dest={folder}", f"django=={str(version).strip()}")
    [archive] = folder.glob("django-*.tar.gz")
    shutil.unpack_archive(archive, folder, filter="data")
    tests = archive.with_suffix("").with_suffix("") / "tests"
    ours = {"SUBJECT": "tallystick", "SUBJECT_FOLDER": str(folder), "DJANGO_SETTINGS_MODULE": "django_tasks.settings"}
    session.run("python", "tests/django_tasks/own_tests.py", str(tests), env={**TESTS, **ours})


@nox.session(python="3.13")
def cost(session: nox.Session) -> None:
    """Measure the cost of a job; record changed costs with `-- --write "the reason"`."""
    sync(session, "dev")
    measure(session, "tests/cost/measure.py")


@nox.session(python="3.12")
def bench_workloads(session: nox.Session) -> None:
    """Measure workloads that differ from no-op jobs, each beside its base; record the figures with `-- --write`."""
    sync(session, "dev")
    measure(session, "-m", "bench.workloads.run")


@nox.session
def bench_search(session: nox.Session) -> None:
    """Measure searches among a million records; record the medians with `-- --write`."""
    sync(session, "dev")
    measure(session, "tests/bench/search.py")


@nox.session
def bench_dashboard(session: nox.Session) -> None:
    """Measure the pages of the dashboard among a million records; record the times with `-- --write`."""
    sync(session, "dev")
    measure(session, "tests/bench/dashboard.py")


@nox.session
def bench_long_transaction(session: nox.Session) -> None:
    """Measure claims from PostgreSQL while a transaction is held open."""
    sync(session, "dev")
    session.run("python", "tests/bench/long_transaction.py", *session.posargs, env=TESTS)


@nox.session
def bench(session: nox.Session) -> None:
    """Run `tallystick bench` in memory, on SQLite and on a new server of PostgreSQL that loses no commit."""
    sync(session, "dev")
    session.run("python", "tests/bench/stores.py", *session.posargs, env=TESTS)
