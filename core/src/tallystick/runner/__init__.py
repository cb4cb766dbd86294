"""The runner of an application: enqueue, inspect and change jobs, and start a worker."""
