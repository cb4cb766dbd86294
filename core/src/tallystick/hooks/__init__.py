"""Plugins and callbacks: how others add a backend, or learn what happens to a job."""
