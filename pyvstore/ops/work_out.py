"""Work out, the long way, what a sync has to do: read and compare, resolve where that is needed, look at the store."""

from __future__ import annotations

from dataclasses import dataclass

from pyvstore.events import FileWritten
from pyvstore.lockfile.coverage import covers
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.select import select
from pyvstore.lockfile.write import format_lock
from pyvstore.model.environment import Interpreter
from pyvstore.model.selection import Selection
from pyvstore.ops.context import Project
from pyvstore.ops.entries import Obtained, all_found, find_all
from pyvstore.ops.interpreters import choose_interpreter
from pyvstore.ops.lockfiles import Question, is_current, question, read_lock, require_fresh, require_lock
from pyvstore.ops.options import SyncOptions
from pyvstore.ops.parts import parts_to_keep


@dataclass(frozen=True, slots=True)
class Work:
    """What a sync has to do.

    Attributes:
        asked: what the project asks for.
        selection: what that means for ``interpreter``.
        interpreter: the Python.
        new_lock: a lockfile that has yet to be written, or None.
        is_our_lock: pyvstore wrote the lockfile, so it should hold all that its packages require.
    """

    asked: Question
    selection: Selection
    interpreter: Interpreter
    new_lock: LockDocument | None
    is_our_lock: bool

    @property
    def is_new(self) -> bool:
        """Whether the wheels were chosen just now."""
        return self.new_lock is not None

    def obtain(self, project: Project) -> Obtained:
        """Have everything in the store; see `ops.obtain`."""
        found = all_found(find_all(project.store, self.selection))
        if found is not None:
            return found
        from pyvstore.ops.obtain import obtain_all

        return obtain_all(project, self.selection, self.asked.settings)

    def write_lock(self, project: Project) -> None:
        """Write the new lockfile, if there is one."""
        if self.new_lock is not None:
            project.files.commit(lock=format_lock(self.new_lock).encode())
            project.context.reporter.emit(FileWritten(project.files.lock_path))


def work_out(project: Project, options: SyncOptions) -> Work:
    """Return what ``options`` ask for; see `ops.sync.sync` for what is raised."""
    old = read_lock(project)
    pyproject = project.files.read_document().data
    interpreter = choose_interpreter(project, pyproject, options.python, lock=old)
    asked = question(project, pyproject, options.flags)
    document = _lock(project, asked, options, old)
    if document is not old and options.python is None and not covers(document, interpreter.environment):
        interpreter = choose_interpreter(project, pyproject, None, lock=document)
    parts = parts_to_keep(project, document) if options.parts is None else options.parts
    selection = select(document, interpreter.environment, parts)
    new_lock = None if document is old else document
    return Work(asked, selection, interpreter, new_lock, is_our_lock=document.inputs is not None)


def _lock(project: Project, asked: Question, options: SyncOptions, old: LockDocument | None) -> LockDocument:
    if options.frozen:
        return require_lock(old, "--frozen does not make one")
    if options.locked or options.check:
        return require_fresh(old, asked, "--locked" if options.locked else "--check")
    if old is not None and is_current(old, asked):
        return old
    from pyvstore.ops.locking import renewed

    return renewed(project, asked, old)[0]


def mention_of(asked: Question) -> str | None:
    """Return what a person might expect and does not get, worth saying once; None when there is nothing."""
    if asked.requirements.has_build_system and asked.settings.package is not False:
        return (
            f"{asked.requirements.name} itself is not installed, only what it needs; to run its code, start it from "
            "its folder; `package = false` in [tool.pyvstore] silences this"
        )
    return None
