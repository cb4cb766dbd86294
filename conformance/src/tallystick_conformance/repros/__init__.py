"""What is kept of a violation: a script that shows it, and a trace that is replayed first by later runs."""
