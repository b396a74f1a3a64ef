"""Links, always absolute, replaced in one step.

The platform's way of making one is isolated here: a symbolic link on POSIX; Windows (junctions) comes behind the same
two functions.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable

from pyvstore.fs.files import temporary_name

_NEVER_HERE = frozenset({errno.EXDEV, errno.EROFS, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP})


def make_link(target: str, path: str) -> None:
    """Make ``path`` a link to ``target``; raises FileExistsError when anything is there."""
    os.symlink(target, path)


def _no_twin(_: str) -> str | None:
    return None


class Linker:
    """Makes links; where the file system can, all links to one target are one inode under many names.

    A file system takes many times longer to make an inode than to name it once more, and each costs a block where the
    target is long. A link cannot be changed in place, only replaced, so sharing one leaks nothing.

    Args:
        twin_of: target → path under which a link to it is kept for others, or None where none is. What is there is
            checked before it is used. Where it cannot be used, links are made one by one.
    """

    def __init__(self, twin_of: Callable[[str], str | None] = _no_twin) -> None:
        self._twin_of = twin_of
        self._is_possible = True

    def make(self, target: str, path: str) -> None:
        """Make ``path`` a link to ``target``; raises FileExistsError when anything is there."""
        twin = self._twin_of(target) if self._is_possible else None
        if twin is not None and self._name_again(twin, target, path):
            return
        make_link(target, path)
        if twin is not None and self._is_possible:
            self._keep(path, twin)

    def replace(self, target: str, path: str) -> None:
        """Make ``path`` a link to ``target``, replacing a file or a link (never a directory) in one step.

        A reader sees the old thing or the new link. If it dies midway a temporary sibling may remain.
        """
        temporary = temporary_name(path)
        try:
            self.make(target, temporary)
            os.replace(temporary, path)
        finally:
            # Renaming one name of an inode to another name of it leaves both.
            with contextlib.suppress(OSError):
                os.unlink(temporary)

    def _name_again(self, twin: str, target: str, path: str) -> bool:
        """Make ``path`` a further name of ``twin``, if that is the link wanted."""
        try:
            os.link(twin, path, follow_symlinks=False)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError) as error:
            self._learn(error)
            return False
        with contextlib.suppress(OSError):
            if os.readlink(path) == target:
                return True
        os.unlink(path)
        with contextlib.suppress(OSError):
            os.unlink(twin)
        return False

    def _keep(self, path: str, twin: str) -> None:
        try:
            os.link(path, twin, follow_symlinks=False)
        except FileExistsError:
            return  # another process was quicker
        except (OSError, NotImplementedError) as error:
            self._learn(error)

    def _learn(self, error: Exception) -> None:
        if not isinstance(error, OSError) or error.errno in _NEVER_HERE:
            self._is_possible = False


def make_second_name(existing: str, path: str) -> bool:
    """Give the regular file ``existing`` the further name ``path``; False where the file system cannot."""
    try:
        os.link(existing, path, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True
