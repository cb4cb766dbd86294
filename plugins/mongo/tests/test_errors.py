import pytest
from pymongo import errors
from tallystick import Closed, ConfigurationError, InvalidArgument, OutcomeUnknown, TallystickError, Unavailable
from tallystick_mongo import MongoBackend, connection
from tallystick_mongo.errors import ours
from tallystick_mongo.location import Location

POOL_CLOSED = "Attempted to check out a connection from closed connection pool"
UNCONFIRMED = {"writeErrors": [], "writeConcernErrors": [{"code": 64, "errmsg": "too few members in time"}]}
LOCATION = Location.parse("mongodb://u:secret@h")


def test_a_host_that_does_not_answer(silent_port: int) -> None:
    """A host that does not answer is Unavailable."""
    options = "serverSelectionTimeoutMS=500&connectTimeoutMS=500"
    with (
        MongoBackend.from_url(f"mongodb://127.0.0.1:{silent_port}/?{options}") as backend,
        pytest.raises(Unavailable, match="no reachable server"),
    ):
        backend.setup()


def test_a_server_that_is_too_old(mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server older than MongoDB 6 is rejected before anything is created."""
    monkeypatch.setattr(connection, "_OLDEST_WIRE_VERSION", 99)
    with (
        MongoBackend.from_url(mongo_url) as backend,
        pytest.raises(ConfigurationError, match=r"MongoDB 6\.0"),
    ):
        backend.setup()


@pytest.mark.parametrize(
    ("raised", "reading", "writing"),
    [
        (errors.ServerSelectionTimeoutError(), Unavailable, Unavailable),
        (errors.NotPrimaryError("x"), Unavailable, Unavailable),
        (errors.AutoReconnect(), Unavailable, OutcomeUnknown),
        (errors.NetworkTimeout(), Unavailable, OutcomeUnknown),
        (errors.WTimeoutError("x"), Unavailable, OutcomeUnknown),
        (errors.OperationFailure("Authentication failed", 18), ConfigurationError, ConfigurationError),
        (errors.OperationFailure("not allowed", 13), ConfigurationError, ConfigurationError),
        (errors.OperationFailure("no transaction", 251), InvalidArgument, InvalidArgument),
        (errors.OperationFailure("write conflict", 112), Unavailable, Unavailable),
        (errors.OperationFailure("mongos lost its shard", 6), Unavailable, OutcomeUnknown),
        (errors.BulkWriteError(UNCONFIRMED), Unavailable, OutcomeUnknown),
        (errors.InvalidOperation("Cannot use MongoClient after close"), Closed, OutcomeUnknown),
        (errors.PyMongoError(POOL_CLOSED), Closed, OutcomeUnknown),
        (errors.DocumentTooLarge("x"), InvalidArgument, InvalidArgument),
    ],
)
def test_driver_errors_are_mapped(
    raised: Exception, reading: type[TallystickError], writing: type[TallystickError]
) -> None:
    """Driver errors are mapped without showing the password; a lost response is OutcomeUnknown only for writes."""
    assert type(ours(raised, LOCATION)) is reading
    assert type(ours(raised, LOCATION, writing=True)) is writing
    assert "secret" not in str(ours(raised, LOCATION))
