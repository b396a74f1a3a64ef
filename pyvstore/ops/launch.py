"""Start a program in a project's environment. Imports next to nothing: it is on the path of every `run`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping, Sequence

TYPE_CHECKING = False  # the constant that type checkers know; importing `typing` would cost more than the rest
if TYPE_CHECKING:
    from pyvstore.errors import UsageError

_SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def launch(prefix: str, command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run ``command`` with the environment at ``prefix`` first on PATH.

    On POSIX the process is replaced and this does not return; elsewhere the child's exit status is returned. A first
    word that ends in ``.py`` and is a file is run by the environment's Python. Raises UsageError (``no-command``) when
    there is no such program.
    """
    from pyvstore.errors import UsageError

    try:
        status = start(prefix, command, environ)
    except OSError as error:
        raise UsageError(
            f"{error.filename or command[0]} cannot be started",
            code="cannot-start",
            causes=[_reason(error)],
            hint="start it through its interpreter, such as `pyvstore run python PROGRAM` or `pyvstore run sh PROGRAM`",
        ) from error
    if status is None:
        raise _missing(prefix, command[0])
    return status


def _missing(prefix: str, program: str) -> UsageError:
    """Return the error for a program that cannot be found, or is none."""
    from pyvstore.errors import UsageError

    if os.sep in program and os.path.isfile(program):
        return UsageError(
            f"{program} is not executable",
            code="cannot-start",
            hint=f"make it so with `chmod +x {program}`, or start it as in `pyvstore run sh {program}`",
        )
    if os.sep in program or program.endswith((".py", ".pyw")):
        return UsageError(f"there is no program at {program}", code="no-command", hint=f"paths begin at {os.getcwd()}")
    from difflib import get_close_matches

    try:
        known = sorted(os.listdir(os.path.join(prefix, _SCRIPTS)))
    except OSError:
        known = []
    alike = get_close_matches(program, known, n=1)
    return UsageError(
        f"there is no program {program} in this environment or on PATH",
        code="no-command",
        hint=f"did you mean `pyvstore run {alike[0]}`?"
        if alike
        else "add the package that brings it: `pyvstore add NAME`",
    )


def start(prefix: str, command: Sequence[str], environ: Mapping[str, str]) -> int | None:
    """Do what `launch` does, but return None when there is no such program and raise OSError when it does not start."""
    environment = _environment(prefix, environ)
    arguments = _arguments(command)
    program = find_program(prefix, command, environ)
    if program is None:
        return None
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed before we were started
            stream.flush()
    if os.name == "nt":
        import subprocess

        return subprocess.call([program, *arguments[1:]], env=environment)
    return os.execve(program, arguments, environment)  # noqa: S606 - starting the user's program is the point


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "the interpreter that its first line names is not there"
    if error.errno == errno.ENOEXEC:
        return "it is neither a program for this machine nor a script whose first line names an interpreter"
    return error.strerror or str(error)


def find_program(prefix: str, command: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return the path of the program that `launch` would start, or None."""
    program = _arguments(command)[0]
    path = _environment(prefix, environ)["PATH"]
    if os.name == "nt":
        import shutil

        return shutil.which(program, path=path)
    # Like `shutil.which`, whose import alone costs more than the rest of this module.
    if os.sep in program:
        return program if _can_start(program) else None
    places = (os.path.join(directory or ".", program) for directory in path.split(os.pathsep))
    return next((place for place in places if _can_start(place)), None)


def _can_start(place: str) -> bool:
    return os.access(place, os.X_OK) and not os.path.isdir(place)


def _arguments(command: Sequence[str]) -> list[str]:
    is_script = command[0].endswith((".py", ".pyw")) and os.path.isfile(command[0])
    return ["python", *command] if is_script else list(command)


def _environment(prefix: str, environ: Mapping[str, str]) -> dict[str, str]:
    scripts = os.path.join(prefix, _SCRIPTS)
    environment = {name: value for name, value in environ.items() if name != "PYTHONHOME"}
    environment["VIRTUAL_ENV"] = prefix
    environment["PATH"] = scripts + os.pathsep + environ.get("PATH", os.defpath)
    return environment
