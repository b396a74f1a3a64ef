"""Which wheels of a selection the store has. No network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyvstore.errors import FarmError
from pyvstore.model.selection import Pin, Selection
from pyvstore.ops.context import Project
from pyvstore.store.store import Entry, Store


@dataclass(frozen=True, slots=True)
class Obtained:
    """The entries of a selection in its order, and what it took to have them.

    Attributes:
        entries: one for each pin.
        downloaded: names of the pins that came over the network (or from a file).
        downloaded_bytes: their wheels' sizes together.
    """

    entries: tuple[Entry, ...]
    downloaded: frozenset[str]
    downloaded_bytes: int


def find_all(store: Store, selection: Selection) -> dict[Pin, Entry | None]:
    """Look for every pin in the store."""
    return {pin: store.find(pin.key) for pin in selection.pins}


def all_found(found: Mapping[Pin, Entry | None]) -> Obtained | None:
    """Return what `find_all` found if nothing is missing, else None."""
    entries = tuple(entry for entry in found.values() if entry is not None)
    return Obtained(entries, frozenset(), 0) if len(entries) == len(found) else None


def require_all(project: Project, selection: Selection) -> Obtained:
    """Return the entries of ``selection``, all of which must be in the store: no network is used.

    Raises FarmError (``entry-missing``) that names the missing ones.
    """
    found = find_all(project.store, selection)
    obtained = all_found(found)
    if obtained is None:
        missing = [f"{pin.name} {pin.version}" for pin, entry in found.items() if entry is None]
        raise FarmError(
            f"the store does not have {listed(missing)}",
            code="entry-missing",
            hint="run `pyvstore sync`, which downloads what is missing",
        )
    return obtained


def listed(names: Sequence[str]) -> str:
    """Return up to five names and how many more there are."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
