"""The tiers that are written by hand: what happens when clients, processes and the network get in each other's way."""
