"""`lock`: have a pylock.toml that answers pyproject.toml."""

from __future__ import annotations

from pyvstore.events import FileWritten
from pyvstore.lockfile.write import format_lock
from pyvstore.ops.context import Context
from pyvstore.ops.interpreters import choose_interpreter
from pyvstore.ops.lockfiles import question, read_lock
from pyvstore.ops.locking import fresh_lock


def lock(context: Context, *, python: str | None = None) -> bool:
    """Write the project's lockfile unless it answers already; return whether it was written.

    Raises ResolutionError where there is no answer, and FetchError where the index fails; the file is then as it was.
    """
    project = context.project()
    with project.locked():
        pyproject = project.files.read_document().data
        old = read_lock(project)
        interpreter = choose_interpreter(project, pyproject, python, lock=old)
        document, is_new = fresh_lock(project, question(project, pyproject, interpreter.environment), old)
        if is_new:
            project.files.commit(lock=format_lock(document).encode())
            context.reporter.emit(FileWritten(project.files.lock_path))
        return is_new
