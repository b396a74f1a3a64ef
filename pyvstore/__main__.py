"""`python -m pyvstore`: the same door as the console script."""

from pyvstore.cli.entry import main

if __name__ == "__main__":
    main()
