"""`sync`: the lockfile, then the store, then the farm."""

from __future__ import annotations

from pyvstore.errors import FarmError, UsageError
from pyvstore.events import InterpreterChosen
from pyvstore.farm.state import read_state
from pyvstore.model.environment import Interpreter
from pyvstore.model.parts import Parts
from pyvstore.model.selection import Selection
from pyvstore.ops.context import Context, Project
from pyvstore.ops.converge import converge, tell_once
from pyvstore.ops.entries import all_found, find_all, listed
from pyvstore.ops.memo import Memo, recall, remember
from pyvstore.ops.options import SyncOptions
from pyvstore.ops.parts import parts_in_use
from pyvstore.ops.summary import announce
from pyvstore.project.locate import examine_environment


def sync(context: Context, options: SyncOptions) -> None:
    """Make the project's environment what its lockfile says, writing the lockfile first where it is missing or stale.

    Raises whatever stands in the way; LockfileError ``lock-stale`` or ``lock-missing`` with ``locked``, ``check`` and
    ``frozen``, FarmError ``out-of-sync`` with ``check``. If it dies midway, running it again finishes the work.
    """
    if options.frozen and options.locked:
        raise UsageError("--frozen and --locked contradict each other", hint="use one of them")
    project = context.project()
    with project.locked():
        if options.is_plain and _repeat(project, options.parts):
            return
        _sync(project, options)


def _repeat(project: Project, asked: Parts | None) -> bool:
    """Do what was worked out before for the same files, if it was and if the store has it all."""
    memo = recall(project, parts_in_use(project) if asked is None else asked)
    if memo is None:
        return False
    obtained = all_found(find_all(project.store, memo.selection))
    if obtained is None:
        return False
    if read_state(project.prefix) is None:
        python = memo.interpreter
        project.context.reporter.emit(InterpreterChosen(python.implementation, python.version, python.executable))
    converge(project, memo.selection, obtained, memo.interpreter)
    _mention(project, memo.mention)
    return True


def _sync(project: Project, options: SyncOptions) -> None:
    from pyvstore.ops.anew import obtain_or_decide_anew
    from pyvstore.ops.work_out import mention_of, work_out

    examine_environment(project.prefix).require_usable()  # before much is fetched for nothing
    work = work_out(project, options)
    if options.changes_nothing:
        _look(project, work.selection, work.interpreter, options)
        return
    work, obtained = obtain_or_decide_anew(work, lambda: work_out(project, options), lambda work: work.obtain(project))
    work.write_lock(project)
    is_asked_for = options.python is not None
    converged = converge(
        project,
        work.selection,
        obtained,
        work.interpreter,
        is_fresh=not (options.frozen or options.flags),
        is_python_asked_for=is_asked_for,
    )
    mention = mention_of(work.asked)
    _mention(project, mention)
    if not (options.frozen or options.flags):
        remember(project, Memo(work.selection, work.interpreter, mention), is_usual=converged.is_usual)


def _look(project: Project, selection: Selection, interpreter: Interpreter, options: SyncOptions) -> None:
    """Say what would change; with ``check``, fail if that is anything."""
    found = find_all(project.store, selection)
    obtained = all_found(found)
    if obtained is None:
        announce(project, selection)
        missing = [pin.name for pin, entry in found.items() if entry is None]
        cause = f"the store does not have {listed(missing)}"
    else:
        plan = converge(project, selection, obtained, interpreter, dry_run=True).plan
        cause = f"{plan.changes} paths differ" if plan.changes else ""
    if options.check and cause:
        raise FarmError(
            f"the environment {project.prefix} is not what pylock.toml says",
            code="out-of-sync",
            causes=[cause],
            hint="run `pyvstore sync`",
        )


def _mention(project: Project, message: str | None) -> None:
    if message is not None:
        tell_once(project, "project-not-installed", message)
