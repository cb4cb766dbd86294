"""`tallystick top`: the overview in a terminal, with pause, resume and retry. Start at `app`."""
