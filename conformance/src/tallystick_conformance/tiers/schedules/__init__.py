"""Systematic schedules: small programs whose workers are pre-empted at each step."""
