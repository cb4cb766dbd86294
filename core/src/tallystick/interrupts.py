"""Which exceptions end the program, and which only end the user's code that raised them."""

from threading import current_thread, main_thread


def from_signal(exc: BaseException, *kinds: type[BaseException]) -> bool:
    """Return whether a signal may have raised this; then it must reach the main thread's own code.

    Python runs signal handlers in the main thread only: Ctrl-C raises KeyboardInterrupt there, and a handler for
    SIGTERM often raises SystemExit. In any other thread the user's code raised it.

    Args:
        exc: What was raised.
        kinds: The kinds that count; by default both.
    """
    # issubclass, since isinstance reads `exc.__class__`, which may be the user's code
    return issubclass(type(exc), kinds or (KeyboardInterrupt, SystemExit)) and current_thread() is main_thread()
