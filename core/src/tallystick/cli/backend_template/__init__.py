"""Tallystick jobs on acme: say here which store this is."""
