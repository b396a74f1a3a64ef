"""Make a project's farm what a selection says: observe, plan, apply."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pyvstore.events import PackageChanged, Warned, WouldChange
from pyvstore.farm.apply import apply_plan
from pyvstore.farm.observe import list_names, observe
from pyvstore.farm.state import FarmState, InstalledPackage, read_state, write_state
from pyvstore.farm.trouble import changing, reading
from pyvstore.fs.files import make_directory
from pyvstore.fs.links import Linker
from pyvstore.glance import digest_files, digest_variables, fingerprint
from pyvstore.model.environment import Interpreter
from pyvstore.model.farm import File, Image, Link, Made
from pyvstore.model.parts import Parts
from pyvstore.model.selection import Selection
from pyvstore.ops.context import Project
from pyvstore.ops.entries import Obtained
from pyvstore.ops.summary import changes_between, packages_of, report
from pyvstore.plan.fold import Source
from pyvstore.plan.image import FarmDesign, plan_image
from pyvstore.plan.prefix import plan_prefix
from pyvstore.plan.sync import SyncPlan, plan_sync
from pyvstore.project.locate import examine_environment
from pyvstore.store.links import link_places
from pyvstore.store.records import ensure_records
from pyvstore.store.roots import register
from pyvstore.store.store import Entry, StoreLibrary

PROJECT_INPUTS = ("pyproject.toml", "pylock.toml", ".python-version")


@dataclass(frozen=True, slots=True)
class Converged:
    """What `converge` found and did.

    Attributes:
        plan: the changes, made or only planned.
        changes: the same, by distribution.
        is_usual: the environment's Python is the one that discovery chose, not one that was asked for.
    """

    plan: SyncPlan
    changes: tuple[PackageChanged, ...]
    is_usual: bool


def converge(
    project: Project,
    selection: Selection,
    obtained: Obtained,
    interpreter: Interpreter,
    *,
    dry_run: bool = False,
    is_fresh: bool = True,
    is_python_asked_for: bool = False,
) -> Converged:
    """Turn the farm into ``selection``, or with ``dry_run`` only say what would change.

    Args:
        project: whose farm; its lock is held.
        selection: what is wanted.
        obtained: its entries.
        interpreter: for which Python.
        dry_run: change nothing.
        is_fresh: the lockfile is known to answer pyproject.toml; otherwise the next command looks closer.
        is_python_asked_for: ``interpreter`` is not what discovery would choose by itself.

    Raises FarmError when something stands in the farm's place that is not ours, or when it cannot be changed. If it
    dies midway, running it again finishes the work.
    """
    started = time.perf_counter()
    examine_environment(project.prefix).require_usable()
    library = StoreLibrary()
    design = _design(project, selection, obtained.entries, interpreter, library)
    state = read_state(project.prefix)
    made = dict(state.made) if state else {}
    sites = {path for path in {*design.image, *made} if path.endswith("site-packages")}
    seen = observe(project.prefix, {*design.image, *made})
    plan = plan_sync(design.image, seen, made, site_packages=sites)
    packages = packages_of(selection, obtained.entries)
    changes = changes_between(state.packages if state else (), packages)
    is_same = state is not None and state.interpreter == interpreter.executable
    is_usual = state.is_usual_python if state is not None and is_same else not is_python_asked_for
    result = Converged(plan, changes, is_usual)
    if dry_run:
        for change in changes:
            project.context.reporter.emit(change)
        project.context.reporter.emit(WouldChange(plan.changes))
        return result
    told = state.told if state else ()
    changed = not plan.is_empty or state is None or not state.complete
    with project.store.shared():
        ensure_records(project.store, design.records, library)
        register(project.store, project.prefix)  # root first, links second: a sweep can never win the race
        if changed:
            _apply(project, plan, design, state)
    _warn_of_conflicts(project, design, changes)
    told = _tell_of_foreign(project, plan, state)
    left = _Left(packages, selection.parts, told, is_fresh, is_usual)
    _finish(project, state, interpreter, design, left)
    report(project, changes, obtained, paths_changed=plan.changes, seconds=time.perf_counter() - started)
    return result


def tell_once(project: Project, code: str, message: str, *, key: str | None = None) -> None:
    """Warn of something that is worth saying once in the life of an environment; ``key`` tells it from its like."""
    key = key or code
    state = read_state(project.prefix)
    if state is not None and key not in state.told:
        project.context.reporter.emit(Warned(code, message))
        write_state(replace(state, told=(*state.told, key)))


def _design(
    project: Project,
    selection: Selection,
    entries: Sequence[Entry],
    interpreter: Interpreter,
    library: StoreLibrary,
) -> FarmDesign:
    sources = [Source(entry.manifest, entry.root) for entry in entries]
    layout = interpreter.layout
    prompt = os.path.basename(project.root) or "venv"
    return plan_image(
        sources,
        base=plan_prefix(interpreter, project.prefix, prompt),
        layout=layout,
        python=os.path.join(project.prefix, layout.scripts, "python"),
        records_root=project.store.shelf("records"),
        direct={pin.name for pin in selection.pins if pin.direct},
        library=library,
    )


def _apply(project: Project, plan: SyncPlan, design: FarmDesign, state: FarmState | None) -> None:
    with changing(project.prefix):
        make_directory(project.prefix)
    before = state or FarmState(prefix=project.prefix, store=project.store.root, complete=False)
    pending = {**before.made, **_made(design.image, before.made)}
    write_state(
        replace(before, prefix=project.prefix, store=project.store.root, complete=False, made=pending, stamps={})
    )
    aside = apply_plan(plan, project.prefix, Linker(link_places(project.store)))
    if aside is not None:
        message = f"what stood in the way and was not made by pyvstore is now in {aside}"
        project.context.reporter.emit(Warned("set-aside", message))


def _warn_of_conflicts(project: Project, design: FarmDesign, changes: Sequence[PackageChanged]) -> None:
    """Say which files several distributions claim, when one of those distributions is new here."""
    changed = {change.name for change in changes}
    by_owners: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for conflict in design.conflicts:
        if changed.intersection(conflict.owners):
            by_owners.setdefault((conflict.owners, conflict.winner), []).append(conflict.path)
    for (owners, winner), paths in by_owners.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        verb = "are" if more else "is"
        message = f"{paths[0]}{more} {verb} in {' and '.join(owners)} with different contents; that of {winner} is used"
        project.context.reporter.emit(Warned("overlap", message))


def _tell_of_foreign(project: Project, plan: SyncPlan, state: FarmState | None) -> tuple[str, ...]:
    """Say once which distributions are there that the lockfile does not know."""
    told = state.told if state else ()
    names = sorted(
        path.rpartition("/")[2].removesuffix(".dist-info") for path in plan.foreign if path.endswith(".dist-info")
    )
    key = f"foreign:{' '.join(names)}"
    if names and key not in told:
        message = f"not in the lockfile and left alone: {', '.join(names)}"
        project.context.reporter.emit(Warned("foreign", message))
        told = (*(item for item in told if not item.startswith("foreign:")), key)
    return told


@dataclass(frozen=True, slots=True)
class _Left:
    """What the next command shall know, beside what was made."""

    packages: tuple[InstalledPackage, ...]
    parts: Parts
    told: tuple[str, ...]
    is_fresh: bool
    is_usual: bool


def _finish(
    project: Project, before: FarmState | None, interpreter: Interpreter, design: FarmDesign, left: _Left
) -> None:
    """Write the state that lets the next command answer after a glance, unless it is there.

    Where the lockfile was not compared, what was true of other inputs stays said of those: the next command sees
    whether they are still the same.
    """
    made = _made(design.image, {})
    stamps = {}
    site = interpreter.layout.site_packages
    with reading(project.prefix):
        for path, item in made.items():
            if item.sha256 is not None:
                status = os.lstat(os.path.join(project.prefix, path))
                stamps[path] = (status.st_size, status.st_mtime_ns)
        names = list_names(project.prefix, site)
        python = fingerprint(interpreter.executable)
    inputs = (*PROJECT_INPUTS, project.context.user_settings_path())
    after = FarmState(
        prefix=project.prefix,
        store=project.store.root,
        complete=True,
        input_files=digest_files(project.root, inputs) if left.is_fresh else {"pyproject.toml": "not compared"},
        input_variables=digest_variables(project.context.environ),
        interpreter=interpreter.executable,
        interpreter_fingerprint=python,
        is_usual_python=left.is_usual,
        packages=left.packages,
        made=made,
        stamps=stamps,
        listings={site: names},
        told=left.told,
        parts=left.parts,
    )
    if not left.is_fresh and before is not None and before.complete and before.interpreter == after.interpreter:
        after = replace(after, input_files=before.input_files, input_variables=before.input_variables)
    if after != before:
        write_state(after)


def _made(image: Image, before: Mapping[str, Made]) -> dict[str, Made]:
    """What we have made when ``image`` is applied; with what was there before, also while it is being applied."""
    made = {}
    for path, item in image.items():
        if isinstance(item, Link):
            made[path] = Made(target=item.target)
        elif isinstance(item, File):
            former = before[path].sha256 if path in before else None
            made[path] = Made(sha256=hashlib.sha256(item.data).hexdigest(), former=former)
        else:
            made[path] = Made()
    return made
