"""Room for downloads, gone afterwards; what dead processes left is swept."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

from pyvstore.fs.files import make_directory
from pyvstore.fs.locks import lock, try_lock
from pyvstore.fs.removal import remove_file, remove_tree
from pyvstore.model.farm import TEMPORARY_SUFFIX
from pyvstore.store.store import Store, store_error

_LOCK_SUFFIX = ".lock"
_OLD_SECONDS = 24 * 3600
_REMEMBERED = ("index", "interpreters", "selections")


@contextlib.contextmanager
def scratch(store: Store) -> Iterator[str]:
    """Give the block a fresh directory on the store's file system and remove it afterwards.

    A lock beside the directory says that its maker lives; see `sweep_scratch`, which also removes what could not be
    removed here. Raises StoreError when the directory cannot be made.
    """
    shelf = store.shelf("tmp")
    _sweep_remembered(store)
    directory = os.path.join(shelf, os.urandom(8).hex())
    with contextlib.ExitStack() as stack:
        try:
            stack.callback(_remove, directory)  # before there is anything, so that an interrupt leaves nothing
            stack.enter_context(lock(directory + _LOCK_SUFFIX))
            make_directory(directory)
        except OSError as error:
            raise store_error("the store has no room for downloads", error) from error
        yield directory


def _remove(directory: str) -> None:
    """Remove a scratch directory, and then its lock: while the directory is there, the lock leads a sweep to it."""
    with contextlib.suppress(OSError):
        with contextlib.suppress(FileNotFoundError):
            remove_tree(directory)
        remove_file(directory + _LOCK_SUFFIX)


def sweep_scratch(store: Store) -> None:
    """Remove the scratch directories whose makers died; never fails."""
    shelf = store.shelf("tmp")
    with contextlib.suppress(OSError):
        for name in os.listdir(shelf):
            if name.endswith(_LOCK_SUFFIX):
                _sweep_one(os.path.join(shelf, name))


def _sweep_one(path: str) -> None:
    with contextlib.suppress(OSError), try_lock(path) as nobody_lives:
        if nobody_lives:
            _remove(path.removesuffix(_LOCK_SUFFIX))


def _sweep_remembered(store: Store) -> None:
    """Remove half-written files of what is only remembered, once they are too old for anybody to be writing them."""
    for shelf in _REMEMBERED:
        for directory, _, names in os.walk(store.shelf(shelf)):
            for name in names:
                path = os.path.join(directory, name)
                with contextlib.suppress(OSError):
                    if name.endswith(TEMPORARY_SUFFIX) and time.time() - os.lstat(path).st_mtime > _OLD_SECONDS:
                        remove_file(path)
