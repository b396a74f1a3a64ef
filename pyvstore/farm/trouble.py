"""The room's edge: what the disk says of an environment becomes a FarmError."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pyvstore.errors import FarmError
from pyvstore.fs.trouble import advice_on, cause_of


@contextlib.contextmanager
def reading(prefix: str) -> Iterator[None]:
    """Turn OSError of the block into a FarmError (``farm-unreadable``)."""
    try:
        yield
    except OSError as error:
        raise FarmError(
            f"the environment {prefix} cannot be read",
            code="farm-unreadable",
            causes=[cause_of(error, prefix)],
            hint=advice_on(error, f"make it readable (`ls -ld {prefix}` shows its owner and modes)"),
        ) from error


@contextlib.contextmanager
def changing(prefix: str) -> Iterator[None]:
    """Turn OSError of the block into a FarmError (``farm-write``)."""
    try:
        yield
    except OSError as error:
        raise FarmError(
            f"the environment {prefix} could not be changed",
            code="farm-write",
            causes=[cause_of(error, prefix)],
            hint=advice_on(error, "make the folder writable, then run the same command again"),
        ) from error
