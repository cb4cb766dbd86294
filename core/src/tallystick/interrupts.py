"""Distinguish exceptions that end the program from those that the user's code raised."""

from threading import current_thread, main_thread


def from_signal(exc: BaseException, *kinds: type[BaseException]) -> bool:
    """Return whether a signal may have raised this exception, which then must propagate in the main thread.

    Python runs signal handlers only in the main thread: Ctrl-C raises KeyboardInterrupt there, and a handler for
    SIGTERM often raises SystemExit. In any other thread, the user's code raised the exception.

    Args:
        exc: The exception.
        kinds: The exception types to check for; by default KeyboardInterrupt and SystemExit.
    """
    # not isinstance, which reads `exc.__class__`: the user's code may define it
    return issubclass(type(exc), kinds or (KeyboardInterrupt, SystemExit)) and current_thread() is main_thread()
