"""Tallystick jobs in MongoDB, on a single node or a replica set."""

from .backend import MongoBackend

__all__ = ["MongoBackend"]
