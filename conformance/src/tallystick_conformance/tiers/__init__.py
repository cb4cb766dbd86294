"""Hand-written tests of clients, processes and network failures that interfere with each other."""
