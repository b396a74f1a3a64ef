"""What each command does once its options are known: call one op, render what it returns. No parsing here."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pyvstore.cli.choices import Edit, Lock
from pyvstore.cli.console import Console
from pyvstore.cli.foreign import one_line
from pyvstore.cli.globals import Globals
from pyvstore.cli.human import HumanReporter
from pyvstore.cli.machine import JsonReporter
from pyvstore.errors import PyvstoreError
from pyvstore.events import Reporter
from pyvstore.ops.context import Context
from pyvstore.ops.options import SyncOptions


@contextmanager
def _reporting(options: Globals, console: Console, *, only_changes: bool) -> Iterator[Reporter]:
    if options.json:
        events = JsonReporter(console)
        yield events
        events.close()
        return
    reporter = HumanReporter(console, only_changes=only_changes)
    try:
        yield reporter
    finally:
        reporter.close()


@contextmanager
def _context(
    options: Globals, console: Console, *, offline: bool = False, only_changes: bool = False
) -> Iterator[Context]:
    with _reporting(options, console, only_changes=only_changes) as reporter:
        yield Context(directory=_here(), environ=os.environ, reporter=reporter, offline=offline)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise PyvstoreError(
            "the folder that this command was started in is gone",
            code="directory",
            causes=[error.strerror or str(error)],
            hint="enter another folder, or use `--directory DIR`",
        ) from error


def sync(options: Globals, console: Console, wanted: SyncOptions) -> int:
    """Make the environment what the lockfile says."""
    from pyvstore.ops.sync import sync as op

    with _context(options, console, offline=wanted.offline) as context:
        op(context, wanted)
    return 0


def run(options: Globals, console: Console, wanted: SyncOptions, command: Sequence[str], *, no_sync: bool) -> int:
    """Sync, saying only what changed, then become the program."""
    from pyvstore.ops.run import prepare

    with _context(options, console, offline=wanted.offline, only_changes=console.verbosity <= 0) as context:
        prefix = prepare(context, wanted, no_sync=no_sync)
    from pyvstore.ops.launch import launch

    return launch(prefix, command, os.environ)


def relink(options: Globals, console: Console, *, dry_run: bool) -> int:
    """Rebuild the environment from lockfile and store alone."""
    from pyvstore.ops.relink import relink as op

    with _context(options, console, offline=True) as context:
        op(context, dry_run=dry_run)
    return 0


def init(options: Globals, console: Console, *, name: str | None, python: str | None) -> int:
    """Make a pyproject.toml."""
    from pyvstore.ops.init import init as op

    with _context(options, console) as context:
        op(context, name=name, python=python)
    return 0


def add(options: Globals, console: Console, requirements: Sequence[str], edit: Edit, *, offline: bool) -> int:
    """Add requirements, lock and sync."""
    from pyvstore.ops.edit import EditOptions
    from pyvstore.ops.edit import add as op

    with _context(options, console, offline=offline) as context:
        op(context, requirements, EditOptions(table=edit.table, python=edit.python, flags=edit.flags))
    return 0


def remove(options: Globals, console: Console, names: Sequence[str], edit: Edit, *, offline: bool) -> int:
    """Remove requirements, lock and sync."""
    from pyvstore.ops.edit import EditOptions
    from pyvstore.ops.edit import remove as op

    with _context(options, console, offline=offline) as context:
        op(context, names, EditOptions(table=edit.table))
    return 0


def lock(options: Globals, console: Console, wanted: Lock, *, offline: bool) -> int:
    """Write pylock.toml."""
    from pyvstore.ops.lock import lock as op
    from pyvstore.ops.options import Upgrade
    from pyvstore.requirements.argument import parse_requirement_arguments

    upgrade = Upgrade(
        everything=wanted.upgrade,
        packages=tuple(parse_requirement_arguments(wanted.packages)) if wanted.packages else (),
    )
    with _context(options, console, offline=offline) as context:
        changed = op(
            context,
            upgrade=upgrade,
            check=wanted.check,
            flags=wanted.flags,
            tell_needs=options.json or console.verbosity > 0,
        )
    console.talk("Wrote pylock.toml" if changed else "pylock.toml is up to date")
    return 0


def list_packages(options: Globals, console: Console) -> int:
    """Say what is in the environment."""
    from pyvstore.ops.list import list_packages as op

    with _context(options, console, offline=True) as context:
        packages = op(context)
    if options.json:
        console.data(json.dumps([{"name": item.name, "version": item.version} for item in packages]))
        return 0
    if not packages:
        console.talk("The environment is empty")
        return 0
    names = [one_line(item.name) for item in packages]
    width = max(len("Package"), *map(len, names))
    console.talk(console.styled(f"{'Package'.ljust(width)} Version", "bold"))
    for name, item in zip(names, packages, strict=True):
        note = "" if item.is_ours else "  (not from the lockfile)"
        console.data(f"{name.ljust(width)} {one_line(item.version)}{note}")
    return 0


def store_path(options: Globals, console: Console) -> int:
    """Say where the store is."""
    with _context(options, console) as context:
        path = context.store().root
        console.data(json.dumps({"path": path}) if options.json else path)
    return 0
