"""The one version of every Tallystick distribution."""

__version__ = "0.1.0"
