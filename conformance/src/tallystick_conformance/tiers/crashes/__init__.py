"""Processes that die at each step of a call."""
