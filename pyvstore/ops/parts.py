"""Which optional parts of the project a command is about, when nobody says."""

from __future__ import annotations

from pyvstore.events import Warned
from pyvstore.farm.state import read_state
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.parts import narrowed
from pyvstore.model.parts import DEFAULT_PARTS, Parts
from pyvstore.ops.context import Project


def parts_in_use(project: Project) -> Parts:
    """Return the parts that the environment was last synced with; the default ones where there is none."""
    state = read_state(project.prefix)
    return DEFAULT_PARTS if state is None else state.parts


def parts_to_keep(project: Project, document: LockDocument) -> Parts:
    """Return those of the parts in use that ``document`` still has; say so where nothing of them is left."""
    before = parts_in_use(project)
    after = narrowed(document, before)
    if before.only_groups and not after.only_groups:
        gone = f"{'group' if len(before.only_groups) == 1 else 'groups'} {', '.join(before.only_groups)}"
        message = f"the environment had the {gone} alone, which the project does not have any more"
        project.context.reporter.emit(
            Warned("group-gone", f"{message}; it gets the project's dependencies and default groups")
        )
    return after
