"""Errors, as people see them: what, why as a chain, what next."""

from __future__ import annotations

import os
import traceback

import pyvstore
from pyvstore.cli.console import Console
from pyvstore.cli.foreign import harmless, one_line
from pyvstore.errors import InternalError, PyvstoreError
from pyvstore.events import Failed
from pyvstore.fs.trouble import advice_on, cause_of

EXIT_INTERRUPTED = 130
EXIT_BUG = 255
_LONGEST_LINE = 1000


def report(error: PyvstoreError, console: Console, *, is_json: bool = False) -> int:
    """Print an expected error, with ``is_json`` as an event too, and return the exit status."""
    lines = [console.styled(f"error[{error.code}]", "red") + f": {_readable(one_line(error.message))}"]
    for cause in error.causes:
        first, *rest = map(_readable, harmless(cause).split("\n"))
        lines.append(console.styled("  cause", "red") + f": {first}")
        lines += [f"         {line}" for line in rest]
    if error.hint:
        first, *rest = harmless(error.hint).split("\n")
        lines.append(console.styled("hint", "cyan") + f": {first}")
        lines += [f"      {line}" for line in rest]
    console.insist("\n".join(lines))
    if is_json:
        from pyvstore.cli.machine import JsonReporter

        JsonReporter(console).emit(Failed(error.code, error.message, error.causes, error.hint, error.exit_code))
    return error.exit_code


def _readable(line: str) -> str:
    """Cut what nobody reads: a line may repeat what a stranger wrote."""
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def report_refusal(error: OSError, console: Console, *, is_json: bool = False) -> int:
    """Print what the system refused where no room of ours could say more, and return the exit status."""
    advice = advice_on(error, "see whether you may use that place, then run the same command again")
    refusal = PyvstoreError(
        "the system refused something", code="system", causes=[f"{cause_of(error)} ({_place(error)})"], hint=advice
    )
    status = report(refusal, console, is_json=is_json)
    _trace(error, console)
    return status


def report_bug(error: BaseException, console: Console, *, is_json: bool = False) -> int:
    """Print what a maintainer needs to know about a bug of ours and return 255."""
    bug = InternalError(
        f"this is a bug in pyvstore {pyvstore.__version__}",
        causes=[f"{type(error).__name__}: {one_line(str(error))} ({_place(error)})"],
        hint="please report it with the output of the same command with `-v`",
    )
    report(bug, console, is_json=is_json)
    _trace(error, console)
    return EXIT_BUG


def _trace(error: BaseException, console: Console) -> None:
    if console.verbosity > 0:
        console.insist(harmless("".join(traceback.format_exception(error))).rstrip("\n"))


def _place(error: BaseException) -> str:
    """Return file and line of the innermost frame of ours."""
    home = os.path.dirname(pyvstore.__file__) + os.sep
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(home)]
    return f"{frames[-1].filename.removeprefix(home)}:{frames[-1].lineno}" if frames else "outside pyvstore"
