"""The live lines: only on a terminal, and gone afterwards."""

import re

import pytest

from pyvstore.cli.console import Console
from pyvstore.cli.human import HumanReporter
from pyvstore.cli.progress import BIG_BYTES, Progress
from pyvstore.events import (
    DownloadAdvanced,
    DownloadFinished,
    DownloadsPlanned,
    DownloadStarted,
    Event,
    Ingested,
    Resolved,
    Resolving,
    Warned,
)
from tests.cli.streams import put

BIG = "huge_data-1.0-py3-none-any.whl"
SMALL = "small-1.0-py3-none-any.whl"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def drawn(patch: pytest.MonkeyPatch, *events: Event, encoding: str = "utf-8", color: bool = True) -> tuple[str, str]:
    """Return what is written while ``events`` arrive, and by closing."""
    _, err = put(patch, encoding=encoding, terminal=True)
    progress = Progress(color=color)
    for event in events:
        progress.show(event)
    progress.refresh()
    during = err.text
    progress.close()
    return during, err.text.removeprefix(during)


@pytest.mark.usefixtures("terminal")
def test_downloads_are_counted_and_big_ones_have_a_line_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(
        monkeypatch,
        Resolving("demo", 1),
        DownloadStarted(BIG, BIG_BYTES),
        DownloadStarted(SMALL, 1000),
        DownloadAdvanced(BIG, 2_500_000),
        DownloadAdvanced(SMALL, 1000),
        DownloadFinished(SMALL, 1000),
        color=False,
    )
    *_, last = during.split("\x1b[2K")[-2:]
    frame = "".join(during.rpartition("Downloading 1/2")[1:])
    assert "Downloading 1/2" in frame
    assert "2.5/5.0 MB" in frame
    assert "huge-data" in frame + last
    assert "small" not in frame


@pytest.mark.usefixtures("terminal")
def test_the_line_of_a_big_file_goes_when_it_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    events = (DownloadStarted(BIG, BIG_BYTES), DownloadAdvanced(BIG, BIG_BYTES), DownloadFinished(BIG, BIG_BYTES))
    during, _ = drawn(monkeypatch, *events)
    assert "huge-data" in during
    assert "huge-data" not in "".join(frame_of(during))


def frame_of(text: str) -> list[str]:
    """Return the lines of the last frame, without escape sequences."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.rpartition("\x1b[2K")[2])
    return [line.strip("\r ") for line in plain.split("\n")]


@pytest.mark.usefixtures("terminal")
def test_all_that_will_be_downloaded_is_counted_from_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(monkeypatch, DownloadsPlanned(7, 20_000_000), DownloadStarted(SMALL, 1000), color=False)
    (line,) = frame_of(during)
    assert "Downloading 0/7" in line
    assert "0.0/20.0 MB" in line


@pytest.mark.usefixtures("terminal")
def test_unpacking_is_counted_once_all_has_arrived(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(
        monkeypatch,
        DownloadsPlanned(2, 2000),
        DownloadStarted(SMALL, 1000),
        DownloadStarted(BIG, 1000),
        DownloadFinished(SMALL, 1000),
        DownloadFinished(BIG, 1000),
        Ingested("small-1.0-aaaaaaaaaaaa"),
        color=False,
    )
    (line,) = frame_of(during)
    assert line[1:] == " Unpacking 1/2"


@pytest.mark.usefixtures("terminal")
def test_resolving_shows_no_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(monkeypatch, Resolving("demo", 1), color=False)
    (line,) = frame_of(during)
    assert line[1:] == " Resolving demo"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_every_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    name = "nvidia_cusparselt_cu13_with_a_long_name-1.0-py3-none-any.whl"
    during, _ = drawn(
        monkeypatch,
        DownloadsPlanned(29, 2_600_000_000),
        DownloadStarted(name, 170_100_000),
        DownloadAdvanced(name, 118_800_000),
        color=False,
    )
    whole, one = frame_of(during)
    assert "Downloading 0/29" in whole
    assert "0.1/2.6 GB" in whole
    assert "118.8/170.1 MB" in one
    assert max(len(whole), len(one)) <= columns


@pytest.mark.usefixtures("terminal")
def test_a_warning_stands_above_the_live_lines_which_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = put(monkeypatch, terminal=True)
    reporter = HumanReporter(Console(color="never"))
    reporter.emit(DownloadsPlanned(2, 2000))
    reporter.emit(DownloadFinished(SMALL, 1000))
    reporter.emit(Warned("overlap", "two claim one path"))
    before = err.text
    reporter.emit(DownloadFinished(BIG, 1000))
    reporter.close()
    assert before.endswith("\x1b[2Kwarning[overlap]: two claim one path\n")
    assert "Unpacking 0/2" in err.text.removeprefix(before)


@pytest.mark.usefixtures("terminal")
def test_nothing_is_left_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    during, after = drawn(monkeypatch, DownloadStarted(SMALL, 1000))
    assert "\x1b[?25l" in during
    assert "\x1b[?25h" in after
    assert after.endswith("\x1b[2K")


@pytest.mark.usefixtures("terminal")
def test_an_ascii_terminal_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    during, after = drawn(monkeypatch, Resolving("demo", 1), DownloadStarted(BIG, BIG_BYTES), encoding="ascii")
    assert (during + after).isascii()


@pytest.mark.usefixtures("terminal")
def test_without_colour_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(monkeypatch, DownloadStarted(BIG, BIG_BYTES), DownloadAdvanced(BIG, 1), color=False)
    assert "\x1b[3" not in during
    assert "\x1b[9" not in during


@pytest.mark.usefixtures("terminal")
def test_foreign_names_control_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    during, _ = drawn(
        monkeypatch, Resolving("na\x1b]0;title\x07me", 1), DownloadStarted(f"e\x1b[2Jvil-{BIG}", BIG_BYTES)
    )
    assert "title" not in during
    assert "\x1b[2J" not in during


@pytest.mark.usefixtures("terminal")
def test_sentences_take_the_live_lines_away_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = put(monkeypatch, terminal=True)
    reporter = HumanReporter(Console())
    reporter.emit(Resolving("demo", 1))
    reporter.emit(Resolved(1, 0.2))
    reporter.close()
    assert err.text.endswith("\x1b[2KResolved 1 package in 0.20 s\n")


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("verbosity", [-1, 0])
def test_quiet_and_dumb_terminals_have_no_live_lines(monkeypatch: pytest.MonkeyPatch, verbosity: int) -> None:
    if verbosity == 0:
        monkeypatch.setenv("TERM", "dumb")
    _, err = put(monkeypatch, terminal=True)
    reporter = HumanReporter(Console(verbosity=verbosity))
    reporter.emit(DownloadStarted(BIG, BIG_BYTES))
    reporter.close()
    assert err.text == ""
