"""Advisory locks between processes.

The lock file is never the data: it is empty, it stays when the lock is released (removing it would let two processes
hold "the" lock on two inodes), and the kernel releases the lock when its holder dies. Own code rather than a library,
because readers need a *shared* mode and the import must be cheap.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from pyvstore.fs.files import make_directories

if sys.platform == "win32":
    import msvcrt

    def _acquire(descriptor: int, *, shared: bool, wait: bool) -> bool:  # noqa: ARG001 - Windows ranges have no shared mode here
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    return False
                continue
            return True
else:
    import fcntl

    def _acquire(descriptor: int, *, shared: bool, wait: bool) -> bool:
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_MODE = 0o644


def _open(path: str) -> int:
    flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(path, os.O_RDWR | flags)
    except FileNotFoundError:
        make_directories(os.path.dirname(path))
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | flags)  # others may see the same file system and write
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | flags, _MODE)
    if hasattr(os, "fchmod"):
        with contextlib.suppress(PermissionError):  # another user was quicker
            os.fchmod(descriptor, _MODE)
    return descriptor


@contextlib.contextmanager
def lock(path: str, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock ``path`` for the block, waiting as long as it takes.

    Several holders may share it with ``shared``. The file and its directory are made when missing. Raises OSError when
    the file cannot be opened. A holder that dies releases it.
    """
    with _held(path, shared=shared, wait=True):
        yield


@contextlib.contextmanager
def try_lock(path: str, *, shared: bool = False) -> Iterator[bool]:
    """Like `lock`, but yield False at once when another process holds it."""
    with _held(path, shared=shared, wait=False) as held:
        yield held


@contextlib.contextmanager
def lock_directory(path: str) -> Iterator[None]:
    """Hold a lock on the directory itself for the block; nothing is created.

    Raises OSError where the platform or the file system (some network ones) cannot lock a directory.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        _acquire(descriptor, shared=False, wait=True)
        yield
    finally:
        _release(descriptor)


@contextlib.contextmanager
def _held(path: str, *, shared: bool, wait: bool) -> Iterator[bool]:
    while True:
        descriptor = _open(path)
        try:
            held = _acquire(descriptor, shared=shared, wait=wait)
            # The file may have been replaced while we waited: a lock on a nameless inode excludes nobody.
            if held and not _is_still(path, descriptor):
                continue
            yield held
            return
        finally:
            _release(descriptor)


def _release(descriptor: int) -> None:
    with contextlib.suppress(OSError):  # it is released all the same, and holds no data
        os.close(descriptor)


def _is_still(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
