"""`python -m windlass.cli`, for where the `windlass` script is not on the path."""

from . import main

if __name__ == "__main__":
    main()
