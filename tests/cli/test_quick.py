"""The quick parser and typer's know the same options and mean the same by them."""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.cli import actions, quick
from pyvstore.cli.app import build_app, run_app
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.errors import UsageError
from pyvstore.ops.options import SyncOptions


def typers(name: str) -> set[str]:
    """Return the options that typer knows for a command, but for help."""
    command = typer.main.get_command(build_app(Globals(), Console()))
    child: Any = getattr(command, "commands")[name]  # noqa: B009 - the class is typer's own
    options = {text for parameter in child.params if parameter.param_type_name == "option" for text in parameter.opts}
    return options - {"--help", "-h"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sync", {*quick.SYNC_FLAGS, quick.PYTHON}),
        ("run", {*quick.RUN_FLAGS, quick.NO_SYNC, quick.PYTHON}),
        ("relink", {quick.RELINK_DRY_RUN}),
    ],
)
def test_both_parsers_know_the_same_options(name: str, known: set[str]) -> None:
    assert typers(name) == known


Call = tuple[str, SyncOptions | None, tuple[str, ...], bool]


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    calls: list[Call] = []

    def sync(_options: Globals, _console: Console, wanted: SyncOptions) -> int:
        calls.append(("sync", wanted, (), False))
        return 0

    def run(_options: Globals, _console: Console, wanted: SyncOptions, command: Sequence[str], *, no_sync: bool) -> int:
        calls.append(("run", wanted, tuple(command), no_sync))
        return 0

    def relink(_options: Globals, _console: Console, *, dry_run: bool) -> int:
        calls.append(("relink", None, (), dry_run))
        return 0

    for name, action in {"sync": sync, "run": run, "relink": relink}.items():
        monkeypatch.setattr(actions, name, action)
    return calls


def quickly(words: Sequence[str]) -> bool:
    action = quick.parse_quickly(words)
    return action is not None and action(Globals(), Console()) == 0


def slowly(words: Sequence[str]) -> bool:
    try:
        return run_app(Globals(), words, Console()) == 0
    except UsageError:
        return False


SYNC_WORDS = ["--frozen", "--locked", "--check", "--dry-run", "--offline", "--python", "--python=3.12", "3.12"]


def test_every_combination_of_options_of_sync_means_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = recorded(monkeypatch)
    for length in range(3):
        for words in itertools.permutations(SYNC_WORDS, length):
            understood, said = quickly(["sync", *words]), calls.copy()
            calls.clear()
            if understood:
                assert slowly(["sync", *words]), words
                assert calls == said, words
            else:
                assert not slowly(["sync", *words]), words
            calls.clear()


@given(
    options=st.lists(
        st.sampled_from(["--frozen", "--locked", "--offline", "--no-sync", "--python=3", "--x"]), max_size=3
    ),
    separator=st.sampled_from([[], ["--"]]),
    program=st.lists(st.sampled_from(["prog", "--frozen", "-q", "--", "--no-sync", "-h", "--x"]), max_size=3),
)
def test_run_means_the_same_to_both_parsers(options: list[str], separator: list[str], program: list[str]) -> None:
    words = ["run", *options, *separator, *program]
    with pytest.MonkeyPatch.context() as patch:
        calls = recorded(patch)
        if quickly(words):
            (said,) = calls
            calls.clear()
            assert slowly(words)
            assert calls == [said]


@pytest.mark.parametrize(
    "words",
    [
        ["sync", "--help"],
        ["sync", "-h"],
        ["sync", "--frozn"],
        ["sync", "--python"],
        ["sync", "extra"],
        ["run"],
        ["run", "--help"],
        ["run", "--frozn", "prog"],
        ["run", "--frozen"],
        ["run", "--"],
        ["relink", "--help"],
        ["relink", "x"],
        ["add", "numpy"],
        ["--version"],
        [],
    ],
)
def test_what_needs_an_explanation_is_left_to_typer(words: list[str]) -> None:
    assert quick.parse_quickly(words) is None


EXPECTED: dict[str, Call] = {
    "sync": ("sync", SyncOptions(), (), False),
    "sync --frozen --offline": ("sync", SyncOptions(frozen=True, offline=True), (), False),
    "sync --python 3.12 --check": ("sync", SyncOptions(python="3.12", check=True), (), False),
    "run prog": ("run", SyncOptions(), ("prog",), False),
    "run --no-sync -- -x --frozen": ("run", SyncOptions(), ("-x", "--frozen"), True),
    "run --locked prog --frozen --": ("run", SyncOptions(locked=True), ("prog", "--frozen", "--"), False),
    "relink": ("relink", None, (), False),
    "relink --dry-run": ("relink", None, (), True),
}


@pytest.mark.parametrize("parse", [quickly, slowly])
@pytest.mark.parametrize("words", EXPECTED)
def test_both_parsers_understand(
    monkeypatch: pytest.MonkeyPatch, words: str, parse: Callable[[Sequence[str]], bool]
) -> None:
    calls = recorded(monkeypatch)
    assert parse(words.split())
    assert calls == [EXPECTED[words]]


def test_an_action_carries_no_more_than_what_was_asked() -> None:
    action = quick.parse_quickly(["sync"])
    assert isinstance(action, partial)
    assert action.keywords == {"wanted": SyncOptions()}
