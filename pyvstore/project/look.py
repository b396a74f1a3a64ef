"""Looking at what may be absent: a disk that does not answer is not the same as nothing there."""

from __future__ import annotations

import os

from pyvstore.errors import ProjectError
from pyvstore.fs.trouble import advice_on, cause_of


def is_there(path: str) -> bool:
    """Return whether anything, a dangling link included, is at ``path``.

    Raises ProjectError (``project-unreadable``) when that cannot be seen: who took it for absent would make it anew.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unreadable(path, error) from error
    return True


def unreadable(path: str, error: OSError) -> ProjectError:
    """Return what to raise for a file of the project that the disk does not give."""
    return ProjectError(
        f"{path} cannot be read",
        code="project-unreadable",
        causes=[cause_of(error, path)],
        hint=advice_on(error, f"make it readable (`ls -ld {path}` shows its owner and modes)"),
    )
