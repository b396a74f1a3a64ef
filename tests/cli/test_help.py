"""What `--help` says of every command."""

import contextlib
import io
import re
from typing import Any

import pytest
import typer

from pyvstore.cli.app import build_app, run_app
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.errors import UsageError

SUMMARIES = {
    "": "Python environments made of links into one verified store of packages.",
    "init": "Make a pyproject.toml in this folder.",
    "add": "Add packages to the project, lock and sync.",
    "remove": "Remove packages from the project, lock and sync.",
    "lock": "Write pylock.toml.",
    "sync": "Make the environment what the lockfile says.",
    "run": "Run a program in the environment.",
    "relink": "Rebuild the environment from lockfile and store, without network.",
    "list": "List the packages in the environment.",
    "store": "The store of packages.",
    "store path": "Print where the store is.",
}


def commands() -> dict[str, Any]:
    """Return every command by its words; their class depends on the version of typer."""
    found: dict[str, Any] = {"": typer.main.get_command(build_app(Globals(), Console()))}
    pending = [""]
    while pending:
        words = pending.pop()
        for name, child in getattr(found[words], "commands", {}).items():
            found[f"{words} {name}".strip()] = child
            pending.append(f"{words} {name}".strip())
    return found


def help_of(words: str) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run_app(Globals(), [*words.split(), "--help"], Console()) == 0
    return out.getvalue()


def test_every_command_has_a_summary_here() -> None:
    assert set(commands()) == set(SUMMARIES)


@pytest.mark.parametrize("words", SUMMARIES)
def test_help_begins_with_how_to_write_the_command_and_what_it_does(words: str) -> None:
    lines = help_of(words).splitlines()
    assert lines[0].startswith(f"Usage: pyvstore {words}".strip())
    assert lines[2].strip() == SUMMARIES[words]


@pytest.mark.parametrize("words", SUMMARIES)
def test_help_fits_a_narrow_terminal_and_is_plain_text(words: str) -> None:
    for line in help_of(words).splitlines():
        assert len(line) <= 80, line
        assert line.isprintable()
        assert line == line.rstrip()


@pytest.mark.parametrize("words", SUMMARIES)
def test_every_option_is_explained_with_a_sentence(words: str) -> None:
    parameters = [item for item in commands()[words].params if item.param_type_name == "option"]
    text = help_of(words)
    for parameter in parameters:
        assert parameter.help.endswith("."), parameter.opts
        longest = max(parameter.opts, key=len)
        explained = re.search(rf"{longest}(?: [A-Z]+)?  +\S", text)
        assert explained, f"{words} {longest}"
    assert "<str>" not in text
    assert "--install-completion" not in text


@pytest.mark.parametrize("words", ["", "store"])
def test_a_group_without_a_command_shows_its_help_and_is_a_usage_error(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_app(Globals(), words.split(), Console()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Usage: pyvstore ")


def test_short_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(Globals(), ["sync", "-h"], Console()) == 0
    assert capsys.readouterr().out == help_of("sync")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("snyc", "sync"),
        ("remvoe", "remove"),
        ("sync --frozn", "--frozen"),
        ("run --ofline prog", "--offline"),
        ("store pth", "path"),
        ("add", "REQUIREMENT"),
        ("run", "COMMAND"),
        ("sync --python", "--python"),
    ],
)
def test_a_slip_is_answered_with_what_was_probably_meant(words: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_app(Globals(), words.split(), Console())
    assert expected in caught.value.message
    assert not caught.value.message.endswith(".")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("run `pyvstore")
    assert caught.value.hint.endswith("--help`")
