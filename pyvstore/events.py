"""What happens while a command works, as values; who hears of it is the caller's choice.

Rooms below `cli` never print. They tell a `Reporter`; the human output and ``--json`` are drawn from the same events.
Every field is a plain string, number or tuple, so that an event serialises as it is. Reporters must accept calls from
several threads at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Event:
    """Anything worth telling."""


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something is wrong but work goes on. ``code`` is stable and searchable, like an error's."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InterpreterChosen(Event):
    """The Python that the environment is for."""

    implementation: str
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class StoreOpened(Event):
    """First use of a store home on this machine."""

    path: str


@dataclass(frozen=True, slots=True)
class Resolving(Event):
    """The resolver considered ``name``; ``versions_fetched`` metadata files so far."""

    name: str
    versions_fetched: int


@dataclass(frozen=True, slots=True)
class Resolved(Event):
    """Resolution ended with ``packages`` versions."""

    packages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PlatformNeeds(Event):
    """What a machine must have at least for what is locked: ``library`` (glibc, musl, macOS) of ``version``.

    ``packages`` are those, with their versions, that run on nothing older.
    """

    platform: str
    library: str
    version: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DownloadsPlanned(Event):
    """The store lacks ``files`` wheels; ``size_bytes`` is what they weigh together, as far as the lockfile says."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadStarted(Event):
    """One file begins to arrive. ``size_bytes`` is None where the index does not say."""

    filename: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class DownloadAdvanced(Event):
    """``size_bytes`` more of the file arrived (negative when a retry starts over)."""

    filename: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadFinished(Event):
    """The file is complete and its hash was compared; ``size_bytes`` is its whole size."""

    filename: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Ingested(Event):
    """An entry was published in the store."""

    entry: str


@dataclass(frozen=True, slots=True)
class PackageChanged(Event):
    """One line of the summary. ``old``/``new`` are versions; None means absent before/after."""

    name: str
    old: str | None
    new: str | None
    direct: bool


@dataclass(frozen=True, slots=True)
class Synced(Event):
    """The environment now is what the lockfile says; all counts may be zero.

    Attributes:
        packages: distributions in the environment.
        reused: of the changed ones, how many the store had.
        downloaded, downloaded_bytes: of the changed ones, how many came over the network.
        linked: distributions added or changed.
        paths_changed: links, files and directories made or removed.
        seconds: time for planning and changing the farm, without network.
    """

    packages: int
    reused: int
    downloaded: int
    downloaded_bytes: int
    linked: int
    paths_changed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WouldChange(Event):
    """With ``--dry-run`` or ``--check``: how many paths of the farm differ from the lockfile."""

    paths: int


@dataclass(frozen=True, slots=True)
class FileWritten(Event):
    """A file of the project was written, e.g. ``pylock.toml``."""

    path: str


@dataclass(frozen=True, slots=True)
class ProjectMade(Event):
    """A pyproject.toml was made where there was none."""

    path: str


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The command ends with an error; for those who read events instead of sentences. ``status`` is the exit status."""

    code: str
    message: str
    causes: tuple[str, ...]
    hint: str | None
    status: int


class Reporter(Protocol):
    """Hears events. Must be quick, must not raise, and may be called from any thread."""

    def emit(self, event: Event) -> None:
        """Take note of ``event``."""


class SilentReporter:
    """The default: hears everything, says nothing."""

    def emit(self, event: Event) -> None:
        """Do nothing with ``event``."""


SILENT: Reporter = SilentReporter()
