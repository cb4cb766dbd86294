import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from tallystick import BackendUrl, ConfigurationError, urls


class PoolOptions(BaseModel):
    """The options of a backend."""

    model_config = ConfigDict(extra="forbid")

    pool: int = 4
    schema_name: str = "tallystick"


def test_parts() -> None:
    """`parse` splits a URL into its parts and unquotes them."""
    url = BackendUrl.parse("acme://my%20host:99/some%20path?pool=2&schema_name=")
    assert url == BackendUrl("acme", "my host:99", "/some path", {"pool": "2", "schema_name": ""})


@pytest.mark.parametrize(
    "url", ["", "acme", "acme:", "acme:/x", "://x", "/var/jobs.db", "acme://[::1", "acme://h?pool"]
)
def test_malformed(url: str) -> None:
    """A string that is not `scheme://...` is rejected."""
    with pytest.raises(ConfigurationError, match="is not a"):
        BackendUrl.parse(url)


def test_fragment() -> None:
    """A fragment is rejected, because a file name may contain an unquoted '#'."""
    with pytest.raises(ConfigurationError, match="%23"):
        BackendUrl.parse("sqlite:///jobs#1.db")


def test_option_twice() -> None:
    """An option that occurs twice is rejected."""
    with pytest.raises(ConfigurationError, match=r"repeats an option.*pool, pool"):
        BackendUrl.parse("acme://h?pool=1&pool=2")


def test_options() -> None:
    """The backend's model reads the options, and fills in the defaults."""
    assert BackendUrl.parse("acme://h?pool=9").options(PoolOptions) == PoolOptions(pool=9)


@pytest.mark.parametrize("query", ["pol=9", "pool=many"])
def test_bad_option(query: str) -> None:
    """The error for an unknown or invalid option names it and lists the valid ones."""
    with pytest.raises(ConfigurationError, match=rf"{query.split('=', maxsplit=1)[0]}.*Options are: pool, schema_name"):
        BackendUrl.parse(f"acme://h?{query}").options(PoolOptions)


@pytest.mark.parametrize("name", ["", "A", "a-b", "x" * 33, "é"])
def test_bad_namespace(name: str) -> None:
    """A namespace that some store cannot use as a name is rejected."""
    with pytest.raises(ConfigurationError, match="namespace is"):
        urls.namespace(name)


def test_good_namespace() -> None:
    """A valid namespace is returned unchanged."""
    assert urls.namespace("test_1") == "test_1"


@given(st.text("abcdefg0123456789!$&'()*+,;=~._-", min_size=1))
def test_password_is_never_shown(password: str) -> None:
    """Neither `redact` nor a parse error shows a password, whether in the user info or in the query."""
    secret = f"S3CRET{password}"
    for url in (f"acme://user:{secret}@host/path", f"acme://host/path?password={secret}"):
        assert "S3CRET" not in urls.redact(url)
        assert "host" in urls.redact(url)
        with pytest.raises(ConfigurationError) as caught:
            BackendUrl.parse(url + "#fragment")
        assert "S3CRET" not in str(caught.value)


def test_harmless_url_is_shown_whole() -> None:
    """A URL without a secret is not changed by `redact`."""
    assert urls.redact("sqlite:///var/jobs.db") == "sqlite:///var/jobs.db"
