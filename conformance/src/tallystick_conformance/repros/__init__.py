"""Reproduce violations: with a script for people, and with a trace that later runs replay first."""
