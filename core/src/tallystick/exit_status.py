"""Describe how a process ended."""

import signal


def how_it_ended(code: int) -> str:
    """Return the words for an exit code of `subprocess`: a negative one is the number of a signal."""
    if code >= 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
