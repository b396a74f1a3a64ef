"""The shelf of selections: what a lockfile meant, by everything that this depends on.

A second worktree with the same files finds here what the first has worked out and parses nothing. The name is a digest
of the inputs, so an entry never goes stale; one that cannot be read counts as absent.
"""

from __future__ import annotations

import json
import os

from pyvstore.fs.files import write_atomic
from pyvstore.store.store import Store

TYPE_CHECKING = False  # a type only
if TYPE_CHECKING:
    from typing import Any


def read_selection(store: Store, digest: str) -> dict[str, Any] | None:
    """Return what was written under ``digest``, or None."""
    try:
        with open(_path(store, digest), "rb") as stream:
            found = json.loads(stream.read())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def write_selection(store: Store, digest: str, value: dict[str, Any]) -> None:
    """Keep ``value`` under ``digest``; a store that cannot be written does without."""
    try:
        write_atomic(_path(store, digest), json.dumps(value, separators=(",", ":"), sort_keys=True).encode())
    except OSError:
        return


def _path(store: Store, digest: str) -> str:
    return os.path.join(store.shelf("selections"), digest + ".json")
