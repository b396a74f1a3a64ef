"""`sync`: the lockfile, then the store, then the farm."""

from __future__ import annotations

from dataclasses import dataclass

from pyvstore.errors import FarmError, UsageError
from pyvstore.events import FileWritten
from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.select import select
from pyvstore.lockfile.write import format_lock
from pyvstore.model.environment import Interpreter
from pyvstore.model.selection import Selection
from pyvstore.ops.context import Context, Project
from pyvstore.ops.converge import announce, converge, tell_once
from pyvstore.ops.entries import Obtained, find_all, require_all
from pyvstore.ops.interpreters import choose_interpreter
from pyvstore.ops.lockfiles import Question, question, require_fresh, require_lock


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncOptions:
    """How to sync.

    Attributes:
        frozen: take the lockfile as it is, without comparing it with pyproject.toml.
        locked: fail if the lockfile is stale instead of writing a new one.
        check: change nothing and fail if something would change.
        dry_run: change nothing and say what would change.
        offline: use no network.
        python: for which Python; None keeps the environment's, else the first that fits.
    """

    frozen: bool = False
    locked: bool = False
    check: bool = False
    dry_run: bool = False
    offline: bool = False
    python: str | None = None

    @property
    def changes_nothing(self) -> bool:
        """Whether this is only a look."""
        return self.check or self.dry_run


def sync(context: Context, options: SyncOptions) -> None:
    """Make the project's environment what its lockfile says, writing the lockfile first where it is missing or stale.

    Raises whatever stands in the way; LockfileError ``lock-stale`` or ``lock-missing`` with ``locked``, ``check`` and
    ``frozen``, FarmError ``out-of-sync`` with ``check``. If it dies midway, running it again finishes the work.
    """
    if options.frozen and options.locked:
        raise UsageError("--frozen and --locked contradict each other", hint="use one of them")
    project = context.project()
    with project.locked():
        asked, interpreter = _ask(project, options)
        document, is_new = _lock(project, asked, options)
        selection = select(document, interpreter.environment)
        if options.changes_nothing:
            _look(project, selection, interpreter, options)
            return
        obtained = _obtain(project, selection, asked)
        if is_new:
            project.files.commit(lock=format_lock(document).encode())
            context.reporter.emit(FileWritten(project.files.lock_path))
        converge(project, selection, obtained, interpreter, is_fresh=not options.frozen)
        _mention_the_project_itself(project, asked)


def _ask(project: Project, options: SyncOptions) -> tuple[Question, Interpreter]:
    pyproject = project.files.read_document().data
    interpreter = choose_interpreter(project, pyproject, options.python)
    return question(project, pyproject, interpreter.environment), interpreter


def _lock(project: Project, asked: Question, options: SyncOptions) -> tuple[LockDocument, bool]:
    if options.frozen:
        return require_lock(project, "--frozen does not make one"), False
    if options.locked or options.check:
        return require_fresh(project, asked, "--locked" if options.locked else "--check"), False
    from pyvstore.ops.locking import fresh_lock

    return fresh_lock(project, asked)


def _obtain(project: Project, selection: Selection, asked: Question) -> Obtained:
    if all(find_all(project.store, selection).values()):
        return require_all(project, selection)
    from pyvstore.ops.obtain import obtain_all

    return obtain_all(project, selection, asked.settings)


def _look(project: Project, selection: Selection, interpreter: Interpreter, options: SyncOptions) -> None:
    """Say what would change; with ``check``, fail if that is anything."""
    missing = [pin.name for pin, entry in find_all(project.store, selection).items() if entry is None]
    paths = 0
    if not missing:
        paths = converge(project, selection, require_all(project, selection), interpreter, dry_run=True).plan.changes
    else:
        announce(project, selection)
    if options.check and (missing or paths):
        causes = [f"{len(missing)} packages are not in the store: {', '.join(missing[:5])}"] if missing else []
        raise FarmError(
            f"the environment {project.prefix} is not what pylock.toml says",
            code="out-of-sync",
            causes=causes or [f"{paths} paths differ"],
            hint="run `pyvstore sync`",
        )


def _mention_the_project_itself(project: Project, asked: Question) -> None:
    if asked.requirements.has_build_system and asked.settings.package is not False:
        tell_once(
            project,
            "project-not-installed",
            f"{asked.requirements.name} itself is not installed, only what it needs; "
            "to run its code, start it from its folder, or set `package = false` in [tool.pyvstore]",
        )
