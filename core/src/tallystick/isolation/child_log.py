"""Send the log of a child process to its worker."""

import copy
import logging
import pickle

from .messages import Connection, Logged

_STANDARD = frozenset(vars(logging.makeLogRecord({})))


class ForwardHandler(logging.Handler):
    """Sends records to the worker, which formats them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record with its message and traceback as text. Without a worker, write it to stderr."""
        try:
            self._connection.send(Logged(_as_text(record)))
        except OSError:
            if logging.lastResort is not None:
                logging.lastResort.handle(record)
        except Exception:
            self.handleError(record)


def forward_logs(connection: Connection, level: int) -> None:
    """Send what reaches the root logger to the worker. A later `logging.basicConfig` of the application is ignored."""
    logging.basicConfig(level=level, handlers=[ForwardHandler(connection)], force=True)


def _as_text(record: logging.LogRecord) -> logging.LogRecord:
    sent = copy.copy(record)
    sent.msg, sent.args = record.getMessage(), None
    if record.exc_info:
        sent.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
    sent.exc_info = None
    try:
        pickle.dumps(sent)
    except Exception:  # an extra field
        sent.__dict__.update({name: repr(value) for name, value in vars(sent).items() if name not in _STANDARD})
    return sent
