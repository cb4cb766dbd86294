"""Generated programs: a state machine makes calls on a backend and on the model, and every answer is compared."""
