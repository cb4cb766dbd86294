"""What an application writes: jobs, their options and handlers, and the registry of all kinds."""
