"""Control of interleaving: observe the steps of a backend, and decide before each step which worker continues."""

from .choice import NoSteps, steps_of, steps_seen
from .gate import Gate, Run, Stuck, Turn
from .jitter import Jitter, jitter
from .observer import StepObserver

__all__ = ["Gate", "Jitter", "NoSteps", "Run", "StepObserver", "Stuck", "Turn", "jitter", "steps_of", "steps_seen"]
