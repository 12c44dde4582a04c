"""`python -m halopy`: the same as the command `halopy`."""

from .command.run import main

if __name__ == "__main__":
    main()
