"""Tallystick in a Django project.

Add "tallystick_django" to INSTALLED_APPS, and define jobs in the module `jobs` of your applications.
"""

from .enqueueing import enqueue
from .project_runner import ProjectRunner, get_runner

__all__ = ["ProjectRunner", "enqueue", "get_runner"]
