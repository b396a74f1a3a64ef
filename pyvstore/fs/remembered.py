"""Small values that are remembered in files: whole as they were written, or absent.

A memory that a disk damaged, or that somebody edited, may still be JSON of the right shape and say what was never true.
So its first line is a checksum of the rest. It protects from accidents, not from those who may write the store.
"""

from __future__ import annotations

import hashlib
import json

from pyvstore.fs.files import write_atomic

TYPE_CHECKING = False  # a type only
if TYPE_CHECKING:
    from typing import Any


def read_remembered(path: str) -> dict[str, Any] | None:
    """Return the value that `write_remembered` put there; None where there is none, or it is not whole any more."""
    try:
        with open(path, "rb") as stream:
            checksum, _, data = stream.read().partition(b"\n")
        found = json.loads(data) if checksum == _checksum(data) else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_remembered(path: str, value: dict[str, Any]) -> None:
    """Put ``value``, a table that JSON can hold, into a file in one step; raises OSError."""
    data = json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    write_atomic(path, _checksum(data) + b"\n" + data)


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
