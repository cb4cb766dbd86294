"""Failures of the network between a client and its server."""
