"""The same world, index and command line as in the tests of the whole tool."""

from tests.integration.conftest import impatient, index, inside, world

__all__ = ["impatient", "index", "inside", "world"]
