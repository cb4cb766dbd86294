"""No message shows a password: of URLs that are wrong in any way, of other types, and in what drivers say."""

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


def said(call: Any) -> str:
    """Return the traceback of an error that is one of ours, as a log has it, or nothing."""
    try:
        call()
    except TallystickError as exc:
        return "".join(format_exception(exc))
    return ""


def used(url: str) -> None:
    """Open a store, and try to use it."""
    with open_backend(url) as backend:
        backend.stats()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("password", PASSWORDS)
def test_password(scheme: str, password: str) -> None:
    """A password is in no message, however it is quoted and whatever the scheme, nor in a cause that is shown."""
    url = f"{scheme}://app:{password}@127.0.0.1:1/app?schema=jobs&schema=jobs"
    assert SECRET not in urls.redact(url)
    assert SECRET not in said(lambda: open_backend(url))
    if scheme != "acme":
        assert SECRET not in said(lambda: Runner(url).backend)


@pytest.mark.parametrize("url", WRONG)
def test_wrong_url(url: str) -> None:
    """A secret in a port, an option or in the place of a URL is in no message."""
    assert SECRET not in urls.redact(url)
    told = said(lambda: used(url))
    assert told
    assert SECRET not in told


@pytest.mark.parametrize("password", ["", "%40"])
def test_server_that_is_not_there(password: str) -> None:
    """A password that is quoted well is not shown when the server cannot be reached, nor by a repr."""
    url = f"postgresql://app:{password}{SECRET}@127.0.0.1:1/db?connect_timeout=2&pool_timeout=1"
    told = said(lambda: used(url))
    assert "127.0.0.1" in told
    assert SECRET not in told
    with open_backend(url) as backend:
        assert SECRET not in repr(backend) + repr(vars(backend))


@pytest.mark.parametrize(
    "url",
    [b"postgresql://u:S3CRET@h/db", ["postgresql://u:S3CRET@h/db"], Path("postgresql://u:S3CRET@h"), ("a://S3CRET@",)],
)
def test_other_types(url: Any) -> None:
    """A URL of another type is refused by its type, and its value is not shown."""
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
    """A URL that is given to a setting that there is not is redacted."""
    with pytest.raises(ConfigurationError, match=r"bakend.*postgresql://\*\*\*@h/db") as caught:
        Runner(bakend=f"postgresql://u:{SECRET}@h/db")  # type: ignore[call-arg]  # wrong on purpose
    assert SECRET not in "".join(format_exception(caught.value))


def test_cause() -> None:
    """An error whose text, or whose cause's text, has a secret is not shown as a cause; another one is."""
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
    """A short secret is taken out as a word, and other words that it is in stay."""
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
    """A URL that is quoted well, or has nothing to quote, is accepted."""
    assert urls.check(url) == url
    open_backend(url).close()
