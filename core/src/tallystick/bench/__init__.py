"""Measure a store: the works of `tallystick bench`, and the limits of the store. Only this command imports it."""
