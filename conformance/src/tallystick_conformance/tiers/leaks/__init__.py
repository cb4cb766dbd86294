"""Resources that clients keep: after they are closed, and while they are idle."""
