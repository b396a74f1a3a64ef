"""What `--help` says of every command."""

import contextlib
import io
import re
import shlex
from typing import Any

import pytest
import typer

from pyvstore.cli import actions
from pyvstore.cli.app import build_app, run_app
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals, take_globals
from pyvstore.cli.pages import PAGES
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
        explained = re.search(rf"{longest}(?: [A-Z]+)?(?:  +|\n {{20,}})\S", text)
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


@pytest.mark.parametrize("words", SUMMARIES)
def test_help_as_a_command_shows_the_same_page(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(Globals(), ["help", *words.split()], Console()) == 0
    assert capsys.readouterr().out == help_of(words)


def test_a_page_reads_from_usage_to_examples() -> None:
    assert help_of("add").splitlines() == [
        "Usage: pyvstore add [OPTIONS] REQUIREMENT...",
        "",
        "  Add packages to the project, lock and sync.",
        "",
        "Options:",
        "  --group NAME          To this dependency group.",
        "  --dev                 To the group dev.",
        "  --optional EXTRA      To this extra of the project.",
        "  --python PYTHON       A version (3.12), a specifier (>=3.11) or a path.",
        "  --resolution WHICH    For this once: highest, lowest or lowest-direct",
        "                        versions.",
        "  --prereleases WHEN    For this once: if-necessary, allow or disallow.",
        "  --exclude-newer WHEN  For this once: a date or an age, like '7 days'.",
        "  --offline             Do not use the network.",
        "  -h, --help            Show this message and exit.",
        "",
        "Examples:",
        "  pyvstore add numpy 'rich>=13'            two packages, one with a bound",
        "  pyvstore add 'httpx[http2]'              with an extra",
        "  pyvstore add --dev pytest                to the group dev, which is",
        "                                           installed by default",
        "  pyvstore add --optional plot matplotlib  to an extra of the project",
    ]


@pytest.mark.parametrize("words", [words for words in SUMMARIES if words not in {"", "store"}])
def test_every_example_is_a_command_line_that_is_understood(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name = words.rpartition(" ")[2]
    called = []

    def note(*_: object, **__: object) -> int:
        called.append(words)
        return 0

    for action in ("init", "add", "remove", "lock", "sync", "run", "relink", "list_packages", "store_path"):
        monkeypatch.setattr(actions, action, note)
    for example, _ in PAGES[name].examples:
        line = example.partition("$(pyvstore ")[2].rstrip(')"') or example
        options, rest = take_globals(shlex.split(line))
        assert rest[: len(words.split())] == words.split()
        assert run_app(options, rest, Console()) == 0
    assert len(called) == len(PAGES[name].examples)


def test_short_help_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(Globals(), ["sync", "-h"], Console()) == 0
    assert capsys.readouterr().out == help_of("sync")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("snyc", "pyvstore has no command snyc", "did you mean `pyvstore sync`?"),
        ("remvoe", "pyvstore has no command remvoe", "did you mean `pyvstore remove`?"),
        ("store pth", "pyvstore store has no command pth", "did you mean `pyvstore store path`?"),
        ("help ad", "pyvstore has no command ad", "did you mean `pyvstore add`?"),
        ("uninstall", "pyvstore has no command uninstall", "use `pyvstore remove NAME`"),
        ("store uninstall", "pyvstore store has no command uninstall", "run `pyvstore store --help`"),
        ("frobnicate", "pyvstore has no command frobnicate", "run `pyvstore --help`"),
        ("sync --frozn", "pyvstore sync has no option --frozn", "did you mean `--frozen`?"),
        ("run --ofline prog", "pyvstore run has no option --ofline", "did you mean `--offline`?"),
        ("run -m http", "pyvstore run has no option -m", "use `pyvstore run python -m MODULE`"),
        ("sync --colour", "pyvstore sync has no option --colour", "did you mean `--color`?"),
        ("--qiet", "pyvstore has no option --qiet", "did you mean `--quiet`?"),
        ("sync --entirely-else", "pyvstore sync has no option --entirely-else", "run `pyvstore sync --help`"),
        ("sync a b", "pyvstore sync takes no a b", "run `pyvstore sync --help`"),
        ("sync --python", "--python needs a value", "run `pyvstore sync --help`"),
        (
            "add",
            "pyvstore add needs a REQUIREMENT",
            "for example `pyvstore add numpy 'rich>=13'`, or run `pyvstore add --help`",
        ),
        (
            "run",
            "pyvstore run needs a COMMAND",
            "for example `pyvstore run main.py --flag`, or run `pyvstore run --help`",
        ),
    ],
)
def test_a_slip_is_answered_with_what_was_probably_meant(words: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_app(Globals(), words.split(), Console())
    assert (caught.value.message, caught.value.hint) == (message, hint)
    assert caught.value.code == "usage"


def test_what_the_parser_says_of_other_slips_begins_like_our_sentences_and_leads_to_help() -> None:
    with pytest.raises(UsageError) as caught:
        run_app(Globals(), ["sync", "--frozen=1"], Console())
    assert caught.value.message[0].islower()
    assert "--frozen" in caught.value.message
    assert not caught.value.message.endswith(".")
    assert caught.value.hint == "run `pyvstore sync --help`"
