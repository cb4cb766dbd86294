"""The collections of one store, optionally bound to a caller's session."""

from datetime import UTC
from typing import Any, NamedTuple, Self

from bson import CodecOptions
from bson.binary import UuidRepresentation
from bson.codec_options import DatetimeConversion
from pymongo import MongoClient, ReadPreference
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

from .documents import Document
from .location import Location

AnyClient = MongoClient[Any]
Jobs = Collection[Document]

_CODEC: CodecOptions[Any] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    uuid_representation=UuidRepresentation.STANDARD,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,  # else one date beyond Python fails its page
    unicode_decode_error_handler="backslashreplace",
)


class Collections(NamedTuple):
    """The collections of a store. All reads use the primary, because a secondary may show jobs as unclaimed."""

    jobs: Jobs
    queues: Collection[Document]
    batches: Collection[Document]
    schedules: Collection[Document]
    workers: Collection[Document]
    meters: Collection[Document]
    store: Collection[Document]
    session: ClientSession | None = None

    @classmethod
    def of(cls, client: AnyClient, location: Location, session: ClientSession | None = None) -> Self:
        """Return the collections of a location."""
        database: Database[Document] = client.get_database(
            location.database, codec_options=_CODEC, read_preference=ReadPreference.PRIMARY
        )
        jobs, queues, batches, schedules, workers, meters, store = (database[location.named(what)] for what in NAMES)
        return cls(jobs, queues, batches, schedules, workers, meters, store, session)

    @property
    def database(self) -> Database[Document]:
        """The database of the collections."""
        return self.jobs.database


NAMES = ("jobs", "queues", "batches", "schedules", "workers", "meters", "store")
