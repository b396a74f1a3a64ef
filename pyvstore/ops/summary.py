"""What changed, by distribution: for the person, and for the farm's state."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pyvstore.events import PackageChanged, Synced, WouldChange
from pyvstore.farm.state import InstalledPackage, read_state
from pyvstore.model.entry import parse_entry_dirname
from pyvstore.model.selection import Selection
from pyvstore.ops.context import Project
from pyvstore.ops.entries import Obtained
from pyvstore.store.store import Entry


def announce(project: Project, selection: Selection) -> None:
    """Say which distributions would change, where their entries are not in the store yet and paths cannot be known."""
    state = read_state(project.prefix)
    after = tuple(
        InstalledPackage(name=pin.name, version=pin.version, direct=pin.direct, entry=pin.key.dirname())
        for pin in selection.pins
    )
    changes = changes_between(state.packages if state else (), after)
    for change in changes:
        project.context.reporter.emit(change)
    project.context.reporter.emit(WouldChange(len(changes)))


def packages_of(selection: Selection, entries: Sequence[Entry]) -> tuple[InstalledPackage, ...]:
    """Return what the farm's state says of a selection and its entries, sorted by normalised name."""
    packages = [
        InstalledPackage(
            name=entry.manifest.display_name,
            version=entry.manifest.version,
            direct=pin.direct,
            entry=os.path.basename(entry.root),
        )
        for pin, entry in zip(selection.pins, entries, strict=True)
    ]
    return tuple(sorted(packages, key=_name))


def _name(package: InstalledPackage) -> str:
    """The normalised name, from the entry's, so that `packaging` need not be imported."""
    parsed = parse_entry_dirname(package.entry)
    return parsed[0] if parsed is not None else package.name.lower()


def changes_between(
    before: Sequence[InstalledPackage], after: Sequence[InstalledPackage]
) -> tuple[PackageChanged, ...]:
    """Return what was added, removed or replaced, sorted by normalised name."""
    old = {_name(package): package for package in before}
    new = {_name(package): package for package in after}
    changes = []
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was is None or now is None or was.entry != now.entry:
            direct = any(package.direct for package in (was, now) if package is not None)
            changes.append(
                PackageChanged(name, was.version if was else None, now.version if now else None, direct=direct)
            )
    return tuple(changes)


def report(
    project: Project, changes: Sequence[PackageChanged], obtained: Obtained, *, paths_changed: int, seconds: float
) -> None:
    """Tell what a sync did."""
    reporter = project.context.reporter
    for change in changes:
        reporter.emit(change)
    linked = [change.name for change in changes if change.new is not None]
    downloaded = len(obtained.downloaded.intersection(linked))
    reporter.emit(
        Synced(
            packages=len(obtained.entries),
            reused=len(linked) - downloaded,
            downloaded=downloaded,
            downloaded_bytes=obtained.downloaded_bytes,
            linked=len(linked),
            paths_changed=paths_changed,
            seconds=seconds,
        )
    )
