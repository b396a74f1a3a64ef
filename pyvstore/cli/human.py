"""Events as sentences, in the order in which people need them; nothing is said twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from typing_extensions import override

from pyvstore.cli.console import Console, count, duration, size
from pyvstore.cli.foreign import one_line
from pyvstore.events import (
    DownloadAdvanced,
    DownloadFinished,
    DownloadsPlanned,
    DownloadStarted,
    Event,
    Ingested,
    InterpreterChosen,
    PackageChanged,
    PlatformNeeds,
    ProjectMade,
    Reporter,
    Resolved,
    Resolving,
    StoreOpened,
    Synced,
    Warned,
    WouldChange,
)

if TYPE_CHECKING:
    from pyvstore.cli.progress import Progress


_STEPS = (Resolving, DownloadsPlanned, DownloadStarted, DownloadAdvanced, DownloadFinished, Ingested)
"""What the live lines are drawn from."""

_ENDS = (Resolved, Synced, WouldChange)
"""What ends a piece of work, and its live lines."""


_SHOWN = 3
_COLORS = {"+": "green", "~": "yellow", "-": "red"}


class HumanReporter(Reporter):
    """Draws events on a console. Thread-safe. Call `close` when the command is over, whatever its end.

    With ``only_changes`` it keeps to itself that everything was in order.
    """

    def __init__(self, console: Console, *, only_changes: bool = False) -> None:
        self._console = console
        self._only_changes = only_changes
        self._lock = threading.RLock()
        self._progress: Progress | None = None
        self._changes: list[PackageChanged] = []
        self._warned: set[tuple[str, str]] = set()

    @override
    def emit(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, _STEPS):
                self._advance(event)
            elif isinstance(event, PackageChanged):
                self._changes.append(event)
            else:
                if isinstance(event, _ENDS):
                    self._end_progress()
                elif self._progress is not None:
                    self._progress.hide()
                self._say(event)

    def close(self) -> None:
        """Take the live progress away and say what is still to be said."""
        with self._lock:
            self._end_progress()
            self._say_changes()

    def _say(self, event: Event) -> None:
        console = self._console
        if isinstance(event, Warned):
            if (event.code, event.message) not in self._warned:
                self._warned.add((event.code, event.message))
                console.talk(console.styled(f"warning[{event.code}]", "yellow") + f": {one_line(event.message)}")
        elif isinstance(event, InterpreterChosen):
            path = console.styled(one_line(event.path), "cyan")
            console.talk(f"Using {one_line(event.implementation)} {one_line(event.version)} at {path}")
        elif isinstance(event, StoreOpened):
            console.talk(f"Packages are kept once for this machine in {console.styled(one_line(event.path), 'cyan')}")
        elif isinstance(event, ProjectMade):
            console.talk(f"Made {console.styled(one_line(event.path), 'cyan')}")
        elif isinstance(event, Resolved):
            console.talk(f"Resolved {count(event.packages, 'package')} in {duration(event.seconds)}")
        elif isinstance(event, PlatformNeeds):
            packages = ", ".join(event.packages[:_SHOWN])
            more = f" and {len(event.packages) - _SHOWN} more" if len(event.packages) > _SHOWN else ""
            needs = f"{event.platform} needs {event.library} {event.version} or newer"
            console.talk(one_line(f"{needs} ({packages}{more})"))
        elif isinstance(event, Synced):
            self._say_synced(event)
            self._say_changes()
        elif isinstance(event, WouldChange):
            self._say_changes(would=True)
            console.talk(f"Would change {count(event.paths, 'path')}" if event.paths else "Nothing would change")

    def _say_synced(self, event: Synced) -> None:
        took = duration(event.seconds)
        if not event.paths_changed:
            if not self._only_changes:
                self._console.talk(f"Checked {count(event.packages, 'package')} in {took}")
            return
        parts = []
        if event.reused:
            parts.append(f"Reused {event.reused}")
        if event.downloaded:
            parts.append(f"downloaded {event.downloaded} ({size(event.downloaded_bytes)})")
        if event.linked:
            parts.append(f"linked {event.linked} in {took}")
        elif self._changes:
            parts.append(f"unlinked {len(self._changes)} in {took}")
        else:
            parts.append(f"mended {count(event.paths_changed, 'path')} in {took}")
        line = " · ".join(parts)
        self._console.talk(line[0].upper() + line[1:])

    def _say_changes(self, *, would: bool = False) -> None:
        changes, self._changes = self._changes, []
        is_full = would or self._console.verbosity > 0
        counted = dict.fromkeys("+~-", 0)
        for change in sorted(changes, key=lambda change: (not change.direct, change.name)):
            if change.direct or is_full:
                self._console.talk(" " + self._line(change))
            else:
                counted[_sign(change)] += 1
        hidden = [f"{sign} {number}" for sign, number in counted.items() if number]
        if hidden:
            noun = "dependency" if sum(counted.values()) == 1 else "dependencies"
            self._console.talk(self._console.styled(f"   ({', '.join(hidden)} {noun})", "dim"))

    def _line(self, change: PackageChanged) -> str:
        console = self._console
        name, old, new = (one_line(text or "") for text in (change.name, change.old, change.new))
        sign = console.styled(_sign(change), _COLORS[_sign(change)])
        if old and new and old == new:  # another Python, or another file of the same release
            return f"{sign} {name} {new} (another wheel)"
        if old and new:
            return f"{sign} {name} {old} → {new}"
        return f"{sign} {name} {new or old}"

    def _advance(self, event: Event) -> None:
        if not self._console.is_terminal or self._console.verbosity < 0:
            return
        if self._progress is None:
            from pyvstore.cli.progress import Progress

            self._progress = Progress(color=self._console.color)
        self._progress.show(event)

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None


def _sign(change: PackageChanged) -> str:
    return "+" if change.old is None else "-" if change.new is None else "~"
