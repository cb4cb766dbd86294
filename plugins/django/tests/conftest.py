"""The tests of the example project are run by Django, in a process of its own."""

collect_ignore = ["shop"]
