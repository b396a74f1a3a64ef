"""`relink`: rebuild the farm from lockfile and store. No network, no resolver, no change of the lock."""

from __future__ import annotations

from pyvstore.lockfile.select import select
from pyvstore.ops.context import Context
from pyvstore.ops.converge import Converged, converge
from pyvstore.ops.entries import require_all
from pyvstore.ops.interpreters import choose_for
from pyvstore.ops.lockfiles import read_lock, require_lock
from pyvstore.ops.parts import parts_to_keep


def relink(context: Context, *, dry_run: bool = False) -> Converged:
    """Make the environment what the lockfile says, whatever happened to it: deleted, moved, copied, damaged.

    Raises LockfileError where there is no lockfile that fits, and FarmError (``entry-missing``) naming what the store
    does not have. If it dies midway, running it again finishes the work.
    """
    project = context.project()
    with project.locked():
        document = require_lock(read_lock(project), "relink does not make one")
        interpreter = choose_for(project, document.requires_python, None, lock=document)
        parts = parts_to_keep(project, document)
        selection = select(document, interpreter.environment, parts)
        entries = require_all(project, selection)
        return converge(project, selection, entries, interpreter, dry_run=dry_run, is_fresh=False)
