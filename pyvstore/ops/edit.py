"""`add` and `remove`: change what the project asks for; lockfile and environment follow, or nothing changes.

pyproject.toml and pylock.toml change together, after everything that can fail on the way (resolving, downloading,
checking wheels) has been done. If making the links fails or is interrupted after that, both files are put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pyvstore.errors import ProjectError, UsageError
from pyvstore.events import FileWritten, ProjectMade
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.select import select
from pyvstore.lockfile.write import format_lock
from pyvstore.model.environment import Interpreter
from pyvstore.ops.context import Context, Project
from pyvstore.ops.converge import converge
from pyvstore.ops.init import draft, project_name_of
from pyvstore.ops.interpreters import choose_for, choose_interpreter
from pyvstore.ops.lockfiles import Question, question, read_lock
from pyvstore.ops.locking import Answer, resolve
from pyvstore.ops.memo import Memo, remember
from pyvstore.ops.obtain import obtain_all
from pyvstore.ops.work_out import mention_of
from pyvstore.project.document import ProjectDocument
from pyvstore.project.files import Snapshot
from pyvstore.project.locate import examine_environment, find_project_root
from pyvstore.requirements.argument import parse_requirement_arguments
from pyvstore.requirements.edits import EditAction, apply_edits, plan_add, plan_remove
from pyvstore.requirements.project import parse_project
from pyvstore.requirements.text import format_requirement, with_lower_bound


def add(context: Context, texts: Sequence[str], *, python: str | None = None) -> None:
    """Add requirements to ``project.dependencies``, making pyproject.toml where there is none; then lock and sync.

    A requirement without bounds is written with the version found as its lower bound. Raises whatever stands in the
    way; pyproject.toml and pylock.toml are then as they were.
    """
    wanted = parse_requirement_arguments(texts)
    root = find_project_root(context.directory, home=context.home) or context.directory
    project = context.project_at(root)
    with project.locked():
        examine_environment(project.prefix).require_usable()  # before much is fetched for nothing
        before = project.files.snapshot()
        old = read_lock(project)
        document, interpreter = _document(project, before, python, old)
        requirements, unbounded = _with_added(_dependencies(document), wanted)
        edited = _edited(document, requirements)
        asked = question(project, edited.data, interpreter.environment)
        answer = resolve(project, asked, old)
        bounded = _with_bounds(requirements, unbounded, answer)
        if bounded != requirements:
            edited = _edited(document, bounded)
            asked = question(project, edited.data, interpreter.environment)
        _carry_out(
            project,
            before,
            edited,
            _Decided(answer.freeze(asked.inputs), asked, interpreter),
            is_asked_for=python is not None,
        )


def remove(context: Context, names: Sequence[str]) -> None:
    """Take requirements out of ``project.dependencies``; then lock and sync.

    Raises UsageError (``requirement-unknown``) for a name that is not there, and whatever stands in the way;
    pyproject.toml and pylock.toml are then as they were.
    """
    project = context.project()
    with project.locked():
        examine_environment(project.prefix).require_usable()
        before = project.files.snapshot()
        document = project.files.read_document()
        parse_project(document.data)  # what is wrong there is said before a name is looked for in it
        old = read_lock(project)
        edited = _edited(document, _without(_dependencies(document), names, old))
        interpreter = choose_interpreter(project, edited.data, None, lock=old)
        asked = question(project, edited.data, interpreter.environment)
        answer = resolve(project, asked, old)
        _carry_out(project, before, edited, _Decided(answer.freeze(asked.inputs), asked, interpreter))


def _document(
    project: Project, before: Snapshot, python: str | None, old: LockDocument | None
) -> tuple[ProjectDocument, Interpreter]:
    """The project's pyproject.toml, or a draft of one, and the Python that it is for."""
    if before.pyproject is not None:
        document = project.files.read_document()
        return document, choose_interpreter(project, document.data, python, lock=old)
    interpreter = choose_for(project, SpecifierSet(), python, lock=old)
    raw = draft(project_name_of(project.root, None), interpreter.environment.python_minor)
    return ProjectDocument.parse(project.files.pyproject_path, raw), interpreter


def _dependencies(document: ProjectDocument) -> list[str]:
    table = document.data.get("project", {})
    found = table.get("dependencies", []) if isinstance(table, dict) else []
    return _texts(found) if isinstance(found, list) else []


def _texts(values: Sequence[object]) -> list[str]:
    return [str(value) for value in values]


def _with_added(existing: Sequence[str], wanted: Sequence[Requirement]) -> tuple[list[str], list[Requirement]]:
    """Return the list with ``wanted`` in it, and those of ``wanted`` that are new and have no bounds."""
    requirements = list(existing)
    unbounded = []
    for requirement in wanted:
        edit = plan_add(requirements, requirement)
        if edit.action is EditAction.INSERT and not requirement.specifier:
            unbounded.append(requirement)
        requirements = _texts(apply_edits(requirements, [edit]))
    return requirements, unbounded


def _without(existing: Sequence[str], names: Sequence[str], old: LockDocument | None) -> list[str]:
    requirements = list(existing)
    wanted: str = ""
    try:
        for wanted in dict.fromkeys(map(canonicalize_name, names)):
            requirements = _texts(apply_edits(requirements, plan_remove(requirements, wanted)))
    except UsageError as error:
        packages = old.packages if old is not None else ()
        needing = {package.name for package in packages for edge in package.dependencies if edge.name == wanted}
        error.causes = (f"{wanted} is here because {', '.join(sorted(needing))} needs it",) if needing else ()
        raise
    return requirements


def _with_bounds(requirements: Sequence[str], unbounded: Sequence[Requirement], answer: Answer) -> list[str]:
    bounded = list(requirements)
    for requirement in unbounded:
        version = answer.lowest_version(canonicalize_name(requirement.name))
        if version is not None:
            position = bounded.index(format_requirement(requirement))
            bounded[position] = format_requirement(with_lower_bound(requirement, version))
    return bounded


def _edited(document: ProjectDocument, requirements: Sequence[str]) -> ProjectDocument:
    return ProjectDocument.parse(document.path, document.with_dependencies(requirements))


def _put_back(project: Project, before: Snapshot, reason: BaseException) -> None:
    """Put both files back; where that fails too, say both."""
    try:
        project.files.restore(before)
    except ProjectError as error:
        raise ProjectError(
            "the environment could not be changed, and then pyproject.toml and pylock.toml could not be put back",
            code=error.code,
            causes=[str(reason), *getattr(reason, "causes", ()), *error.causes],
            hint="once that is mended, run `pyvstore sync`, or `pyvstore remove` what was added",
        ) from error


@dataclass(frozen=True, slots=True)
class _Decided:
    lock: LockDocument
    asked: Question
    interpreter: Interpreter


def _carry_out(
    project: Project, before: Snapshot, edited: ProjectDocument, decided: _Decided, *, is_asked_for: bool = False
) -> None:
    """Fetch, write both files, link; ``is_asked_for``: somebody named the Python."""
    interpreter = decided.interpreter
    selection = select(decided.lock, interpreter.environment)
    obtained = obtain_all(project, selection, decided.asked.settings)
    lock = format_lock(decided.lock).encode()
    project.files.commit(pyproject=edited.raw, lock=lock, since=before)
    try:
        converged = converge(project, selection, obtained, interpreter, is_python_asked_for=is_asked_for)
    except BaseException as error:
        _put_back(project, before, error)
        raise
    _say_written(project, before, Snapshot(pyproject=edited.raw, lock=lock))
    memo = Memo(selection, interpreter, mention_of(decided.asked))
    remember(project, memo, is_usual=converged.is_usual)


def _say_written(project: Project, before: Snapshot, after: Snapshot) -> None:
    reporter = project.context.reporter
    if before.pyproject is None:
        reporter.emit(ProjectMade(project.files.pyproject_path))
    if before.pyproject != after.pyproject:
        reporter.emit(FileWritten(project.files.pyproject_path))
    if before.lock != after.lock:
        reporter.emit(FileWritten(project.files.lock_path))
