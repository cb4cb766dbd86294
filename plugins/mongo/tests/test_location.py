from urllib.parse import quote

import pytest
from tallystick import ConfigurationError
from tallystick_mongo import MongoBackend
from tallystick_mongo.location import Location


def test_options_are_ours_or_the_drivers() -> None:
    """Options that are not ours are the driver's; what the URL does not say has a default."""
    location = Location.parse("mongodb://h:1,g:2/d?collection=c&replicaSet=r&notify=no&w=2")
    assert (location.database, location.named("jobs"), location.options.notify) == ("d", "c.jobs", False)
    assert location.uri == "mongodb://h:1,g:2/d?replicaSet=r&w=2"
    assert "w" not in location.arguments
    assert location.arguments["journal"] is True
    assert Location.parse("mongodb://h").arguments["w"] == "majority"
    assert Location.parse("mongodb://h").database == "tallystick"


@pytest.mark.parametrize("name", Location.parse("mongodb://h").arguments)
def test_what_the_url_says_is_not_overruled(name: str) -> None:
    """An option of the driver's that the URL gives has no default, however it is written."""
    said = {"appname": "mine", "w": "1", "journal": "false"}.get(name, "4000")
    assert name not in Location.parse(f"mongodb://h/?{name.lower()}={said}").arguments


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
def test_where_there_are_elections_calls_outlast_one(url: str, milliseconds: int | None) -> None:
    """A primary is looked for longer where another may be elected, unless the URL says how long."""
    assert Location.parse(url).arguments.get("serverSelectionTimeoutMS") == milliseconds


def test_a_name_service_is_not_asked() -> None:
    """A `mongodb+srv` URL is read without looking its name up."""
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
    """A URL that cannot work is refused when it is read, and the message shows no password."""
    with pytest.raises(ConfigurationError) as raised:
        MongoBackend.from_url(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", ["", "system", "system.x", "a b", "a.b", "$x", "a\0b", "ä", "x" * 61, "-a", "a/b"])
def test_hostile_names(name: str) -> None:
    """A name that would need care is refused, of collections and of a database; the message says what is allowed."""
    with pytest.raises(ConfigurationError, match="characters of A-Z, a-z, 0-9"):
        MongoBackend.from_url(f"mongodb://h/d?collection={quote(name)}")
    if name and "/" not in name:
        with pytest.raises(ConfigurationError):
            MongoBackend.from_url(f"mongodb://h/{quote(name)}")


def test_namespaces_are_collections() -> None:
    """A namespace is collections beside the URL's; all other options are kept."""
    assert MongoBackend.namespaced("mongodb://h/d?w=1", "a") == "mongodb://h/d?w=1&collection=tallystick_a"
