"""Find the project's root, and say what stands where its environment belongs."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from dataclasses import dataclass
from enum import Enum

from pyvstore.errors import FarmError, ProjectError
from pyvstore.glance import STATE_NAME
from pyvstore.model.farm import TEMPORARY_SUFFIX
from pyvstore.project.look import unreadable
from pyvstore.project.names import PYPROJECT_NAME, SIZE_LIMIT_BYTES

ENVIRONMENT_NAME = ".venv"

_NOTHING_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG})
_CONFIGURATION_LIMIT_BYTES = 64 * 1024
_TABLE = re.compile(rb"^[ \t]*\[[ \t]*project[ \t]*\]", re.MULTILINE)


class PlaceKind(str, Enum):
    """What stands at an environment's path."""

    ABSENT = "absent"
    EMPTY = "empty"
    """A real directory with nothing in it but, at most, temporary files of ours."""
    OURS = "ours"
    FOREIGN_VENV = "foreign-venv"
    """Another tool's virtual environment."""
    FOREIGN_DIRECTORY = "foreign-directory"
    """A directory that is no environment at all, or one that cannot be read."""
    FILE = "file"
    """A file, or anything else that is neither a directory nor a link."""
    LINK = "link"
    DANGLING_LINK = "dangling-link"


_DESCRIPTIONS = {
    PlaceKind.FOREIGN_VENV: "is a virtual environment that another tool made",
    PlaceKind.FOREIGN_DIRECTORY: "is a directory that pyvstore did not make",
    PlaceKind.FILE: "is not a directory",
    PlaceKind.LINK: "is a link to another place",
    PlaceKind.DANGLING_LINK: "is a link to a place that does not exist",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentPlace:
    """An environment's path and what was found there.

    Attributes:
        path: as it was asked for; nothing in it was resolved.
        kind: see `PlaceKind`.
        target: where a link leads, as written in it; None for everything else.
    """

    path: str
    kind: PlaceKind
    target: str | None = None

    @property
    def is_usable(self) -> bool:
        """Whether an environment of ours is there or may be made there."""
        return self.kind in {PlaceKind.ABSENT, PlaceKind.EMPTY, PlaceKind.OURS}

    def require_usable(self) -> None:
        """Raise FarmError (``environment-not-ours``) unless `is_usable`; nothing is touched either way."""
        if self.is_usable:
            return
        cause = f"{self.path} {_DESCRIPTIONS[self.kind]}"
        if self.target is not None:
            cause += f": {self.target}"
        raise FarmError(
            f"the environment cannot be made at {self.path}, because what is there is not ours",
            code="environment-not-ours",
            causes=[cause],
            hint=f"move it away (`mv {self.path} {self.path}.old`) or remove it, then run the command again",
        )


def examine_environment(path: str) -> EnvironmentPlace:
    """Look at ``path`` without following a link that stands there, and say what it is.

    A directory is ours when it holds our state file or a pyvenv.cfg with the key ``pyvstore``. One that cannot be read
    counts as somebody else's. Raises ProjectError (``project-unreadable``) when the disk does not say what is there.
    """
    try:
        status = os.lstat(path)
        target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return EnvironmentPlace(path=path, kind=PlaceKind.ABSENT)
    except OSError as error:
        raise unreadable(path, error) from error
    if target is not None:
        kind = PlaceKind.LINK if os.path.exists(path) else PlaceKind.DANGLING_LINK
        return EnvironmentPlace(path=path, kind=kind, target=target)
    if not stat.S_ISDIR(status.st_mode):
        return EnvironmentPlace(path=path, kind=PlaceKind.FILE)
    return EnvironmentPlace(path=path, kind=_examine_directory(path))


def _examine_directory(path: str) -> PlaceKind:
    try:
        names = os.listdir(path)
    except OSError:
        return PlaceKind.FOREIGN_DIRECTORY
    # A run that was killed while it made the first file leaves only a temporary one.
    if all(name.endswith(TEMPORARY_SUFFIX) for name in names):
        return PlaceKind.EMPTY
    configuration = os.path.join(path, "pyvenv.cfg")
    if _is_regular(os.path.join(path, STATE_NAME)) or "pyvstore" in _configuration_keys(configuration):
        return PlaceKind.OURS
    return PlaceKind.FOREIGN_VENV if os.path.lexists(configuration) else PlaceKind.FOREIGN_DIRECTORY


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _configuration_keys(path: str) -> set[str]:
    if not _is_regular(path):
        return set()
    with contextlib.suppress(OSError), open(path, "rb") as stream:
        text = stream.read(_CONFIGURATION_LIMIT_BYTES).decode("utf-8", "replace")
        return {key.strip().lower() for key, equals, _ in (line.partition("=") for line in text.splitlines()) if equals}
    return set()


def find_project_root(start: str, *, home: str | None = None) -> str | None:
    """Return the folder of the project that ``start`` (an absolute directory) belongs to, or None.

    That is the nearest folder, from ``start`` upwards, whose pyproject.toml has a ``[project]`` table; else the nearest
    that has a pyproject.toml at all. A pyproject.toml that cannot be parsed counts as having one: reading it later says
    what is wrong. ``home`` itself is looked at only when ``start`` is it, and nothing above it ever is. Raises
    ProjectError (``project-unreadable``) for a disk that does not answer.
    """
    nearest: str | None = None
    directory = os.path.normpath(start)
    while True:
        path = os.path.join(directory, PYPROJECT_NAME)
        if _is_file(path):
            nearest = nearest or directory
            if _has_project_table(path):
                return directory
        parent = os.path.dirname(directory)
        if parent == directory or _is_same_place(directory, home) or _is_same_place(parent, home):
            return nearest
        directory = parent


def _is_file(path: str) -> bool:
    """Whether a regular file is there; a folder that may not be searched has none for this user.

    Raises ProjectError when the disk does not say: a project that is passed by would be made anew further up or down.
    """
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return False
        raise unreadable(path, error) from error


def _is_same_place(directory: str, home: str | None) -> bool:
    return home is not None and os.path.normcase(directory) == os.path.normcase(os.path.normpath(home))


def _has_project_table(path: str) -> bool:
    """Whether the file has, or might have, a ``[project]`` table; parsed only where a look at the text says no."""
    try:
        with open(path, "rb") as stream:
            if _TABLE.search(stream.read(SIZE_LIMIT_BYTES)):
                return True
    except OSError:
        return True
    from pyvstore.project.document import ProjectDocument

    try:
        return "project" in ProjectDocument.read(path).data
    except ProjectError:
        return True


def require_project_root(start: str, *, home: str | None = None) -> str:
    """Like `find_project_root`, but raise ProjectError (``no-project``) when there is none."""
    root = find_project_root(start, home=home)
    if root is None:
        raise ProjectError(
            f"there is no {PYPROJECT_NAME} in {start} or above it",
            code="no-project",
            hint="run `pyvstore init` to make one here",
        )
    return root
