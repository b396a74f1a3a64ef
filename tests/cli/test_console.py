import io
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from pyvstore.cli.console import Console, count, duration, encodable, size, wants_color
from pyvstore.cli.foreign import harmless, one_line
from pyvstore.errors import PyvstoreError
from tests.cli.streams import Stream, put


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 ms"),
        (0.0004, "1 ms"),
        (0.009, "9 ms"),
        (0.0994, "99 ms"),
        (0.0999, "0.10 s"),
        (0.41, "0.41 s"),
        (9.994, "9.99 s"),
        (9.999, "10.0 s"),
        (12.34, "12.3 s"),
        (99.94, "99.9 s"),
        (99.99, "1 min 40 s"),
        (185, "3 min 5 s"),
        (3599.7, "60 min 0 s"),
    ],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (812, "812 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (17_400_000, "17.4 MB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_499, "999 kB"),
        (999_600, "1.0 MB"),
        (999_600_000, "1.0 GB"),
        (1_234_000_000, "1.2 GB"),
        (6_200_000_000_000, "6200.0 GB"),
    ],
)
def test_sizes_are_for_people(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_no_duration_has_sixty_seconds_or_a_long_fraction(first: float, second: float) -> None:
    for text in (duration(first), duration(second)):
        assert " 60 s" not in text
        assert len(text) <= 14


def test_counts_agree_with_their_noun() -> None:
    assert [count(number, "package") for number in (0, 1, 2)] == ["0 packages", "1 package", "2 packages"]


HOSTILE = {
    "\x1b]0;title\x07after": "after",
    "\x1b]8;;http://evil/\x1b\\click\x1b]8;;\x1b\\": "click",
    "\x9d0;title\x9cafter": "after",
    "\x1bP1;2|payload\x1b\\after": "after",
    "\x1b[2J\x1b[31mred\x1b[0m": "red",
    "\x9b31mred": "red",
    "\x1bcreset": "reset",
    "a\rb\bc\x07d\x00e\x7ff": "abcdef",
    "user\u202etxt.exe\u2066": "usertxt.exe",
    "line\u2028line": "lineline",
    "\x1b]0;never ended": "",
    "\x1b": "",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_would_obey_is_gone(text: str) -> None:
    assert harmless(text) == HOSTILE[text]


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\x1b\x9b\x9d]\\[;?0m\x07\x9c\r\n"))))
def test_nothing_harmless_holds_a_control_character(text: str) -> None:
    assert not set(harmless(text)) & {*map(chr, range(32)), *map(chr, range(127, 160))} - {"\n", "\t"}
    assert not set(one_line(text)) & {"\n", "\r", "\x1b"}


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_about_colour(choice: str, environ: dict[str, str], terminal: bool, expected: bool) -> None:
    assert wants_color(Stream(terminal=terminal), choice, environ) is expected


def test_no_stream_has_no_colour_of_its_own() -> None:
    assert not wants_color(None, "auto", {})


def test_colour_is_only_added(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch)
    assert Console(color="always").styled("word", "green") == "\x1b[32mword\x1b[0m"
    assert Console(color="never").styled("word", "green") == "word"


def test_quiet_silences_talk_but_not_errors_and_data(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = put(monkeypatch)
    console = Console(verbosity=-1)
    console.talk("talk")
    console.insist("error")
    console.data("data")
    assert (out.text, err.text) == ("data\n", "error\n")


def test_our_signs_become_plain_ones_where_the_encoding_lacks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = put(monkeypatch, encoding="ascii")
    Console().talk("Reused 3 · linked 5: alpha 1.0 → 1.1 \u00fcber")
    assert err.text == "Reused 3, linked 5: alpha 1.0 -> 1.1 \\xfcber\n"


def test_names_that_are_not_unicode_are_shown_as_escapes() -> None:
    assert encodable("na\udcffme · x", "utf-8") == "na\\udcffme · x"


class Broken(Stream):
    """A stream on a pipe that nobody reads, or a disk that is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    @override
    def write(self, text: str) -> int:
        raise self.error

    @override
    def fileno(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), OSError(28, "No space left on device")])
def test_talk_never_fails(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(error))
    Console().talk("anything")


def test_data_that_nobody_waits_for_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(BrokenPipeError(32, "Broken pipe")))
    Console().data("anything")


def test_data_that_gets_lost_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(OSError(28, "No space left on device")))
    with pytest.raises(PyvstoreError, match="the output cannot be written") as caught:
        Console().data("anything")
    assert (caught.value.code, caught.value.exit_code) == ("output", 1)
    assert caught.value.causes == ("No space left on device",)


def test_streams_that_were_closed_before_the_start_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    console = Console(color="auto", environ={})
    assert not console.is_terminal
    console.talk("talk")
    console.data("data")


def test_a_stream_that_failed_leads_nowhere_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        Console().data("dropped")
        assert os.path.samestat(os.fstat(stream.fileno()), os.stat(os.devnull))
