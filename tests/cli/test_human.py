"""Events as people read them."""

import pytest

from pyvstore.cli.console import Console
from pyvstore.cli.human import HumanReporter
from pyvstore.events import (
    DownloadAdvanced,
    DownloadFinished,
    DownloadStarted,
    Event,
    FileWritten,
    Ingested,
    InterpreterChosen,
    PackageChanged,
    PlatformNeeds,
    Resolved,
    Resolving,
    StoreOpened,
    Synced,
    Warned,
    WouldChange,
)
from tests.cli.streams import put


def synced(**changes: float) -> Synced:
    nothing: dict[str, float] = {
        "packages": 5,
        "reused": 0,
        "downloaded": 0,
        "downloaded_bytes": 0,
        "linked": 0,
        "paths_changed": 0,
        "seconds": 0.012,
    }
    return Synced(**{**nothing, **changes})  # type: ignore[arg-type]


def told(
    patch: pytest.MonkeyPatch, *events: Event, verbosity: int = 0, color: str = "never", only_changes: bool = False
) -> str:
    out, err = put(patch)
    reporter = HumanReporter(Console(verbosity=verbosity, color=color), only_changes=only_changes)
    for event in events:
        reporter.emit(event)
    reporter.close()
    assert out.text == ""
    return err.text


def test_a_first_add_reads_like_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(
        monkeypatch,
        StoreOpened("/home/me/.local/share/pyvstore"),
        InterpreterChosen("CPython", "3.12.1", "/usr/bin/python3.12"),
        Resolving("numpy", 3),
        Resolved(5, 0.41),
        DownloadStarted("numpy-2.5.5-py3-none-any.whl", 17_000_000),
        DownloadAdvanced("numpy-2.5.5-py3-none-any.whl", 17_000_000),
        DownloadFinished("numpy-2.5.5-py3-none-any.whl", 17_000_000),
        Ingested("numpy-2.5.5-aaaaaaaaaaaa"),
        FileWritten("/project/pylock.toml"),
        PackageChanged("pygments", None, "2.19.0", False),
        PackageChanged("rich", None, "15.0.0", True),
        PackageChanged("markdown-it-py", None, "4.0.0", False),
        PackageChanged("numpy", None, "2.5.5", True),
        PackageChanged("mdurl", None, "0.1.2", False),
        synced(reused=3, downloaded=2, downloaded_bytes=17_400_000, linked=5, paths_changed=30),
    )
    assert text.splitlines() == [
        "Packages are kept once for this machine in /home/me/.local/share/pyvstore",
        "Using CPython 3.12.1 at /usr/bin/python3.12",
        "Resolved 5 packages in 0.41 s",
        "Reused 3 · downloaded 2 (17.4 MB) · linked 5 in 12 ms",
        " + numpy 2.5.5",
        " + rich 15.0.0",
        "   (+ 3 dependencies)",
    ]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (synced(packages=184, seconds=0.009), "Checked 184 packages in 9 ms"),
        (synced(packages=1), "Checked 1 package in 12 ms"),
        (synced(packages=0), "Checked 0 packages in 12 ms"),
        (
            synced(downloaded=2, downloaded_bytes=900, linked=2, paths_changed=9),
            "Downloaded 2 (900 B) · linked 2 in 12 ms",
        ),
        (synced(reused=1, linked=1, paths_changed=1), "Reused 1 · linked 1 in 12 ms"),
        (synced(paths_changed=1), "Mended 1 path in 12 ms"),
        (synced(paths_changed=7), "Mended 7 paths in 12 ms"),
    ],
)
def test_one_line_says_what_a_sync_did(monkeypatch: pytest.MonkeyPatch, event: Event, line: str) -> None:
    assert told(monkeypatch, event) == line + "\n"


@pytest.mark.parametrize(
    ("packages", "shown"),
    [
        (("torch 2.9.0",), "torch 2.9.0"),
        (("a 1", "b 1", "c 1"), "a 1, b 1, c 1"),
        (("a 1", "b 1", "c 1", "d 1", "e 1"), "a 1, b 1, c 1 and 2 more"),
    ],
)
def test_a_platform_needs_something_because_of_packages(
    monkeypatch: pytest.MonkeyPatch, packages: tuple[str, ...], shown: str
) -> None:
    event = PlatformNeeds("linux-x86_64", "glibc", "2.28", packages)
    assert told(monkeypatch, event) == f"linux-x86_64 needs glibc 2.28 or newer ({shown})\n"


def test_a_run_says_nothing_when_all_was_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, synced(), only_changes=True) == ""
    assert told(monkeypatch, synced(paths_changed=2), only_changes=True) == "Mended 2 paths in 12 ms\n"


CHANGES = (
    PackageChanged("zeta", "1.0", "2.0", True),
    PackageChanged("omega", "1.0", "1.1", False),
    PackageChanged("beta", "3.0", None, True),
    PackageChanged("gamma", None, "4.0", False),
    PackageChanged("alpha", None, "1.0", True),
)


def test_changes_come_with_direct_dependencies_first_and_transitive_ones_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = told(monkeypatch, *CHANGES, synced(reused=4, linked=4, paths_changed=9))
    assert text.splitlines()[1:] == [
        " + alpha 1.0",
        " - beta 3.0",
        " ~ zeta 1.0 → 2.0",
        "   (+ 1, ~ 1 dependencies)",
    ]


def test_one_hidden_change_is_one_dependency(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, PackageChanged("gamma", "4.0", None, False), synced(paths_changed=9))
    assert text.splitlines()[1:] == ["   (- 1 dependency)"]


def test_verbose_shows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, *CHANGES, synced(reused=4, linked=4, paths_changed=9), verbosity=1)
    assert text.splitlines()[-2:] == [" + gamma 4.0", " ~ omega 1.0 → 1.1"]
    assert "dependenc" not in text


def test_what_would_change_is_shown_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, *CHANGES, WouldChange(12))
    assert text.splitlines() == [
        " + alpha 1.0",
        " - beta 3.0",
        " ~ zeta 1.0 → 2.0",
        " + gamma 4.0",
        " ~ omega 1.0 → 1.1",
        "Would change 12 paths",
    ]
    assert told(monkeypatch, WouldChange(0)) == "Nothing would change\n"


def test_removing_only_says_how_many_went(monkeypatch: pytest.MonkeyPatch) -> None:
    text = told(monkeypatch, PackageChanged("beta", "3.0", None, True), synced(paths_changed=4))
    assert text.splitlines() == ["Unlinked 1 in 12 ms", " - beta 3.0"]


def test_a_warning_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    warning = Warned("overlap", "two claim one path")
    text = told(monkeypatch, warning, warning, Warned("overlap", "another"))
    assert text == "warning[overlap]: two claim one path\nwarning[overlap]: another\n"


def test_quiet_says_nothing_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, Warned("a", "b"), Resolved(1, 1.0), *CHANGES, synced(linked=1), verbosity=-1) == ""


def test_changes_that_were_not_summed_up_are_still_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, CHANGES[0]) == " ~ zeta 1.0 → 2.0\n"


def test_without_its_colours_the_text_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    events = (
        StoreOpened("/s"),
        InterpreterChosen("CPython", "3.12.1", "/p"),
        Warned("code", "text"),
        *CHANGES,
        synced(reused=4, linked=4, paths_changed=9),
    )
    colored = told(monkeypatch, *events, color="always")
    assert "\x1b[32m+\x1b[0m alpha" in colored
    plain = colored
    for sequence in ("\x1b[32m", "\x1b[1;31m", "\x1b[33m", "\x1b[36m", "\x1b[2m", "\x1b[0m"):
        plain = plain.replace(sequence, "")
    assert plain == told(monkeypatch, *events)


@pytest.mark.parametrize(
    "event",
    [
        Warned("code", "a\x1b]0;title\x07\nb"),
        InterpreterChosen("C\x1b[31mPython", "3\r.12", "/p\x1b]8;;x\x07\n"),
        StoreOpened("/s\x1b[2J\n"),
        PackageChanged("na\x1bme", "1\x1b[1A", "2\n\x9b2J", True),
        PackageChanged("na\x1bme", None, "2\nfake: line", True),
        PackageChanged("na\x1bme", "2\nfake: line", None, True),
    ],
)
def test_foreign_text_stays_on_its_line_and_reaches_no_terminal_control(
    monkeypatch: pytest.MonkeyPatch, event: Event
) -> None:
    text = told(monkeypatch, event)
    assert text.count("\n") == 1
    assert text.rstrip("\n").isprintable()


def test_there_is_no_progress_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, Resolving("a", 1), DownloadStarted("a.whl", 1), DownloadAdvanced("a.whl", 1)) == ""


def test_the_same_version_from_another_wheel_is_no_change_of_version(monkeypatch: pytest.MonkeyPatch) -> None:
    change = PackageChanged("zeta", "1.0", "1.0", direct=True)
    assert told(monkeypatch, change) == " ~ zeta 1.0 (another wheel)\n"
