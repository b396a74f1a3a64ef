"""Links, always absolute, replaced in one step.

The platform's way of making one is isolated here: a symbolic link on POSIX; Windows (junctions) comes behind the same
two functions.
"""

from __future__ import annotations

import contextlib
import os

from pyvstore.fs.files import temporary_name


def make_link(target: str, path: str) -> None:
    """Make ``path`` a link to ``target``; raises FileExistsError when anything is there."""
    os.symlink(target, path)


def replace_link(target: str, path: str) -> None:
    """Make ``path`` a link to ``target``, replacing a file or a link (never a directory) in one step.

    A reader sees the old thing or the new link. If it dies midway a temporary sibling may remain.
    """
    temporary = temporary_name(path)
    os.symlink(target, temporary)
    try:
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def make_second_name(existing: str, path: str) -> bool:
    """Give the regular file ``existing`` the further name ``path``; False where the file system cannot."""
    try:
        os.link(existing, path, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True
