"""`lock`: have a pylock.toml that answers pyproject.toml, for every platform and Python that the project supports."""

from __future__ import annotations

from collections.abc import Mapping

from pyvstore.errors import UsageError
from pyvstore.events import FileWritten
from pyvstore.lockfile.write import format_lock
from pyvstore.ops.context import Context
from pyvstore.ops.lockfiles import is_current, question, read_lock, read_lock_to_replace, require_fresh
from pyvstore.ops.options import NO_UPGRADE, Upgrade


def lock(
    context: Context,
    *,
    upgrade: Upgrade = NO_UPGRADE,
    check: bool = False,
    flags: Mapping[str, str] | None = None,
    tell_needs: bool = False,
) -> bool:
    """Write the project's lockfile unless it answers already; return whether it was written.

    A merge conflict in it is resolved: what both sides have locked stays where it fits.
    Starts no Python. With ``check`` nothing is resolved or written; with ``tell_needs`` what is locked is looked at for
    what its wheels need of a machine. Raises UsageError for ``check`` with
    ``upgrade`` and for an upgrade of what is not there, ResolutionError where there is no answer,
    FetchError where the index fails, and with ``check`` LockfileError (``lock-stale``, ``lock-missing``); the file is
    then as it was.
    """
    if check and upgrade:
        raise UsageError(
            "--check and an upgrade contradict each other",
            hint="run `pyvstore lock --check` alone, or leave out --check",
        )
    project = context.project()
    with project.locked():
        asked = question(project, project.files.read_document().data, flags)
        old = read_lock(project) if check else read_lock_to_replace(project)
        if check:
            document, is_new = require_fresh(old, asked, "--check"), False
        elif old is not None and not upgrade and is_current(old, asked):
            document, is_new = old, False
        else:
            from pyvstore.ops.locking import renewed, tell_changes

            document, is_new = renewed(project, asked, old, upgrade)
            if is_new:
                project.files.commit(lock=format_lock(document).encode())
                context.reporter.emit(FileWritten(project.files.lock_path))
                tell_changes(context.reporter, old, document)
        if tell_needs:
            from pyvstore.ops.needs import tell

            tell(context.reporter, document, asked)
        return is_new
