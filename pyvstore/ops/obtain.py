"""Have every wheel of a selection in the store: what is there is used, what is missing is fetched and put there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from pyvstore.errors import FarmError, FetchError
from pyvstore.events import Ingested, Warned
from pyvstore.fs.removal import remove_file
from pyvstore.model.selection import Pin, Selection
from pyvstore.ops.context import Project
from pyvstore.store.scratch import scratch
from pyvstore.store.store import Entry, Store

INGEST_WORKERS = 3


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


def require_all(project: Project, selection: Selection) -> Obtained:
    """Return the entries of ``selection``, all of which must be in the store: no network is used.

    Raises FarmError (``entry-missing``) that names the missing ones.
    """
    found = find_all(project.store, selection)
    entries = [entry for entry in found.values() if entry is not None]
    if len(entries) < len(found):
        missing = [f"{pin.name} {pin.version}" for pin, entry in found.items() if entry is None]
        raise FarmError(
            f"the store does not have {_listed(missing)}",
            code="entry-missing",
            hint="run `pyvstore sync`, which downloads what is missing",
        )
    return Obtained(tuple(entries), frozenset(), 0)


def obtain_all(project: Project, selection: Selection) -> Obtained:
    """Return the entries of ``selection``, downloading and ingesting what the store lacks.

    Ingesting overlaps with downloading. Raises FetchError, WheelError or StoreError; entries that were published until
    then stay (they are complete), downloads do not.
    """
    found = find_all(project.store, selection)
    missing = [pin for pin, entry in found.items() if entry is None]
    if missing and project.context.offline:
        raise FetchError(
            f"the store does not have {_listed([f'{pin.name} {pin.version}' for pin in missing])}",
            code="offline",
            hint="run the command without `--offline`",
        )
    if missing:
        found.update(_ingest_missing(project, missing))
    entries = tuple(entry for entry in found.values() if entry is not None)
    return Obtained(entries, frozenset(pin.name for pin in missing), sum(pin.size_bytes or 0 for pin in missing))


def _ingest_missing(project: Project, missing: Sequence[Pin]) -> dict[Pin, Entry]:
    from pyvstore.index.download import download_all

    made: dict[Pin, Entry] = {}
    reporter = project.context.reporter
    with scratch(project.store) as directory, ThreadPoolExecutor(INGEST_WORKERS, "ingest") as pool:
        futures: dict[Future[tuple[Entry, bool]], Pin] = {}
        try:
            for pin, download in download_all(missing, directory, reporter=reporter):
                futures[pool.submit(_ingest, project.store, pin, download.path)] = pin
            for future, pin in futures.items():
                entry, is_new = future.result()
                made[pin] = entry
                if is_new:
                    reporter.emit(Ingested(os.path.basename(entry.root)))
                    for code, message in entry.manifest.warnings:
                        reporter.emit(Warned(code, f"{pin.name} {pin.version}: {message}"))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return made


def _ingest(store: Store, pin: Pin, path: str) -> tuple[Entry, bool]:
    entry, is_new = store.ingest(path, pin.key, pin.filename)
    remove_file(path)
    return entry, is_new


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
