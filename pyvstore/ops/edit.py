"""`add` and `remove`: change what the project asks for; lockfile and environment follow, or nothing changes.

pyproject.toml and pylock.toml change together, after everything that can fail on the way (resolving, downloading,
checking wheels) has been done. If making the links fails or is interrupted after that, both files are put back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pyvstore.errors import ProjectError, UsageError
from pyvstore.events import FileWritten, ProjectMade
from pyvstore.lockfile.coverage import covers
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.inputs import DEPENDENCIES_TABLE, group_table, optional_table, scope_of
from pyvstore.lockfile.parts import narrowed
from pyvstore.lockfile.select import select
from pyvstore.lockfile.write import format_lock
from pyvstore.model.environment import Interpreter
from pyvstore.model.parts import Parts, with_part
from pyvstore.model.selection import Selection
from pyvstore.ops.anew import obtain_or_decide_anew
from pyvstore.ops.context import Context, Project
from pyvstore.ops.converge import converge
from pyvstore.ops.init import draft, project_name_of
from pyvstore.ops.interpreters import choose_for, choose_interpreter
from pyvstore.ops.lockfiles import Question, question, read_lock
from pyvstore.ops.locking import Answer, resolve
from pyvstore.ops.memo import Memo, remember
from pyvstore.ops.obtain import obtain_all
from pyvstore.ops.parts import parts_in_use
from pyvstore.ops.work_out import mention_of
from pyvstore.project.document import ProjectDocument
from pyvstore.project.files import Snapshot
from pyvstore.project.locate import examine_environment, find_project_root
from pyvstore.requirements.argument import parse_requirement_arguments
from pyvstore.requirements.edits import EditAction, apply_edits, plan_add, plan_remove
from pyvstore.requirements.project import ProjectRequirements, parse_project
from pyvstore.requirements.text import format_requirement, with_lower_bound


@dataclass(frozen=True, kw_only=True, slots=True)
class EditOptions:
    """How to edit.

    Attributes:
        table: the list that is changed, as `pyvstore.lockfile.inputs` names it.
        python: for which Python the environment is; see `SyncOptions`.
        flags: settings for this once; see `SyncOptions`.
    """

    table: str = DEPENDENCIES_TABLE
    python: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict)


PLAIN = EditOptions()


def add(context: Context, texts: Sequence[str], options: EditOptions = PLAIN) -> None:
    """Add requirements to a list of the project, making pyproject.toml where there is none; then lock and sync.

    A requirement without bounds is written with the oldest version that is chosen anywhere as its lower bound. The
    environment gets the part that was added to. Raises whatever stands in the way; pyproject.toml and pylock.toml are
    then as they were.
    """
    wanted = parse_requirement_arguments(texts)
    root = find_project_root(context.directory, home=context.home) or context.directory
    project = context.project_at(root)
    with project.locked():
        examine_environment(project.prefix).require_usable()  # before much is fetched for nothing
        before = project.files.snapshot()
        old = read_lock(project)
        document, interpreter = _document(project, before, options.python, old)
        requirements, unbounded = _with_added(document.requirements(options.table), wanted)

        def decide() -> _Decided:
            edited = _edited(document, requirements, options.table)
            asked = question(project, edited.data, options.flags)
            answer = resolve(project, asked, old)
            bounded = _with_bounds(requirements, unbounded, answer)
            if bounded != requirements:
                edited = _edited(document, bounded, options.table)
                asked = question(project, edited.data, options.flags)
            return _decided(project, edited, answer, asked=asked, interpreter=interpreter, options=options)

        _carry_out(project, before, decide)


def remove(context: Context, names: Sequence[str], options: EditOptions = PLAIN) -> None:
    """Take requirements out of a list of the project; then lock and sync.

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
        edited = _edited(document, _without(document, options.table, names, old), options.table)
        interpreter = choose_interpreter(project, edited.data, options.python, lock=old)
        asked = question(project, edited.data, options.flags)

        def decide() -> _Decided:
            answer = resolve(project, asked, old)
            return _decided(project, edited, answer, asked=asked, interpreter=interpreter, options=options)

        _carry_out(project, before, decide)


def _covered(
    project: Project, edited: ProjectDocument, interpreter: Interpreter, lock: LockDocument, options: EditOptions
) -> Interpreter:
    """Return a Python that the new lock is for, where there is one and nobody asked for another."""
    if options.python is not None or covers(lock, interpreter.environment):
        return interpreter
    return choose_interpreter(project, edited.data, None, lock=lock)


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


def _without(document: ProjectDocument, table: str, names: Sequence[str], old: LockDocument | None) -> list[str]:
    requirements = document.requirements(table)
    wanted: str = ""
    try:
        for wanted in dict.fromkeys(map(canonicalize_name, names)):
            requirements = _texts(apply_edits(requirements, plan_remove(requirements, wanted)))
    except UsageError as error:
        packages = old.packages if old is not None else ()
        needing = {package.name for package in packages for edge in package.dependencies if edge.name == wanted}
        error.causes = (f"{wanted} is here because {', '.join(sorted(needing))} needs it",) if needing else ()
        error.hint = _elsewhere(parse_project(document.data), table, wanted) or error.hint
        raise
    return requirements


def _elsewhere(project: ProjectRequirements, table: str, name: str) -> str | None:
    """Return how to remove ``name`` from the list that has it, if another one does."""
    lists = [("", DEPENDENCIES_TABLE, project.dependencies)]
    lists += [(f" --optional {extra}", optional_table(extra), found) for extra, found in project.optional.items()]
    lists += [(f" --group {group}", group_table(group), found) for group, found in project.groups.items()]
    for flag, place, requirements in lists:
        if place != table and any(canonicalize_name(found.name) == name for found in requirements):
            return f"it is in {place}: run `pyvstore remove{flag} {name}`"
    return None


def _with_bounds(requirements: Sequence[str], unbounded: Sequence[Requirement], answer: Answer) -> list[str]:
    bounded = list(requirements)
    for requirement in unbounded:
        version = answer.lowest_version(canonicalize_name(requirement.name))
        if version is not None:
            position = bounded.index(format_requirement(requirement))
            bounded[position] = format_requirement(with_lower_bound(requirement, version))
    return bounded


def _edited(document: ProjectDocument, requirements: Sequence[str], table: str) -> ProjectDocument:
    return ProjectDocument.parse(document.path, document.with_dependencies(requirements, table))


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
    edited: ProjectDocument
    lock: LockDocument
    asked: Question
    interpreter: Interpreter
    options: EditOptions
    selection: Selection
    is_new: bool = True


def _decided(
    project: Project,
    edited: ProjectDocument,
    answer: Answer,
    *,
    asked: Question,
    interpreter: Interpreter,
    options: EditOptions,
) -> _Decided:
    lock = answer.freeze(asked.inputs)
    interpreter = _covered(project, edited, interpreter, lock, options)
    selection = select(lock, interpreter.environment, _parts(project, lock, options))
    return _Decided(edited, lock, asked, interpreter, options, selection)


def _parts(project: Project, lock: LockDocument, options: EditOptions) -> Parts:
    """Return what the environment shall have: what it has, and the part that is edited."""
    parts = narrowed(lock, parts_in_use(project))
    kind, _, name = scope_of(options.table).partition(":")
    if not name or (kind == "group" and name in (lock.default_members or ())):
        return parts
    there = lock.extras if kind == "extra" else lock.dependency_groups
    return with_part(parts, kind, name) if name in there else parts


def _carry_out(project: Project, before: Snapshot, decide: Callable[[], _Decided]) -> None:
    """Decide and fetch, write both files, link."""
    decided, obtained = obtain_or_decide_anew(
        decide(), decide, lambda decided: obtain_all(project, decided.selection, decided.asked.settings)
    )
    edited, interpreter, options, selection = decided.edited, decided.interpreter, decided.options, decided.selection
    lock = format_lock(decided.lock).encode()
    project.files.commit(pyproject=edited.raw, lock=lock, since=before)
    try:
        converged = converge(
            project,
            selection,
            obtained,
            interpreter,
            is_fresh=not options.flags,
            is_python_asked_for=options.python is not None,
        )
    except BaseException as error:
        _put_back(project, before, error)
        raise
    _say_written(project, before, Snapshot(pyproject=edited.raw, lock=lock))
    if not options.flags:
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
