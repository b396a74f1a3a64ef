"""The live lines on a terminal: gone when the work is done. The only module that imports rich."""

from __future__ import annotations

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as RichProgress
from rich.table import Column
from typing_extensions import override

from pyvstore.cli.foreign import one_line
from pyvstore.events import (
    DownloadAdvanced,
    DownloadFinished,
    DownloadsPlanned,
    DownloadStarted,
    Event,
    Ingested,
    Resolving,
)

BIG_BYTES = 5_000_000
"""Files from this size on get a bar of their own; all count in the total."""

NARROW_COLUMNS = 75
"""A terminal that is narrower has no room for bars and rates."""

_SIZES_WIDTH = 18
_BAR_AND_RATE_WIDTH = 37
"""What the columns beside the description take at most, spaces included."""


class _OfBytes(ProgressColumn):
    """A column that is empty in lines that count no bytes."""

    def __init__(self, column: ProgressColumn) -> None:
        super().__init__(Column(no_wrap=True))
        self._column = column

    @override
    def render(self, task: Task) -> RenderableType:
        return self._column.render(task) if task.fields.get("is_of_bytes") else ""


class Progress:
    """One line for the whole and one for each big file under way."""

    def __init__(self, *, color: bool = True) -> None:
        console = RichConsole(stderr=True, highlight=False, markup=False, no_color=not color)
        is_narrow = console.width < NARROW_COLUMNS
        room = max(console.width - _SIZES_WIDTH - (0 if is_narrow else _BAR_AND_RATE_WIDTH), 1)
        columns = [
            SpinnerColumn("line" if console.options.ascii_only else "dots"),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=room)),
            _OfBytes(BarColumn(bar_width=24)),
            _OfBytes(DownloadColumn()),
            _OfBytes(TransferSpeedColumn()),
        ]
        if is_narrow:
            columns = [columns[0], columns[1], columns[3]]
        self._rich = RichProgress(*columns, console=console, transient=True)
        self._words: TaskID | None = None
        self._total: TaskID | None = None
        self._files: dict[str, TaskID] = {}
        self._sizes: dict[str, int] = {}
        self._planned = DownloadsPlanned(0, 0)
        self._downloaded = 0
        self._ingested = 0

    def show(self, event: Event) -> None:
        """Draw ``event``, and again what `hide` took away."""
        self._rich.start()
        if isinstance(event, Resolving):
            self._say(f"Resolving {one_line(event.name)}")
        elif isinstance(event, DownloadsPlanned):
            self._planned = event
            self._describe()
        elif isinstance(event, DownloadStarted):
            self._start(event)
        elif isinstance(event, DownloadAdvanced):
            if self._total is not None:
                self._rich.advance(self._total, event.size_bytes)
            if event.filename in self._files:
                self._rich.advance(self._files[event.filename], event.size_bytes)
        elif isinstance(event, DownloadFinished):
            self._downloaded += 1
            self._describe()
            if event.filename in self._files:
                self._rich.remove_task(self._files.pop(event.filename))
        elif isinstance(event, Ingested):
            self._ingested += 1
            self._describe()

    def refresh(self) -> None:
        """Draw what is known now; otherwise that happens ten times a second."""
        self._rich.refresh()

    def hide(self) -> None:
        """Take the lines away until there is something to show again."""
        self._rich.stop()

    def close(self) -> None:
        """Remove the lines."""
        self._rich.stop()

    def _start(self, event: DownloadStarted) -> None:
        self._sizes[event.filename] = event.size_bytes or 0
        self._describe()
        if (event.size_bytes or 0) >= BIG_BYTES:
            name = one_line(event.filename).split("-")[0].replace("_", "-")
            self._files[event.filename] = self._rich.add_task(f"  {name}", total=event.size_bytes, is_of_bytes=True)

    def _describe(self) -> None:
        files = max(self._planned.files, len(self._sizes))
        if self._downloaded < files:
            size_bytes = max(self._planned.size_bytes, sum(self._sizes.values()))
            self._count(f"Downloading {self._downloaded}/{files}", size_bytes)
        else:
            self._say(f"Unpacking {self._ingested}/{files}")

    def _count(self, text: str, size_bytes: int) -> None:
        """Have one line for the whole, with bytes."""
        if self._words is not None:
            self._rich.remove_task(self._words)
            self._words = None
        if self._total is None:
            self._total = self._rich.add_task(text, total=size_bytes or None, is_of_bytes=True)
        else:
            self._rich.update(self._total, description=text, total=size_bytes or None)

    def _say(self, text: str) -> None:
        """Have one line for the whole, without."""
        if self._total is not None:
            self._rich.remove_task(self._total)
            self._total = None
        if self._words is None:
            self._words = self._rich.add_task(text, total=None)
        else:
            self._rich.update(self._words, description=text)
