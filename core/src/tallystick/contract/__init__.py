"""The contract between the runner and a backend: records, their states and changes, registers and schedules."""
