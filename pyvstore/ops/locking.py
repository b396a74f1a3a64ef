"""Resolve: from what the project asks to a new lockfile. The only op that speaks to the index about versions."""

from __future__ import annotations

import time

from pyvstore.events import Resolved
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.freshness import explain_stale, preferences
from pyvstore.ops.context import Project
from pyvstore.ops.lockfiles import Question, read_lock


def fresh_lock(project: Project, asked: Question) -> tuple[LockDocument, bool]:
    """Return a lock that answers ``asked``, and whether it is a new one that has yet to be written."""
    old = read_lock(project)
    if old is not None and not explain_stale(old, asked.inputs):
        return old, False
    return resolve_lock(project, asked, old), True
