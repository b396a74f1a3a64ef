"""Have every wheel of a selection in the store: what is there is used, what is missing is fetched and put there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from pyvstore.errors import FetchError
from pyvstore.events import DownloadsPlanned, Ingested, Warned
from pyvstore.fs.removal import remove_file
from pyvstore.index.cache import IndexCache
from pyvstore.index.client import open_transport
from pyvstore.index.download import Downloader
from pyvstore.model.manifest import SITE_PACKAGES
from pyvstore.model.selection import Pin, Selection
from pyvstore.ops.context import Project
from pyvstore.ops.entries import Obtained, find_all, listed
from pyvstore.ops.settings import index_specs
from pyvstore.requirements.settings import Settings
from pyvstore.store.scratch import scratch
from pyvstore.store.store import Entry, Store

SAID_BY_PAGES = frozenset({"hash-mismatch", "no-such-file"})
"""Failures of a download that may be gone as soon as the page that named the file is another."""

INGEST_WORKERS = 3
INGEST_BACKLOG = 16
"""So many downloads at most wait to be unpacked; then no more are taken, and soon none begun."""


def obtain_all(project: Project, selection: Selection, settings: Settings) -> Obtained:
    """Return the entries of ``selection``, downloading and ingesting what the store lacks.

    Ingesting overlaps with downloading. Raises FetchError, WheelError or StoreError; entries that were published until
    then stay (they are complete), downloads do not. FetchError ``metadata-mismatch``: the versions were chosen by
    metadata that a wheel does not have. When a file is not what was promised, or not there, the remembered pages of all
    that was missing are doubted: whoever locks next asks the index.
    """
    found = find_all(project.store, selection)
    missing = [pin for pin, entry in found.items() if entry is None]
    if missing and project.context.offline:
        raise FetchError(
            f"the store does not have {listed([f'{pin.name} {pin.version}' for pin in missing])}",
            code="offline",
            hint="run the command without `--offline`",
        )
    size_bytes = sum(pin.size_bytes or 0 for pin in missing)
    if missing:
        project.context.reporter.emit(DownloadsPlanned(len(missing), size_bytes))
        try:
            found.update(_ingest_missing(project, missing, settings))
        except FetchError as error:
            if error.code in SAID_BY_PAGES:
                _doubt_pages(project, missing, settings)
            raise
    entries = tuple(entry for entry in found.values() if entry is not None)
    _compare_metadata(project, entries, settings)
    return Obtained(entries, frozenset(pin.name for pin in missing), size_bytes)


def _ingest_missing(project: Project, missing: Sequence[Pin], settings: Settings) -> dict[Pin, Entry]:
    made: dict[Pin, Entry] = {}
    reporter, patience = project.context.reporter, project.context.patience
    with (
        scratch(project.store) as directory,
        contextlib.closing(open_transport(index_specs(settings), reporter=reporter, patience=patience)) as transport,
        ThreadPoolExecutor(INGEST_WORKERS, "ingest") as pool,
    ):
        downloader = Downloader(transport, project.store.shelf("index"), offline=False, reporter=reporter)
        futures: dict[Future[tuple[Entry, bool]], Pin] = {}
        try:
            for pin, download in downloader.download_all(missing, directory):
                futures[pool.submit(_ingest, project.store, pin, download.path)] = pin
                _let_some_be_done(futures)
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


def _doubt_pages(project: Project, pins: Sequence[Pin], settings: Settings) -> None:
    for index in index_specs(settings):
        cache = IndexCache(project.store.shelf("index"), index)
        for pin in pins:
            cache.doubt_page(pin.name)


def _let_some_be_done(futures: Iterable[Future[tuple[Entry, bool]]]) -> None:
    """Wait until fewer than `INGEST_BACKLOG` are not done; raises what one of them failed with."""
    pending = [future for future in futures if not future.done()]
    if len(pending) >= INGEST_BACKLOG:
        for future in wait(pending, return_when=FIRST_COMPLETED).done:
            future.result()


def _compare_metadata(project: Project, entries: Sequence[Entry], settings: Settings) -> None:
    """Compare what indexes said of each wheel before it was here with what it says itself.

    Metadata is read from a part of a wheel or from a file beside it, which no hash of the wheel covers.
    """
    for index in index_specs(settings):
        cache = IndexCache(project.store.shelf("index"), index)
        for entry in entries:
            manifest = entry.manifest
            metadata = entry.read(f"{SITE_PACKAGES}/{manifest.dist_info}/METADATA")
            if cache.correct(manifest.wheel_sha256, metadata):
                raise FetchError(
                    f"{index.name} gave metadata of {manifest.name} {manifest.version} that is not the wheel's",
                    code="metadata-mismatch",
                    hint=f"remove pylock.toml if it lists {manifest.name}, then run the command again: "
                    "the wheel's own metadata is believed now",
                )


def _ingest(store: Store, pin: Pin, path: str) -> tuple[Entry, bool]:
    entry, is_new = store.ingest(path, pin.key, pin.filename)
    with contextlib.suppress(OSError):  # the scratch room goes as a whole
        remove_file(path)
    return entry, is_new
