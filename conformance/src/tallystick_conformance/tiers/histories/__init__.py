"""Rounds of random calls by concurrent clients, whose histories are checked against each rule."""
