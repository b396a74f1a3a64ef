"""Small files and directories, written so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pyvstore.model.farm import TEMPORARY_SUFFIX

_NEW_FILE = (
    os.O_WRONLY
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


def temporary_name(path: str) -> str:
    """Return a fresh sibling of ``path`` for staging it; nothing is created."""
    directory, name = os.path.split(path)
    # A long name must not grow beyond the 255 bytes that file systems allow.
    return os.path.join(directory, f".{name[:64]}.{os.urandom(4).hex()}{TEMPORARY_SUFFIX}")


def sweep_temporaries(directory: str, names: Iterable[str]) -> None:
    """Remove what a kill left while one of ``names`` was written in ``directory``.

    The caller sees to it that nobody is writing them now.
    """
    stems = tuple(f".{name[:64]}." for name in names)
    for found in os.listdir(directory):
        if found.endswith(TEMPORARY_SUFFIX) and found.startswith(stems):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(directory, found))


def write_atomic(path: str, data: bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Make ``path`` a regular file holding ``data``, replacing what was there in one step.

    A reader sees the old file or the new one. With ``durable`` the bytes and the rename are on disk on return.
    Raises OSError, leaving ``path`` as it was. If it dies midway a temporary sibling may remain.
    """
    temporary = temporary_name(path)
    try:
        with create_file(temporary, mode=mode) as stream:
            stream.write(data)
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        _name(error, path)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        sync_directory(os.path.dirname(path))


def _name(error: BaseException, path: str) -> None:
    """Say which file: the system names none where it refuses to write into one that is open."""
    if isinstance(error, OSError) and error.filename is None:
        error.filename = path


@contextlib.contextmanager
def create_file(path: str, *, mode: int) -> Iterator[BinaryIO]:
    """Open a new file for writing; ``mode`` holds whatever the umask is.

    Raises FileExistsError if anything, a link included, is there.
    """
    descriptor = os.open(path, _NEW_FILE, 0o600)
    with open(descriptor, "wb") as stream:
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        yield stream
    if not hasattr(os, "fchmod"):
        os.chmod(path, mode)


def make_directory(path: str, *, mode: int = 0o755) -> bool:
    """Make one directory and give it ``mode``; return False when a real directory was there already.

    Raises FileExistsError when something else is there (a link to a directory is something else).
    """
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if os.path.isdir(path) and not os.path.islink(path):
            return False
        raise
    os.chmod(path, mode)
    return True


def make_directories(path: str, *, mode: int = 0o755) -> None:
    """Make ``path`` and its missing ancestors; existing ones may be links and are left as they are."""
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    for directory in reversed(missing):
        with contextlib.suppress(FileExistsError):  # another process was quicker
            make_directory(directory, mode=mode)


def rename(source: str, destination: str) -> None:
    """Rename within one file system; for directories fails (OSError) if ``destination`` is a non-empty directory."""
    os.rename(source, destination)


def set_mode(path: str, mode: int) -> None:
    """Give ``path``, which must not be a link, exactly ``mode``."""
    os.chmod(path, mode)


def set_time(path: str, modified_ns: int) -> None:
    """Say of a file that it was last modified then."""
    os.utime(path, ns=(modified_ns, modified_ns), follow_symlinks=False)


def sync_directory(path: str) -> None:
    """Make renames inside ``path`` durable, where the platform can."""
    if os.name == "nt":
        return
    descriptor = os.open(path or ".", os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_chunks(path: str, chunks: Iterable[bytes], *, mode: int) -> None:
    """Write a new file piece by piece; ``mode`` holds whatever the umask is.

    Made for many thousands of small files. Raises FileExistsError if anything is there, OSError, and what ``chunks``
    raises; the file may be there, incomplete, then.
    """
    descriptor = os.open(path, _NEW_FILE, 0o600)
    try:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[os.write(descriptor, view) :]
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
    except OSError as error:
        _name(error, path)
        raise
    finally:
        os.close(descriptor)
    if not hasattr(os, "fchmod"):
        os.chmod(path, mode)
