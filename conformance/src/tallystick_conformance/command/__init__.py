"""The command `tallystick conform`."""

HELP = "Test a backend against the contract: `tallystick conform URL`."
