"""Errors as people read them, and what is done when we are the ones who failed."""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pyvstore import __version__
from pyvstore.cli import guard
from pyvstore.cli.console import Console
from pyvstore.cli.failures import report, report_bug
from pyvstore.cli.globals import Globals
from pyvstore.errors import InternalError, LockfileError, PyvstoreError, UsageError
from tests.cli.streams import put


def reported(patch: pytest.MonkeyPatch, error: PyvstoreError, *, color: str = "never") -> tuple[int, str]:
    out, err = put(patch)
    status = report(error, Console(color=color))
    assert out.text == ""
    return status, err.text


def test_an_error_says_what_why_and_what_next(monkeypatch: pytest.MonkeyPatch) -> None:
    error = LockfileError(
        "pylock.toml does not match pyproject.toml",
        code="lock-stale",
        causes=["numpy>=2 was added to project.dependencies", "first line\nsecond line"],
        hint="run `pyvstore lock`, or\n`pyvstore sync` without `--locked`",
    )
    status, text = reported(monkeypatch, error)
    assert status == 1
    assert text.splitlines() == [
        "error[lock-stale]: pylock.toml does not match pyproject.toml",
        "  cause: numpy>=2 was added to project.dependencies",
        "  cause: first line",
        "         second line",
        "hint: run `pyvstore lock`, or",
        "      `pyvstore sync` without `--locked`",
    ]


def test_for_those_who_read_events_an_error_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = put(monkeypatch)
    report(UsageError("what", code="setting", causes=["why"], hint="then"), Console(), is_json=True)
    assert json.loads(out.text) == {
        "event": "failed",
        "code": "setting",
        "message": "what",
        "causes": ["why"],
        "hint": "then",
        "status": 2,
    }
    assert err.text.startswith("error[setting]: what\n")


def test_a_bug_is_an_event_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out, _ = put(monkeypatch)
    assert report_bug(ValueError("odd"), Console(), is_json=True) == 255
    event = json.loads(out.text)
    assert (event["event"], event["code"], event["status"]) == ("failed", "internal", 255)


def test_the_exit_status_is_the_familys(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(monkeypatch, UsageError("x")) == (2, "error[usage]: x\n")
    assert reported(monkeypatch, InternalError("x"))[0] == 255


def test_colour_marks_the_words_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    text = reported(monkeypatch, UsageError("x", causes=["y"], hint="z"), color="always")[1]
    assert text == "\x1b[1;31merror[usage]\x1b[0m: x\n\x1b[1;31m  cause\x1b[0m: y\n\x1b[36mhint\x1b[0m: z\n"


def test_foreign_text_in_an_error_cannot_control_the_terminal_or_pass_for_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error = PyvstoreError("a\nhint: run evil\x1b]0;t\x07", causes=["c\x1b[2J\nhint: run evil"], hint="h\r\x9b1A")
    lines = reported(monkeypatch, error)[1].splitlines()
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("hint: ")] == ["hint: h"]


def fail(depth: int) -> NoReturn:
    if depth:
        fail(depth - 1)
    raise ValueError("odd\x1b[31m\nvalue")


def test_a_bug_says_how_to_report_it_and_shows_a_traceback_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = put(monkeypatch)
    with pytest.raises(ValueError, match="odd") as caught:
        fail(3)
    assert report_bug(caught.value, Console()) == 255
    brief = err.text
    report_bug(caught.value, Console(verbosity=1))
    assert brief.splitlines() == [
        f"error[internal]: this is a bug in pyvstore {__version__}",
        "  cause: ValueError: odd value (outside pyvstore)",
        "hint: please report it with the output of the same command with `-v`",
    ]
    verbose = err.text.removeprefix(brief).removeprefix(brief)
    assert verbose.startswith("Traceback (most recent call last):\n")
    assert "\x1b" not in verbose


def test_a_bug_is_placed_in_our_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = put(monkeypatch)
    with pytest.raises(KeyError) as caught:
        Console(color="always").styled("x", "no such style")
    report_bug(caught.value, Console())
    assert "(cli/console.py:" in err.text


def guarded(patch: pytest.MonkeyPatch, behave: Callable[[], object]) -> tuple[int, str]:
    """Run a command that does what ``behave`` does; return its status and what it said on stderr."""
    _, err = put(patch)

    def dispatch(_options: Globals, _rest: list[str], _console: Console) -> int:
        behave()
        return 0

    patch.setattr(guard, "_dispatch", dispatch)
    return guard.run_guarded(["sync"]), err.text


def throw(error: BaseException) -> Callable[[], NoReturn]:
    def behave() -> NoReturn:
        raise error

    return behave


def test_a_bug_is_never_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = guarded(monkeypatch, throw(RuntimeError("oops")))
    assert status == 255
    assert text.startswith("error[internal]: ")
    assert "Traceback" not in text


def test_running_out_of_stack_or_memory_is_no_traceback_either(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guarded(monkeypatch, throw(RecursionError("deep")))[0] == 255
    assert guarded(monkeypatch, throw(MemoryError()))[0] == 255


def test_interrupts_have_their_own_status_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert guarded(monkeypatch, throw(KeyboardInterrupt())) == (130, "\n")
    assert guarded(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGTERM)) == (143, "")
    assert guarded(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGHUP)) == (129, "")


def test_who_asked_not_to_be_hung_up_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert guarded(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGHUP)) == (0, "")
    finally:
        signal.signal(signal.SIGHUP, before)


def test_what_the_system_refuses_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    status, text = guarded(monkeypatch, throw(OSError(28, "No space left on device", "/place")))
    assert status == 1
    assert text.startswith("error[system]: the system refused something\n  cause: /place: No space left on device")
    assert "hint: free some space" in text


def test_the_handler_of_termination_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    guarded(monkeypatch, lambda: None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_reader_of_help_that_goes_away_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch)
    with open(os.devnull, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        status, text = guarded(monkeypatch, throw(BrokenPipeError(32, "Broken pipe")))
    assert (status, text) == (1, "")


def test_a_folder_that_cannot_be_entered_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, err = put(monkeypatch)
    assert guard.run_guarded(["--directory", str(tmp_path / "absent"), "sync"]) == 1
    assert err.text.startswith(f"error[directory]: {tmp_path / 'absent'} is not a folder that can be entered\n")
