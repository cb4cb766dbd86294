"""Whether this process is a child process of a worker."""

is_child = False
