"""The equipment of every test: its context, its size, violations and their traces, other threads and processes."""
