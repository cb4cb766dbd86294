"""The settings of a runner, and the forms in which they and payloads are stored."""
