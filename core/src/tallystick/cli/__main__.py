"""Run `python -m tallystick.cli`, for when the `tallystick` script is not on the path."""

from . import main

if __name__ == "__main__":
    main()
