"""For which Python: the environment's own while it fits, else the first on this machine that does."""

from __future__ import annotations

import os
from collections.abc import Mapping

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.errors import InterpreterError
from pyvstore.events import InterpreterChosen
from pyvstore.farm.state import read_state
from pyvstore.interpreter.cache import InterpreterCache
from pyvstore.interpreter.discover import find_interpreter
from pyvstore.interpreter.places import Surroundings
from pyvstore.model.environment import Interpreter
from pyvstore.ops.context import Project
from pyvstore.requirements.project import parse_project


def choose_interpreter(project: Project, pyproject: Mapping[str, object], requested: str | None) -> Interpreter:
    """Return the Python for the project's environment, see `choose_for`."""
    return choose_for(project, parse_project(pyproject).requires_python, requested)


def choose_for(project: Project, requires_python: SpecifierSet | None, requested: str | None) -> Interpreter:
    """Return the Python for the project's environment, and say so when it is another than before.

    Args:
        project: whose environment; the Python that it has is kept while it fits.
        requires_python: what the project says.
        requested: value of ``--python``; None when nothing was asked for.

    Raises InterpreterError when no Python fits, with what was found.
    """
    cache = InterpreterCache(project.store.shelf("interpreters"))
    current = _current(project, cache)
    if current is not None and requested is None and _pinned(project) is None and _fits(current, requires_python):
        return current
    surroundings = Surroundings.of(project.context.environ, project.context.directory)
    chosen = find_interpreter(requested, requires_python, surroundings, cache, project=project.root)
    if current is None or current.real_executable != chosen.real_executable:
        reporter = project.context.reporter
        reporter.emit(InterpreterChosen(chosen.implementation, chosen.version, chosen.executable))
    return chosen


def _current(project: Project, cache: InterpreterCache) -> Interpreter | None:
    state = read_state(project.prefix)
    if state is None or not os.path.exists(state.interpreter):
        return None
    try:
        return cache.get(state.interpreter)
    except InterpreterError:
        return None


def _pinned(project: Project) -> str | None:
    path = os.path.join(project.root, ".python-version")
    return path if os.path.isfile(path) else None


def _fits(interpreter: Interpreter, requires_python: SpecifierSet | None) -> bool:
    version = Version(interpreter.version).base_version
    return requires_python is None or requires_python.contains(version, prereleases=True)
