"""`init`: a minimal pyproject.toml where there is none."""

from __future__ import annotations

import os

from packaging.specifiers import SpecifierSet

from pyvstore.errors import ProjectError
from pyvstore.events import ProjectMade
from pyvstore.ops.context import Context
from pyvstore.ops.interpreters import choose_for
from pyvstore.project.document import new_pyproject, project_name
from pyvstore.project.names import PYPROJECT_NAME


def init(context: Context, *, name: str | None = None, python: str | None = None) -> None:
    """Write ``pyproject.toml`` into the context's folder.

    ``requires-python`` is at least the minor version of the Python chosen. Raises ProjectError (``project-exists``)
    when there is one; InterpreterError when no Python fits.
    """
    project = context.project_at(context.directory)
    if os.path.lexists(project.files.pyproject_path):
        raise ProjectError(
            f"{context.directory} has a {PYPROJECT_NAME} already",
            code="project-exists",
            hint="add packages to it with `pyvstore add NAME`",
        )
    with project.locked():
        content = draft(
            project_name_of(context.directory, name),
            choose_for(project, SpecifierSet(), python, lock=None).environment.python_minor,
        )
        project.files.commit(pyproject=content)
    context.reporter.emit(ProjectMade(project.files.pyproject_path))


def project_name_of(directory: str, name: str | None) -> str:
    """Return ``name``, or one made from the folder's; raises ProjectError for a name that cannot be."""
    if name is None:
        return project_name(os.path.basename(directory))
    if project_name(name) != name:
        raise ProjectError(
            f"{name} cannot be the name of a project", code="project-name", hint=f"use `--name {project_name(name)}`"
        )
    return name


def draft(name: str, python_minor: str) -> bytes:
    """Return a minimal pyproject.toml for a project that starts with this Python."""
    return new_pyproject(name, f">={python_minor}")
