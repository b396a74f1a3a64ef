"""Errors, as people see them: what, why as a chain, what next."""

from __future__ import annotations

import sys
import traceback

from pyvstore import __version__
from pyvstore.cli.console import Console, harmless
from pyvstore.errors import PyvstoreError

EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
EXIT_BUG = 255


def report(error: PyvstoreError, console: Console) -> int:
    """Print an expected error and return the exit status."""
    lines = [console.styled(f"error[{error.code}]", "red") + f": {harmless(error.message)}"]
    for cause in error.causes:
        first, *rest = harmless(cause).split("\n")
        lines.append(console.styled("  cause", "red") + f": {first}")
        lines += [f"         {line}" for line in rest]
    if error.hint:
        first, *rest = harmless(error.hint).split("\n")
        lines.append(console.styled("hint", "cyan") + f": {first}")
        lines += [f"      {line}" for line in rest]
    console.insist("\n".join(lines))
    return error.exit_code


def report_bug(error: BaseException, console: Console) -> int:
    """Print what a maintainer needs to know about a bug of ours and return 255."""
    where = traceback.extract_tb(error.__traceback__)
    place = f"{where[-1].filename.rpartition('pyvstore')[2]}:{where[-1].lineno}" if where else "?"
    console.insist(
        console.styled("error[internal]", "red")
        + f": this is a bug in pyvstore {__version__}\n"
        + f"  cause: {type(error).__name__}: {harmless(str(error))} ({place.lstrip('/')})\n"
        + console.styled("hint", "cyan")
        + ": please report it with the output of the same command with `-v`"
    )
    if console.verbosity > 0:
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    return EXIT_BUG
