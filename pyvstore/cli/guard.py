"""Around every command that takes the long way: signals, errors, exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence

from pyvstore.cli.console import Console, mute
from pyvstore.cli.failures import EXIT_INTERRUPTED, report, report_bug, report_refusal
from pyvstore.cli.globals import Globals, take_globals
from pyvstore.errors import PyvstoreError

_ENDS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


class _Terminated(BaseException):
    """A signal that ends the process arrived; unwinds like KeyboardInterrupt."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def run_guarded(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; prints every error, never a traceback for an expected one."""
    console = Console()
    options = Globals()
    try:
        options, rest = take_globals(arguments)
        console = Console(verbosity=options.verbosity, color=options.color)
        with _termination():
            return _dispatch(options, rest, console)
    except PyvstoreError as error:
        return report(error, console, is_json=options.json)
    except KeyboardInterrupt:
        console.insist("")
        return EXIT_INTERRUPTED
    except _Terminated as end:
        return end.exit_code
    except BrokenPipeError:  # from help, which typer writes
        mute(sys.stdout)
        return 1
    except OSError as error:
        return report_refusal(error, console, is_json=options.json)
    except Exception as error:  # noqa: BLE001 - the last line before a traceback in somebody's terminal
        return report_bug(error, console, is_json=options.json)


def _dispatch(options: Globals, rest: Sequence[str], console: Console) -> int:
    if options.directory is not None:
        try:
            os.chdir(options.directory)
        except OSError as error:
            raise PyvstoreError(
                f"{options.directory} is not a folder that can be entered",
                code="directory",
                causes=[error.strerror or str(error)],
            ) from error
    from pyvstore.cli.quick import parse_quickly

    action = parse_quickly(rest)
    if action is None:
        from pyvstore.cli.app import run_app

        return run_app(options, rest, console)
    return action(options, console)


@contextlib.contextmanager
def _termination() -> Iterator[None]:
    def stop(number: int, _frame: object) -> None:
        raise _Terminated(number)

    # The terminal that closes sends SIGHUP; who is told to ignore it (`nohup`) goes on doing so.
    ends = [number for number in _ENDS if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, stop) for number in ends}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
