"""For which Python: the environment's own while it fits, else the first on this machine that does.

A Python that the lockfile covers goes before one that it does not: who has the lock gets the same links, and a
lockfile is not rewritten because another Python happens to be the first on PATH.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.events import InterpreterChosen
from pyvstore.farm.state import read_state
from pyvstore.interpreter.cache import InterpreterCache
from pyvstore.interpreter.discover import find_interpreter
from pyvstore.interpreter.places import Surroundings
from pyvstore.lockfile.coverage import covers
from pyvstore.lockfile.document import LockDocument
from pyvstore.model.environment import Interpreter
from pyvstore.ops.context import Project
from pyvstore.requirements.project import parse_project


def choose_interpreter(
    project: Project, pyproject: Mapping[str, object], requested: str | None, *, lock: LockDocument | None
) -> Interpreter:
    """Return the Python for the project's environment, see `choose_for`."""
    return choose_for(project, parse_project(pyproject).requires_python, requested, lock=lock)


def choose_for(
    project: Project, requires_python: SpecifierSet | None, requested: str | None, *, lock: LockDocument | None
) -> Interpreter:
    """Return the Python for the project's environment, and say so when it is another than before.

    Args:
        project: whose environment; the Python that it has is kept while it fits.
        requires_python: what the project says.
        requested: value of ``--python``; None when nothing was asked for.
        lock: the lockfile that is there, or None.

    Raises InterpreterError when no Python fits, with what was found.
    """
    cache = InterpreterCache(project.store.shelf("interpreters"))
    current = _current(project, cache)
    if requested is not None or _pinned(project) is not None or not _fits(current, requires_python):
        kept = None
    else:
        kept = current

    def is_covered(interpreter: Interpreter) -> bool:
        return lock is None or covers(lock, interpreter.environment)

    if kept is not None and is_covered(kept):
        return kept
    surroundings = Surroundings.of(project.context.environ, project.context.directory)
    chosen = find_interpreter(
        requested, requires_python, surroundings, cache, project=project.root, preferred=is_covered
    )
    if kept is not None and not is_covered(chosen):
        return kept
    if current is None or current.real_executable != chosen.real_executable:
        reporter = project.context.reporter
        reporter.emit(InterpreterChosen(chosen.implementation, chosen.version, chosen.executable))
    return chosen


def _current(project: Project, cache: InterpreterCache) -> Interpreter | None:
    """The environment's Python, if this machine's store knows it.

    The state file may have come with a cloned repository, so what it names is never started to be asked.
    """
    state = read_state(project.prefix)
    if state is None or not os.path.isabs(state.interpreter):
        return None
    return cache.read(state.interpreter)


def _pinned(project: Project) -> str | None:
    path = os.path.join(project.root, ".python-version")
    return path if os.path.isfile(path) else None


def _fits(interpreter: Interpreter | None, requires_python: SpecifierSet | None) -> bool:
    if interpreter is None:
        return False
    version = Version(interpreter.version).base_version
    return requires_python is None or requires_python.contains(version, prereleases=True)
