"""Backends with one known bug each, and the kill matrix, which proves the kit."""
