"""Convert rows of `workers.sql` to workers."""

import logging
from collections.abc import Iterator, Sequence

from tallystick import Beat, InvalidArgument, WorkerInfo

from . import rows
from .rows import Row

logger = logging.getLogger("tallystick.postgres")


def workers(found: Sequence[Row]) -> Iterator[WorkerInfo]:
    """Yield the worker of each row; log a row whose description is damaged, and skip it."""
    for name, beat, seen_at, alive_until in found:
        try:
            described = Beat.from_json(name, beat)
        except InvalidArgument as exc:
            logger.warning("worker %s is not listed: %s", ascii(name), exc)
            continue
        seen = rows.moment(seen_at)
        yield described.info(seen, rows.moment(alive_until) - seen)
