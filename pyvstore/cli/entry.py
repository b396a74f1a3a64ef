"""The console script.

The two commands that people run all day, `sync` with nothing to do and `run`, are answered here after a glance at the
farm, before typer, rich, httpx or resolvelib are imported. Whatever the glance does not settle goes the long way.
"""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Run the command line and exit."""
    started = time.perf_counter()
    arguments = sys.argv[1:]
    _occupy_standard_descriptors()
    try:
        status = _at_once(arguments, started)
        if status is None:
            from pyvstore.cli.guard import run_guarded

            status = run_guarded(arguments)
    except KeyboardInterrupt:  # before the guard stands
        status = 128 + 2
    sys.exit(status)


def _occupy_standard_descriptors() -> None:
    """Lead closed standard streams nowhere: the next file that we open must not get their numbers.

    Whatever a library writes to "stderr" would go into that file.
    """
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return


def _at_once(arguments: list[str], started: float) -> int | None:
    """Answer a no-op `sync` or a `run` whose farm is as it was left; None for everything else."""
    quiet = arguments[:1] in (["-q"], ["--quiet"])
    words = arguments[1:] if quiet else arguments
    if words[:1] == ["run"]:
        command = words[2:] if words[1:2] == ["--"] else words[1:]
        if not command or (command[0].startswith("-") and words[1:2] != ["--"]):
            return None
    elif words == ["sync"]:
        command = []
    else:
        return None
    try:
        root = _nearest_project(os.getcwd())
    except OSError:
        return None
    if root is None:
        return None
    from pyvstore.glance import look

    prefix = os.path.join(root, ".venv")
    state = look(root, prefix, os.environ)
    if state is None:
        return None
    if not command:
        if state.get("parts"):  # more, or less, than a plain sync leaves
            return None
        if not quiet:
            from pyvstore.cli.console import Console, count, duration

            packages = count(len(state["packages"]), "package")
            Console().talk(f"Checked {packages} in {duration(time.perf_counter() - started)}")
        return 0
    from pyvstore.ops.launch import start

    # A program that is not there, or cannot be started, deserves the long way's explanation.
    try:
        return start(prefix, command, os.environ)
    except OSError:
        return None


def _nearest_project(directory: str) -> str | None:
    while not os.path.isfile(os.path.join(directory, "pyproject.toml")):
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent
    return directory
