"""The shelf of links: one for each target that farms link to, so that a farm's links are further names of these.

``links/<entry>.<16 hex>``: the digits are a hash of the target. A link whose entry is gone, or that speaks of a store
that was moved, is never used and may be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

from pyvstore.store.store import Store


def link_places(store: Store) -> Callable[[str], str | None]:
    """Return the function from a link's target to its place on the shelf; None for targets outside the store."""
    shelf = store.shelf("links") + os.sep
    entries, records = (store.shelf(name) + os.sep for name in ("entries", "records"))

    def place(target: str) -> str | None:
        if target.startswith(entries):
            entry = target[len(entries) :].partition(os.sep)[0]
        elif target.startswith(records):
            entry = target[len(records) :].rpartition(".")[0]
        else:
            return None
        return f"{shelf}{entry}.{hashlib.sha256(os.fsencode(target)).hexdigest()[:16]}"

    return place
