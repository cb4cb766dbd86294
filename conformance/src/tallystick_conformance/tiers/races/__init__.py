"""Races between clients: in threads, in processes and in forks."""
