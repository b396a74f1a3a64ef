"""The shelf of selections: what a lockfile meant, by everything that this depends on.

A second worktree with the same files finds here what the first has worked out and parses nothing. The name is a digest
of the inputs, so an entry never goes stale; one that cannot be read counts as absent.
"""

from __future__ import annotations

import os

from pyvstore.fs.remembered import read_remembered, write_remembered
from pyvstore.store.store import Store

TYPE_CHECKING = False  # a type only
if TYPE_CHECKING:
    from typing import Any


def read_selection(store: Store, digest: str) -> dict[str, Any] | None:
    """Return what was written under ``digest``, or None."""
    return read_remembered(_path(store, digest))


def write_selection(store: Store, digest: str, value: dict[str, Any]) -> None:
    """Keep ``value`` under ``digest``; a store that cannot be written does without."""
    try:
        write_remembered(_path(store, digest), value)
    except OSError:
        return


def _path(store: Store, digest: str) -> str:
    return os.path.join(store.shelf("selections"), digest + ".json")
