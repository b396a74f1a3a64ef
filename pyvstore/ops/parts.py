"""Which optional parts of the project a command is about, when nobody says."""

from __future__ import annotations

from pyvstore.farm.state import read_state
from pyvstore.model.parts import DEFAULT_PARTS, Parts
from pyvstore.ops.context import Project


def parts_in_use(project: Project) -> Parts:
    """Return the parts that the environment was last synced with; the default ones where there is none."""
    state = read_state(project.prefix)
    return DEFAULT_PARTS if state is None else state.parts
