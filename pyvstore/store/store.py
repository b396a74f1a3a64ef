"""The door of the store."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from pyvstore.errors import StoreError
from pyvstore.events import SILENT, Reporter, StoreOpened, Warned
from pyvstore.fs.files import make_directories, make_directory, rename, set_mode, set_time
from pyvstore.fs.locks import lock, lock_directory
from pyvstore.fs.removal import remove_tree
from pyvstore.fs.trouble import NO_ROOM_OR_RIGHT, advice_on, cause_of
from pyvstore.model.entry import SUFFIX_LENGTH, EntryKey, parse_entry_dirname
from pyvstore.model.manifest import FileRow, Manifest, Node
from pyvstore.plan.fold import Source
from pyvstore.store.integrity import differences, last_change
from pyvstore.store.layout import FORMAT_DIRECTORY, MANIFEST_NAME, SEALED_DIRECTORY, SHELVES
from pyvstore.wheel.manifest_format import children_of, parse_manifest_head, parse_manifest_rows


@dataclass(frozen=True, slots=True)
class Entry:
    """A complete entry: its manifest and the absolute path of its root."""

    manifest: Manifest
    root: str

    def read(self, path: str) -> bytes:
        """Return the content of one file; raises StoreError when it cannot be read."""
        return _read(self.root, path)


class Store:
    """One store home of this machine.

    Making the object touches nothing; `open` makes the directories.
    """

    def __init__(self, home: str, reporter: Reporter = SILENT) -> None:
        self.home = home
        self.root = os.path.join(home, FORMAT_DIRECTORY)
        self._reporter = reporter
        self._damaged: set[str] = set()

    def shelf(self, name: str) -> str:
        """Return the absolute path of one of the store's directories."""
        return os.path.join(self.root, name)

    def open(self) -> None:
        """Make sure that the store's directories exist; says so when it is the first time.

        Raises StoreError when they cannot be made.
        """
        is_new = not os.path.isdir(self.root)
        try:
            for name in SHELVES:
                make_directories(self.shelf(name))
        except OSError as error:
            raise store_error(f"the store {self.home} cannot be used", error) from error
        if is_new:
            self._reporter.emit(StoreOpened(self.home))

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Keep everybody from removing entries for the block."""
        with self.locked("store", shared=True):
            yield

    @contextlib.contextmanager
    def locked(self, name: str, *, shared: bool = False) -> Iterator[None]:
        """Hold one of the store's locks for the block; raises StoreError when it cannot be taken."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lock(os.path.join(self.shelf("locks"), name), shared=shared))
            except OSError as error:
                raise store_error("a lock in the store cannot be taken", error) from error
            yield

    @contextlib.contextmanager
    def project_lock(self, root: str, identifier: str) -> Iterator[None]:
        """Keep every other command off the project in the folder ``root`` for the block.

        The folder itself is locked, so that a project costs the store no file; where the file system cannot do that, a
        file in the store is.
        """
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(lock_directory(root))
            except OSError:
                stack.enter_context(self.locked(f"project-{identifier}"))
            yield

    def find(self, key: EntryKey) -> Entry | None:
        """Return the entry of ``key``, or None when the store does not have it.

        The directory's name carries a part of the hash only, so the manifest's full hash decides. An entry whose
        manifest is damaged, that lost a file or directory which farms link to, or in which another program was seen to
        have changed something, counts as absent. Finishes an interrupted seal. Raises StoreError when an entry cannot
        be read or is of a newer format.
        """
        for length in (SUFFIX_LENGTH, len(key.sha256)):
            root = os.path.join(self.shelf("entries"), key.dirname(length))
            manifest = self._manifest(root)
            if manifest is not None and manifest.wheel_sha256 == key.sha256:
                return Entry(manifest, root)
        return None

    def names(self) -> frozenset[str]:
        """Return the normalised names of the distributions that have entries; none where the shelf cannot be read."""
        try:
            found = map(parse_entry_dirname, os.listdir(self.shelf("entries")))
        except OSError:
            return frozenset()
        return frozenset(parsed[0] for parsed in found if parsed is not None)

    def _manifest(self, root: str) -> Manifest | None:
        try:
            mode = os.lstat(root).st_mode
            with open(os.path.join(root, MANIFEST_NAME), "rb") as stream:
                head = stream.readline()
                is_cut = not _ends_whole(stream)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise store_error(f"the entry {os.path.basename(root)} cannot be read", error) from error
        if stat.S_IMODE(mode) != SEALED_DIRECTORY:
            with contextlib.suppress(OSError):  # another user's store, or a read-only one
                set_mode(root, SEALED_DIRECTORY)
        try:
            manifest = parse_manifest_head(head)
        except StoreError as error:
            if error.code == "manifest-malformed":
                return None
            raise
        return manifest if not is_cut and self._is_intact(manifest, root) else None

    def _is_intact(self, manifest: Manifest, root: str) -> bool:
        """Whether all is there that farms link to, and, where a name came or went in it, every file is what it was."""
        path = os.path.join(root, MANIFEST_NAME)
        if root in self._damaged:
            return False
        try:
            changed = last_change(manifest.tree, root)
            if changed <= os.lstat(path).st_mtime_ns:
                return True
            differing = differences(root, StoreLibrary().rows(Source(manifest, root)))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise store_error(f"the entry {os.path.basename(root)} cannot be read", error) from error
        if not differing:
            with contextlib.suppress(OSError):  # another user's store
                set_time(path, changed)
            return True
        self._damaged.add(root)
        where = f"{differing[0]} and {len(differing) - 1} more" if len(differing) > 1 else differing[0]
        message = f"{os.path.basename(root)} was changed by another program ({where}): it must be made again"
        self._reporter.emit(Warned("entry-changed", message))
        return False

    def ingest(self, wheel: str, key: EntryKey, filename: str) -> tuple[Entry, bool]:
        """Make the entry of a verified wheel, unless it is there by now; return it and whether this call made it.

        Args:
            wheel: path of the wheel file, whose sha256 the caller has compared with ``key``'s.
            key: the entry's key.
            filename: the wheel's own file name (``wheel`` may be a temporary file).

        Raises WheelError for a wheel that must not be unpacked and StoreError where the disk refuses; then nothing is
        published and the stage is gone. If it dies midway the next call sweeps the stage.
        """
        from pyvstore.store.ingest import ingest_wheel  # the wheel room costs more than a relink

        with self.locked(key.dirname()):
            entry = self.find(key)
            if entry is not None:
                return entry, False
            root = os.path.join(self.shelf("entries"), key.dirname())
            if os.path.lexists(root):
                if self._manifest(root) is None:
                    self._discard(root)  # not published by us whole: a half-made entry is an absent one
                else:
                    root = os.path.join(self.shelf("entries"), key.dirname(len(key.sha256)))
            stage = os.path.join(self.shelf("stage"), key.dirname())
            try:
                if os.path.lexists(stage):
                    remove_tree(stage)
                make_directory(stage)
                try:
                    manifest = ingest_wheel(wheel, filename, key, stage)
                    rename(stage, root)
                except BaseException:
                    with contextlib.suppress(OSError):  # what is left is swept by the next maker of this entry
                        remove_tree(stage)
                    raise
                set_mode(root, SEALED_DIRECTORY)
            except OSError as error:
                raise store_error(f"{key.name} {key.version} could not be put into the store", error) from error
            return Entry(manifest, root), True

    def _discard(self, root: str) -> None:
        trash = os.path.join(self.shelf("stage"), os.path.basename(root) + ".damaged")
        try:
            if os.path.lexists(trash):
                remove_tree(trash)
            if os.path.isdir(root) and not os.path.islink(root):
                set_mode(root, 0o755)
            rename(root, trash)
            self._damaged.discard(root)
            remove_tree(trash)
        except OSError as error:
            raise store_error(f"the entry {os.path.basename(root)} could not be removed", error) from error


def _ends_whole(stream: BinaryIO) -> bool:
    """Whether the rows of a manifest whose head was read end as they must: a disk that lost power may have cut them."""
    start = stream.tell()
    end = stream.seek(0, os.SEEK_END)
    stream.seek(max(start, end - 2))
    return stream.read() == b"]\n"


class StoreLibrary:
    """Answers what planning asks about an entry's inside; reads a manifest's rows at most once each."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, FileRow]] = {}

    def rows(self, source: Source) -> dict[str, FileRow]:
        """Return every file of the entry by path. Raises StoreError when the manifest cannot be read."""
        rows = self._rows.get(source.root)
        if rows is None:
            try:
                with open(os.path.join(source.root, MANIFEST_NAME), "rb") as stream:
                    stream.readline()
                    line = stream.readline()
            except OSError as error:
                raise store_error(f"the entry {os.path.basename(source.root)} cannot be read", error) from error
            rows = self._rows[source.root] = {row.path: row for row in parse_manifest_rows(line)}
        return rows

    def children(self, source: Source, directory: str) -> Mapping[str, Node]:
        """See `plan.fold.Library`."""
        return children_of(tuple(self.rows(source).values()), directory)

    def row(self, source: Source, path: str) -> FileRow:
        """See `plan.fold.Library`. Raises StoreError when the entry has no such file."""
        try:
            return self.rows(source)[path]
        except KeyError as error:
            raise StoreError(f"{os.path.basename(source.root)} has no {path}", code="entry-damaged") from error

    def content(self, source: Source, path: str) -> bytes:
        """See `plan.fold.Library`. Raises StoreError when the file cannot be read."""
        return _read(source.root, path)


def _read(root: str, path: str) -> bytes:
    try:
        with open(os.path.join(root, path), "rb") as stream:
            return stream.read()
    except OSError as error:
        raise store_error(f"the entry {os.path.basename(root)} cannot be read", error) from error


def store_error(message: str, error: OSError) -> StoreError:
    """Translate what the disk says into our error, with the next thing to do."""
    return StoreError(
        message,
        code="store-write" if error.errno in NO_ROOM_OR_RIGHT else "store",
        causes=[cause_of(error)],
        hint=advice_on(error, "set PYVSTORE_HOME to a place that you may write, or mend the permissions"),
    )
