"""What a person may ask of `sync` and `run`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyvstore.model.parts import Parts


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncOptions:
    """How to sync.

    Attributes:
        frozen: take the lockfile as it is, without comparing it with pyproject.toml.
        locked: fail if the lockfile is stale instead of writing a new one.
        check: change nothing and fail if something would change.
        dry_run: change nothing and say what would change.
        offline: use no network.
        python: for which Python; None keeps the environment's, else the first that fits.
        parts: which optional parts of the project; None keeps those that the environment has.
        flags: settings for this once: name as in Python → value.
    """

    frozen: bool = False
    locked: bool = False
    check: bool = False
    dry_run: bool = False
    offline: bool = False
    python: str | None = None
    parts: Parts | None = None
    flags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether nothing was asked for that could make the answer another than last time."""
        return not (self.frozen or self.check or self.dry_run or self.python or self.flags)

    @property
    def changes_nothing(self) -> bool:
        """Whether this is only a look."""
        return self.check or self.dry_run
