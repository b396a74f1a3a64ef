"""The project's two files as a pair: read together, changed together, put back together.

pyproject.toml and pylock.toml must never disagree because a command died between writing one and the other, so they
change through `pyvstore.fs.journal`: after a kill at any point, `ProjectFiles.recover` leaves both old or both new.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from pyvstore.errors import ProjectError
from pyvstore.fs import journal
from pyvstore.fs.trouble import advice_on, cause_of
from pyvstore.project.look import is_there
from pyvstore.project.names import LOCK_LIMIT_BYTES, LOCK_NAME, PYPROJECT_NAME, SIZE_LIMIT_BYTES

TYPE_CHECKING = False  # parsing costs more than a relink, which reads neither file's meaning
if TYPE_CHECKING:
    from pyvstore.project.document import ProjectDocument


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The two files' bytes at one time; None for a file that was not there."""

    pyproject: bytes | None
    lock: bytes | None


class ProjectFiles:
    """pyproject.toml and pylock.toml of one project folder.

    A file that is a link is followed only when it leads to another place in the folder; any other link is refused
    before something is read or written.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.pyproject_path = os.path.join(root, PYPROJECT_NAME)
        self.lock_path = os.path.join(root, LOCK_NAME)

    def recover(self) -> bool:
        """Finish a change that was interrupted; return whether there was one. Call it before reading."""
        with _translated(self.root):
            return journal.recover(self.root, (PYPROJECT_NAME, LOCK_NAME))

    def read_document(self) -> ProjectDocument:
        """Read pyproject.toml; raises ProjectError as `ProjectDocument.read`, and ``project-link``."""
        from pyvstore.project.document import ProjectDocument

        self._refuse_link_outside(self.pyproject_path)
        return ProjectDocument.read(self.pyproject_path)

    def read_lock(self) -> bytes | None:
        """Return the lockfile's bytes, or None when there is none.

        Raises ProjectError: ``project-unreadable``, ``pylock-too-large`` or ``project-link``.
        """
        return self._read(self.lock_path, LOCK_LIMIT_BYTES)

    def snapshot(self) -> Snapshot:
        """Return both files as they are now, for `restore` and for ``since`` of `commit`."""
        return Snapshot(pyproject=self._read(self.pyproject_path), lock=self.read_lock())

    def commit(
        self, *, pyproject: bytes | None = None, lock: bytes | None = None, since: Snapshot | None = None
    ) -> None:
        """Replace the files for which bytes are given, both or neither; a file that has those bytes is left alone.

        Args:
            pyproject: new content, or None to leave the file alone.
            lock: new content, or None to leave the file alone.
            since: the snapshot that the new content was derived from; when a file was changed in the meantime (an
                editor, another command) nothing is written.

        Raises ProjectError: ``project-changed``, ``project-link``, or ``project-unwritable``; then both files are as
        they were, or `recover` will finish the change. If it dies midway, `recover` does the same.
        """
        now = self.snapshot()
        if since is not None and now != since:
            changed = PYPROJECT_NAME if now.pyproject != since.pyproject else LOCK_NAME
            raise ProjectError(
                f"{os.path.join(self.root, changed)} was changed while the command worked",
                code="project-changed",
                hint="run the command again",
            )
        contents: dict[str, bytes | None] = {}
        if pyproject is not None and pyproject != now.pyproject:
            contents[PYPROJECT_NAME] = pyproject
        if lock is not None and lock != now.lock:
            contents[LOCK_NAME] = lock
        self._replace(contents)

    def restore(self, snapshot: Snapshot) -> None:
        """Put both files back to what they were; one that was not there is removed. Raises as `commit` does."""
        now = self.snapshot()
        contents: dict[str, bytes | None] = {}
        if now.pyproject != snapshot.pyproject:
            contents[PYPROJECT_NAME] = snapshot.pyproject
        if now.lock != snapshot.lock:
            contents[LOCK_NAME] = snapshot.lock
        self._replace(contents)

    def _replace(self, contents: dict[str, bytes | None]) -> None:
        if contents:
            with _translated(self.root):
                journal.replace_together(self.root, contents)

    def _read(self, path: str, limit_bytes: int = SIZE_LIMIT_BYTES) -> bytes | None:
        self._refuse_link_outside(path)
        if not is_there(path):
            return None
        from pyvstore.project.document import read_limited

        return read_limited(path, limit_bytes)

    def _refuse_link_outside(self, path: str) -> None:
        if not os.path.islink(path):
            return
        home, real = os.path.realpath(self.root), os.path.realpath(path)
        if not real.startswith(os.path.join(home, "")):
            raise ProjectError(
                f"{path} is a link that leads out of the project",
                code="project-link",
                causes=[f"it leads to {real}"],
                hint=f"replace the link by a file: `cp --remove-destination {real} {path}`",
            )


@contextlib.contextmanager
def _translated(root: str) -> Iterator[None]:
    """Turn OSError from the journal into a ProjectError that names the folder."""
    try:
        yield
    except OSError as error:
        raise ProjectError(
            f"the project's files in {root} cannot be written",
            code="project-unwritable",
            causes=[cause_of(error, root)],
            hint=advice_on(error, f"make {root} writable (`ls -ld {root}` shows its owner and modes)"),
        ) from error
