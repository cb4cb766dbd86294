"""No error message shows a password, whether it comes from a malformed URL, another type or a driver."""

from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from tallystick import ConfigurationError, InvalidArgument, Runner, TallystickError, open_backend, urls

SECRET = "S3CRET"
SCHEMES = ["postgresql", "mongodb", "sqlite", "memory", "acme", "postgresql+asyncpg", "redis"]
PASSWORDS = [
    f"{odd}{SECRET}{end}"
    for odd, end in (
        *(("", ""), ("100%", ""), ("x ", ""), ("x@", ""), ("x?", ""), ("x#", ""), ("x/", ""), ("x\n", ""), ("x\t", "")),
        *(
            ("x[", "]"),
            ("x:", ""),
            ("12?", ""),
            ("12/", ""),
            ("x@y?", "=1&"),
            ("x%zz", ""),
            ("x'", ""),
            ("x\u2100", ""),
        ),
        *(("x?a=", "&a=2"), ("@", "@"), ("x\\", ""), ("x/y@", "")),
    )
]
WRONG = [
    f"postgresql://app:{SECRET}/db",
    f"postgresql://app:{SECRET}",
    f"postgresql://app:x@h:{SECRET}/db",
    f"postgresql://app:{SECRET}@[::1/db",
    f"postgresql://app:{SECRET}@[::1]:x/db",
    f"postgresql://127.0.0.1:1/db?password=x@{SECRET}",
    f"postgresql://127.0.0.1:1/db?sslpassword={SECRET}&sslmode=wrong",
    f"postgresql://127.0.0.1:1/db?passfile=/{SECRET}&no_such_option=1",
    f"postgresql://127.0.0.1:1/db?password={SECRET}&connect_timeout=x",
    f"mongodb://u:p@h/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKENX:{SECRET}",
    f"mongodb://u:p@h/?authMechanism=MONGODB-AWS&authMechanismProperties={SECRET}",
    f"mongodb://u:p@h/?tlsCertificateKeyFilePassword={SECRET}&tlsCertificateKeyFile=/no/such/file",
    f"mongodb://u:{SECRET}@h/?w=0",
    f"mongodb://u:{SECRET}@h/a.b",
    f"sqlite:///jobs.db?password={SECRET}",
    f"memory://name?password={SECRET}",
    f"app:{SECRET}@host/db",
    f"host=h password={SECRET}",
]


def traceback_of(call: Any) -> str:
    """Return the traceback of a Tallystick error as a log shows it, or an empty string."""
    try:
        call()
    except TallystickError as exc:
        return "".join(format_exception(exc))
    return ""


def use(url: str) -> None:
    """Open a store and call it."""
    with open_backend(url) as backend:
        backend.stats()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("password", PASSWORDS)
def test_password(scheme: str, password: str) -> None:
    """No message or cause shows a password, with any quoting and any scheme."""
    url = f"{scheme}://app:{password}@127.0.0.1:1/app?schema=jobs&schema=jobs"
    assert SECRET not in urls.redact(url)
    assert SECRET not in traceback_of(lambda: open_backend(url))
    if scheme != "acme":
        assert SECRET not in traceback_of(lambda: Runner(url).backend)


@pytest.mark.parametrize("url", WRONG)
def test_wrong_url(url: str) -> None:
    """No message shows a secret in a port, an option or a string that is not a URL."""
    assert SECRET not in urls.redact(url)
    shown = traceback_of(lambda: use(url))
    assert shown
    assert SECRET not in shown


@pytest.mark.parametrize("password", ["", "%40"])
def test_server_that_is_not_there(password: str) -> None:
    """If the server cannot be reached, neither the error nor a repr shows a correctly quoted password."""
    url = f"postgresql://app:{password}{SECRET}@127.0.0.1:1/db?connect_timeout=2&pool_timeout=1"
    shown = traceback_of(lambda: use(url))
    assert "127.0.0.1" in shown
    assert SECRET not in shown
    with open_backend(url) as backend:
        assert SECRET not in repr(backend) + repr(vars(backend))


@pytest.mark.parametrize(
    "url",
    [b"postgresql://u:S3CRET@h/db", ["postgresql://u:S3CRET@h/db"], Path("postgresql://u:S3CRET@h"), ("a://S3CRET@",)],
)
def test_other_types(url: Any) -> None:
    """A URL of another type is rejected; the error shows its type but not its value."""
    for error, call in (
        (InvalidArgument, lambda: Runner(url)),
        (ConfigurationError, lambda: Runner(backend=url)),
        (ConfigurationError, lambda: open_backend(url)),
        (ConfigurationError, lambda: Runner(bakend=url)),  # type: ignore[call-arg]  # wrong on purpose
    ):
        with pytest.raises(error) as caught:
            call()
        assert SECRET not in "".join(format_exception(caught.value))


def test_misspelled_setting() -> None:
    """A URL in an unknown setting is redacted."""
    with pytest.raises(ConfigurationError, match=r"bakend.*postgresql://\*\*\*@h/db") as caught:
        Runner(bakend=f"postgresql://u:{SECRET}@h/db")  # type: ignore[call-arg]  # wrong on purpose
    assert SECRET not in "".join(format_exception(caught.value))


def test_cause() -> None:
    """An error is hidden as a cause if its text, or its own cause's text, contains a secret."""
    url = f"acme://u:{SECRET}%40@h/db?token=T0KEN&authMechanismProperties=A:B0B,C:D0D"
    secrets = urls.secrets(url)
    inner = ValueError(f"bad {SECRET}@")
    outer = ValueError("bad")
    outer.__cause__ = inner
    assert urls.cause(inner, secrets) is None
    assert urls.cause(outer, secrets) is None
    assert urls.cause(plain := ValueError("bad"), secrets) is plain
    assert urls.scrub(f"{SECRET}@ T0KEN B0B D0D acme", secrets) == "*** *** *** *** acme"


def test_short_secret() -> None:
    """A short secret is removed only as a whole word."""
    assert urls.scrub("a bad a", urls.secrets("acme://u:a@h")) == "*** bad ***"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://app:x%20y%40z%3F%25@db.example.org:5432/app?schema=jobs",
        "postgresql://a:1,b:2/app",
        "postgresql://u:p@[::1]:5432/app",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/app",
        "mongodb://u:p@a:1,b:2,c/app?replicaSet=rs0",
        "sqlite:////srv/my jobs@home/100%.db",
        "memory://name",
    ],
)
def test_right_url(url: str) -> None:
    """A correctly quoted URL, or one without special characters, is accepted."""
    assert urls.check(url) == url
    open_backend(url).close()
