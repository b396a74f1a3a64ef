"""Deleting, which is only ever done to what we made and never follows a link."""

from __future__ import annotations

import contextlib
import os
import stat


def remove_file(path: str) -> bool:
    """Remove a file or a link (not what it points to); return whether there was one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def remove_empty_directory(path: str) -> bool:
    """Remove ``path`` if it is a real, empty directory; return whether it went."""
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


def remove_tree(path: str) -> None:
    """Remove a real directory and all below it, sealed directories included; links inside are removed, not followed.

    Raises OSError on the first thing that cannot be removed, and NotADirectoryError when ``path`` is a link or a file.
    If it dies midway the rest is still there and the call can be repeated.
    """
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(path)
    if not status.st_mode & stat.S_IWUSR:
        os.chmod(path, 0o700)
    with os.scandir(path) as entries:
        children = list(entries)
    for child in children:
        if child.is_dir(follow_symlinks=False):
            remove_tree(child.path)
        else:
            os.unlink(child.path)
    os.rmdir(path)


def remove_bytecode(directory: str) -> None:
    """Remove the ``.pyc`` files in ``directory`` (a ``__pycache__``), and the directory if it is empty then."""
    if os.path.islink(directory):
        return
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in os.listdir(directory):
            if name.endswith(".pyc"):
                remove_file(os.path.join(directory, name))
        remove_empty_directory(directory)
