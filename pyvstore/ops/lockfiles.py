"""The lockfile that is there: read it, and compare it with what the project asks. Resolves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyvstore.errors import LockfileError
from pyvstore.events import Warned
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.freshness import explain_stale, lock_inputs
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.lockfile.merge import parse_conflicted
from pyvstore.lockfile.parse import parse_lock
from pyvstore.ops.context import Project
from pyvstore.ops.settings import read_settings
from pyvstore.requirements.project import ProjectRequirements, parse_project
from pyvstore.requirements.settings import Settings


@dataclass(frozen=True, slots=True)
class Question:
    """What a lock answers.

    Attributes:
        requirements: what the project asks for.
        settings: all layers.
        inputs: both, as the lock records them.
    """

    requirements: ProjectRequirements
    settings: Settings
    inputs: LockInputs


def question(project: Project, pyproject: Mapping[str, object], flags: Mapping[str, str] | None = None) -> Question:
    """Collect what a lock has to answer; ``flags`` are settings for this once, by name."""
    requirements = parse_project(pyproject)
    settings = read_settings(project.context, pyproject, flags or {})
    return Question(requirements, settings, lock_inputs(requirements, settings))


def read_lock(project: Project) -> LockDocument | None:
    """Return the project's lockfile, None when there is none; raises LockfileError when it cannot be used."""
    raw = project.files.read_lock()
    if raw is None:
        return None
    document = parse_lock(raw)
    for code, message in document.warnings:
        project.context.reporter.emit(Warned(code, message))
    return document


def is_current(document: LockDocument | None, asked: Question) -> bool:
    """Return whether there is a lockfile and it answers ``asked``."""
    return document is not None and not explain_stale(document, asked.inputs)


def read_lock_to_replace(project: Project) -> LockDocument | None:
    """Return the project's lockfile as `read_lock` does; with the marks of a merge conflict, what both sides have.

    That is told as a warning (``lock-conflict``), and what is returned answers nothing: it is for being replaced.
    """
    raw = project.files.read_lock()
    merged = None if raw is None else parse_conflicted(raw)
    if merged is None:
        return read_lock(project)
    sentence = "pylock.toml has a merge conflict: what both sides have locked is kept where it fits"
    project.context.reporter.emit(Warned("lock-conflict", sentence))
    return merged


def require_lock(document: LockDocument | None, why: str) -> LockDocument:
    """Return the project's lockfile; raises LockfileError (``lock-missing``) when there is none."""
    if document is None:
        raise LockfileError(
            f"there is no pylock.toml, and {why}", code="lock-missing", hint="run `pyvstore lock` to make one"
        )
    return document


def require_fresh(document: LockDocument | None, asked: Question, flag: str) -> LockDocument:
    """Return the lockfile if it answers ``asked``; raises LockfileError (``lock-stale``, ``lock-missing``)."""
    document = require_lock(document, f"{flag} does not make one")
    reasons = explain_stale(document, asked.inputs)
    if reasons:
        raise LockfileError(
            "pylock.toml does not match pyproject.toml",
            code="lock-stale",
            causes=reasons,
            hint=f"run `pyvstore lock`, or the same command without `{flag}`",
        )
    return document
