"""Generated programs: a state machine makes calls on a backend and on the model, and compares every result."""
