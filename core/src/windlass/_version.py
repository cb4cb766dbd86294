"""The one version of every Windlass distribution."""

__version__ = "0.1.0"
