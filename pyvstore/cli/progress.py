"""The live lines on a terminal: gone when the work is done. The only module that imports rich."""

from __future__ import annotations

from rich.console import Console as RichConsole
from rich.progress import BarColumn, DownloadColumn, SpinnerColumn, TaskID, TextColumn, TransferSpeedColumn
from rich.progress import Progress as RichProgress

from pyvstore.cli.foreign import one_line
from pyvstore.events import DownloadAdvanced, DownloadFinished, DownloadStarted, Event, Resolving

BIG_BYTES = 5_000_000
"""Files from this size on get a bar of their own; all count in the total."""


class Progress:
    """One line for the whole and one for each big file under way."""

    def __init__(self, *, color: bool = True) -> None:
        console = RichConsole(stderr=True, highlight=False, markup=False, no_color=not color)
        self._rich = RichProgress(
            SpinnerColumn("line" if console.options.ascii_only else "dots"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            transient=True,
        )
        self._resolving: TaskID | None = None
        self._total: TaskID | None = None
        self._files: dict[str, TaskID] = {}
        self._sizes: dict[str, int] = {}
        self._done = 0
        self._rich.start()

    def show(self, event: Event) -> None:
        """Draw ``event``."""
        if isinstance(event, Resolving):
            if self._resolving is None:
                self._resolving = self._rich.add_task("Resolving", total=None)
            self._rich.update(self._resolving, description=f"Resolving {one_line(event.name)}")
        elif isinstance(event, DownloadStarted):
            self._start(event)
        elif isinstance(event, DownloadAdvanced):
            if self._total is not None:
                self._rich.advance(self._total, event.size_bytes)
            if event.filename in self._files:
                self._rich.advance(self._files[event.filename], event.size_bytes)
        elif isinstance(event, DownloadFinished):
            self._done += 1
            self._describe()
            if event.filename in self._files:
                self._rich.remove_task(self._files.pop(event.filename))

    def refresh(self) -> None:
        """Draw what is known now; otherwise that happens ten times a second."""
        self._rich.refresh()

    def close(self) -> None:
        """Remove the lines."""
        self._rich.stop()

    def _start(self, event: DownloadStarted) -> None:
        if self._resolving is not None:
            self._rich.remove_task(self._resolving)
            self._resolving = None
        self._sizes[event.filename] = event.size_bytes or 0
        if self._total is None:
            self._total = self._rich.add_task("Downloading", total=0)
        self._rich.update(self._total, total=sum(self._sizes.values()))
        self._describe()
        if (event.size_bytes or 0) >= BIG_BYTES:
            name = one_line(event.filename).split("-")[0]
            self._files[event.filename] = self._rich.add_task(f"  {name}", total=event.size_bytes)

    def _describe(self) -> None:
        if self._total is not None:
            self._rich.update(self._total, description=f"Downloading {self._done}/{len(self._sizes)}")
