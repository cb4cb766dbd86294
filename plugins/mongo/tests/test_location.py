from urllib.parse import quote

import pytest
from tallystick import ConfigurationError
from tallystick_mongo import MongoBackend
from tallystick_mongo.location import Location


def test_options_and_driver_options() -> None:
    """Unknown options are passed to the driver, and missing ones get defaults."""
    location = Location.parse("mongodb://h:1,g:2/d?collection=c&replicaSet=r&notify=no&w=2")
    assert (location.database, location.named("jobs"), location.options.notify) == ("d", "c.jobs", False)
    assert location.uri == "mongodb://h:1,g:2/d?replicaSet=r&w=2"
    assert "w" not in location.arguments
    assert location.arguments["journal"] is True
    assert Location.parse("mongodb://h").arguments["w"] == "majority"
    assert Location.parse("mongodb://h").database == "tallystick"


@pytest.mark.parametrize("name", Location.parse("mongodb://h").arguments)
def test_options_of_the_url_override_defaults(name: str) -> None:
    """A driver option in the URL, in any spelling, overrides the default."""
    value = {"appname": "mine", "w": "1", "journal": "false"}.get(name, "4000")
    assert name not in Location.parse(f"mongodb://h/?{name.lower()}={value}").arguments


@pytest.mark.parametrize(
    ("url", "milliseconds"),
    [
        ("mongodb://h", 5_000),
        ("mongodb://h,g", 20_000),
        ("mongodb://h/?replicaset=rs", 20_000),
        ("mongodb+srv://h.invalid", 20_000),
        ("mongodb://h,g/?serverSelectionTimeoutMS=7", None),
    ],
)
def test_calls_outlast_an_election(url: str, milliseconds: int | None) -> None:
    """If another primary may be elected, the default server selection timeout is longer."""
    assert Location.parse(url).arguments.get("serverSelectionTimeoutMS") == milliseconds


def test_parsing_makes_no_dns_lookup() -> None:
    """Parsing a `mongodb+srv` URL does not look up its name."""
    location = Location.parse("mongodb+srv://cluster.invalid/d?srvMaxHosts=1&collection=c")
    assert location.uri == "mongodb+srv://cluster.invalid/d?srvMaxHosts=1"


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://u:secret@h/d?nope=1",
        "mongodb://u:secret@h:port/d",
        "mongodb://u:secret/x@h/d",
        "mongodb://u:secret@h/d?w=0",
        "mongodb://u:secret@h/a.b",
        "mongodb:///d",
    ],
)
def test_bad_urls(url: str) -> None:
    """An invalid URL is rejected when it is parsed, and the message does not show its password."""
    with pytest.raises(ConfigurationError) as raised:
        MongoBackend.from_url(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "system", "system.x", "a b", "a.b", "$x", "a\0b", "ä", "x" * 61, "-a", "a/b"])
def test_hostile_names(name: str) -> None:
    """An invalid name of a collection or database is rejected, and the message lists the allowed characters."""
    with pytest.raises(ConfigurationError, match="characters of A-Z, a-z, 0-9"):
        MongoBackend.from_url(f"mongodb://h/d?collection={quote(name)}")
    if name and "/" not in name:
        with pytest.raises(ConfigurationError):
            MongoBackend.from_url(f"mongodb://h/{quote(name)}")


def test_namespaces_are_collections() -> None:
    """A namespace is a prefix of collections, and the other options are kept."""
    assert MongoBackend.namespaced("mongodb://h/d?w=1", "a") == "mongodb://h/d?w=1&collection=tallystick_a"
