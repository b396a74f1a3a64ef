"""What is in the farm now. Only looks; never follows a link to look behind it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection

from pyvstore.farm.trouble import reading
from pyvstore.model.farm import TEMPORARY_SUFFIX, Seen, SeenDirectory, SeenFile, SeenLink, SeenOther


def observe(prefix: str, paths: Collection[str]) -> dict[str, Seen]:
    """Return what is at each of ``paths`` (prefix-relative), and at every other name in their directories.

    Absent paths are absent from the result, as is everything behind a link: a path counts only if all its parents are
    real directories. Only the files among ``paths`` are hashed. Of the prefix's own directory only ``paths``, their
    ancestors and what a kill left are listed: the rest of it is nobody's business. Raises FarmError
    (``farm-unreadable``) where something cannot be read.
    """
    wanted = set(paths)
    directories = sorted({parent for path in wanted for parent in _ancestors(path)}, key=lambda path: path.split("/"))
    seen: dict[str, Seen] = {}
    with reading(prefix):
        for directory in directories:
            if directory and not isinstance(seen.get(directory), SeenDirectory):
                continue
            _observe_directory(prefix, directory, wanted, seen)
        for path in wanted:
            if path not in directories and isinstance(seen.get(path), SeenDirectory):
                _observe_directory(prefix, path, wanted, seen)
    return seen


def _observe_directory(prefix: str, directory: str, wanted: set[str], seen: dict[str, Seen]) -> None:
    place = os.path.join(prefix, directory) if directory else prefix
    tops = frozenset() if directory else {path.partition("/")[0] for path in wanted}
    try:
        entries = os.scandir(place)
    except (FileNotFoundError, NotADirectoryError):
        return
    with entries:
        for entry in entries:
            path = f"{directory}/{entry.name}" if directory else entry.name
            if directory or path in tops or path.endswith(TEMPORARY_SUFFIX):
                seen[path] = _observe(entry, is_wanted=path in wanted)


def _ancestors(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts))]


def _observe(entry: os.DirEntry[str], *, is_wanted: bool) -> Seen:
    if entry.is_symlink():
        return SeenLink(os.readlink(entry.path))
    if entry.is_dir(follow_symlinks=False):
        return SeenDirectory()
    status = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        return SeenOther()
    executable = bool(status.st_mode & stat.S_IXUSR)
    if not is_wanted:
        return SeenFile("", executable)
    with open(entry.path, "rb") as stream:
        return SeenFile(hashlib.sha256(stream.read()).hexdigest(), executable)


def list_names(prefix: str, directory: str) -> tuple[str, ...]:
    """Return the sorted names in a directory of the farm; empty when it is not there."""
    try:
        return tuple(sorted(os.listdir(os.path.join(prefix, directory))))
    except FileNotFoundError:
        return ()
