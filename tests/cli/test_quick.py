"""The quick parser and typer's know the same options and mean the same by them."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvstore.cli import actions, quick
from pyvstore.cli.app import build_app, run_app
from pyvstore.cli.choices import PART_FLAGS, Lock
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.errors import UsageError
from pyvstore.model.parts import DEFAULT_PARTS, Parts
from pyvstore.ops.options import SyncOptions


def typers(name: str) -> set[str]:
    """Return the options that typer knows for a command, but for help."""
    command = typer.main.get_command(build_app(Globals(), Console()))
    child: Any = getattr(command, "commands")[name]  # noqa: B009 - the class is typer's own
    options = {text for parameter in child.params if parameter.param_type_name == "option" for text in parameter.opts}
    return options - {"--help", "-h"}


SHARED = {*PART_FLAGS, *quick.VALUES}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sync", {*quick.SYNC_FLAGS, *SHARED}),
        ("run", {*quick.RUN_FLAGS, quick.NO_SYNC, *SHARED}),
        ("lock", {*quick.LOCK_FLAGS, *quick.LOCK_VALUES}),
        ("relink", {quick.RELINK_DRY_RUN}),
    ],
)
def test_both_parsers_know_the_same_options(name: str, known: set[str]) -> None:
    assert typers(name) == known


Call = tuple[str, SyncOptions | Lock | None, tuple[str, ...], bool]


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

    def lock(_options: Globals, _console: Console, wanted: Lock, *, offline: bool) -> int:
        calls.append(("lock", wanted, (), offline))
        return 0

    for name, action in {"sync": sync, "run": run, "lock": lock, "relink": relink}.items():
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


Meaning = list[Call] | tuple[str, str | None] | None


def meaning(parse: Callable[[Sequence[str]], object], words: Sequence[str]) -> Meaning:
    """Return what one parser makes of a command line: the call, or what it says against it."""
    with pytest.MonkeyPatch.context() as patch:
        calls = recorded(patch)
        try:
            parse(words)
        except UsageError as error:
            return error.message, error.hint
        return calls or None


def typed(words: Sequence[str]) -> int:
    return run_app(Globals(), words, Console())


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


NAMES = ["docs", "Docs", "d.o_c", "dev", "", "--dev", "-q", "a=b"]
VALUES = st.sampled_from(NAMES)


def with_value(option: str) -> st.SearchStrategy[list[str]]:
    """Return an option with a value, in either of the two ways to write it."""
    return VALUES.map(lambda value: [option, value]) | VALUES.map(lambda value: [f"{option}={value}"])


def options_of(flags: Iterable[str], values: Iterable[str] = quick.VALUES) -> st.SearchStrategy[list[str]]:
    """Return options with their values, in any order and any number."""
    one = st.sampled_from(sorted(flags)).map(lambda flag: [flag]) | st.one_of(*map(with_value, sorted(values)))
    return st.lists(one, max_size=5).map(lambda found: [word for words in found for word in words])


@settings(deadline=None, max_examples=60)
@given(words=options_of([*quick.SYNC_FLAGS, *PART_FLAGS]))
def test_sync_with_any_options_means_the_same_to_both_parsers(words: list[str]) -> None:
    said = meaning(quickly, ["sync", *words])
    assert said is not None
    assert meaning(typed, ["sync", *words]) == said


@settings(deadline=None, max_examples=60)
@given(words=options_of(quick.LOCK_FLAGS, {name for name in quick.LOCK_VALUES if name != "-P"}))
def test_lock_with_any_options_means_the_same_to_both_parsers(words: list[str]) -> None:
    said = meaning(quickly, ["lock", *words])
    assert said is not None
    assert meaning(typed, ["lock", *words]) == said


@settings(deadline=None, max_examples=60)
@given(
    words=options_of([*quick.RUN_FLAGS, *PART_FLAGS, quick.NO_SYNC]),
    program=st.lists(st.sampled_from(["prog", "--dev", "--group", "--group=x", "--"]), max_size=3),
)
def test_run_with_any_options_means_the_same_to_both_parsers(words: list[str], program: list[str]) -> None:
    said = meaning(quickly, ["run", *words, "prog", *program])
    assert said is not None
    assert meaning(typed, ["run", *words, "prog", *program]) == said


@settings(deadline=None, max_examples=60)
@given(
    options=st.lists(
        st.sampled_from(["--frozen", "--locked", "--offline", "--no-sync", "--python=3", "--x"]), max_size=3
    ),
    separator=st.sampled_from([[], ["--"]]),
    program=st.lists(st.sampled_from(["prog", "--frozen", "-q", "--", "--no-sync", "-h", "--x"]), max_size=3),
)
def test_run_means_the_same_to_both_parsers(options: list[str], separator: list[str], program: list[str]) -> None:
    words = ["run", *options, *separator, *program]
    said = meaning(quickly, words)
    if said is not None:
        assert meaning(typed, words) == said


@pytest.mark.parametrize(
    "words",
    [
        ["sync", "--help"],
        ["sync", "-h"],
        ["sync", "--frozn"],
        ["sync", "--python"],
        ["sync", "--group"],
        ["sync", "--group", "docs", "--extra"],
        ["sync", "--dev=1"],
        ["sync", "--exclude-newer"],
        ["sync", "extra"],
        ["run"],
        ["run", "--help"],
        ["run", "--frozn", "prog"],
        ["run", "--frozen"],
        ["run", "--group", "docs"],
        ["run", "--check", "prog"],
        ["run", "--only-group"],
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


def synced(**values: Any) -> SyncOptions:
    """Return what `sync` is asked for where no part is named: the default ones."""
    return SyncOptions(**{"parts": DEFAULT_PARTS, **values})


DOCS = Parts(groups=("docs",))
EXPECTED: dict[str, Call] = {
    "sync": ("sync", synced(), (), False),
    "sync --frozen --offline": ("sync", synced(frozen=True, offline=True), (), False),
    "sync --python 3.12 --check": ("sync", synced(python="3.12", check=True), (), False),
    "sync --python 3.12 --python=3.13": ("sync", synced(python="3.13"), (), False),
    "sync --group docs": ("sync", synced(parts=DOCS), (), False),
    "sync --group=docs --group docs --group=Docs": ("sync", synced(parts=DOCS), (), False),
    "sync --group b --extra y --group a --extra x": (
        "sync",
        synced(parts=Parts(groups=("a", "b"), extras=("x", "y"))),
        (),
        False,
    ),
    "sync --no-dev --all-groups": ("sync", synced(parts=Parts(without_groups=("dev",), all_groups=True)), (), False),
    "sync --all-extras --no-default-groups": (
        "sync",
        synced(parts=Parts(all_extras=True, no_default_groups=True)),
        (),
        False,
    ),
    "sync --only-dev --only-group docs": ("sync", synced(parts=Parts(only_groups=("dev", "docs"))), (), False),
    "sync --resolution lowest --resolution=highest": ("sync", synced(flags={"resolution": "highest"}), (), False),
    "sync --exclude-newer=2026-01-31 --prereleases allow": (
        "sync",
        synced(flags={"exclude_newer": "2026-01-31", "prereleases": "allow"}),
        (),
        False,
    ),
    "run prog": ("run", SyncOptions(), ("prog",), False),
    "run --group docs prog --group x": ("run", SyncOptions(parts=DOCS), ("prog", "--group", "x"), False),
    "run --resolution=lowest prog": ("run", SyncOptions(flags={"resolution": "lowest"}), ("prog",), False),
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
    assert action.keywords == {"wanted": SyncOptions(parts=DEFAULT_PARTS)}
