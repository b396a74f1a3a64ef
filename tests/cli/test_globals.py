import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.cli.globals import Globals, take_globals
from pyvstore.errors import UsageError


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ("sync", Globals(), "sync"),
        ("-q sync", Globals(verbosity=-1), "sync"),
        ("sync --quiet", Globals(verbosity=-1), "sync"),
        ("sync -v", Globals(verbosity=1), "sync"),
        ("-v sync --verbose", Globals(verbosity=2), "sync"),
        ("-vv sync", Globals(verbosity=2), "sync"),
        ("-vvvvv sync", Globals(verbosity=5), "sync"),
        ("sync -q -v", Globals(verbosity=1), "sync"),
        ("sync -vq", Globals(verbosity=-1), "sync"),
        ("add numpy --json --offline", Globals(json=True), "add numpy --offline"),
        ("--directory there sync", Globals(directory="there"), "sync"),
        ("sync --directory=there --frozen", Globals(directory="there"), "sync --frozen"),
        ("sync --directory -q", Globals(directory="-q"), "sync"),
        ("--color=always sync", Globals(color="always"), "sync"),
        ("sync --color never", Globals(color="never"), "sync"),
        ("store --json path", Globals(json=True), "store path"),
        ("sync --python -v", Globals(), "sync --python -v"),
        ("sync --python", Globals(), "sync --python"),
        ("add -- -q", Globals(), "add -- -q"),
        ("-q add -- --json", Globals(verbosity=-1), "add -- --json"),
        ("", Globals(), ""),
        ("sync -", Globals(), "sync -"),
        ("sync -qx", Globals(), "sync -qx"),
        ("--version", Globals(), "--version"),
    ],
)
def test_globals_are_taken_wherever_they_stand(words: str, found: Globals, rest: str) -> None:
    assert take_globals(words.split()) == (found, rest.split())


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ("run prog -q -v --json --color x", Globals(), "run prog -q -v --json --color x"),
        ("run -q prog -q", Globals(verbosity=-1), "run prog -q"),
        ("-q run --frozen prog --directory x", Globals(verbosity=-1), "run --frozen prog --directory x"),
        ("run --python 3.12 -v prog -v", Globals(verbosity=1), "run --python 3.12 prog -v"),
        ("run --python=3.12 prog -v", Globals(), "run --python=3.12 prog -v"),
        ("run --directory there prog --directory x", Globals(directory="there"), "run prog --directory x"),
        ("run --color never prog", Globals(color="never"), "run prog"),
        ("run -- -q", Globals(), "run -- -q"),
        ("run -v -- prog -q", Globals(verbosity=1), "run -- prog -q"),
        ("run run -q", Globals(), "run run -q"),
        ("run --python run -q", Globals(verbosity=-1), "run --python run"),
    ],
)
def test_what_a_program_gets_is_never_looked_at(words: str, found: Globals, rest: str) -> None:
    assert take_globals(words.split()) == (found, rest.split())


@given(st.lists(st.sampled_from(["-q", "-v", "--json", "--directory", "--color", "bad", "--", "run", "-x", ""])))
def test_the_arguments_of_a_program_survive_unchanged(arguments: list[str]) -> None:
    assert take_globals(["run", "prog", *arguments]) == (Globals(), ["run", "prog", *arguments])
    assert take_globals(["-q", "run", "--", *arguments])[1] == ["run", "--", *arguments]


@pytest.mark.parametrize(("words", "message"), [("sync --directory", "--directory"), ("--color", "--color")])
def test_a_missing_value_is_refused_with_an_example(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"{message} needs a value") as caught:
        take_globals(words.split())
    assert caught.value.hint is not None
    assert message in caught.value.hint


@pytest.mark.parametrize("words", ["--color pink sync", "sync --color=", "sync --color=Always"])
def test_an_unknown_colour_choice_is_refused_with_those_that_exist(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        take_globals(words.split())
    assert caught.value.hint == "use one of auto, always, never"
