"""What a person may ask of `sync`, `run` and `lock`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyvstore.model.parts import Parts

if TYPE_CHECKING:
    from packaging.requirements import Requirement


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgrade:
    """Which old pins are given up.

    Attributes:
        everything: all of them.
        packages: those of these names; bounds hold for this once.
    """

    everything: bool = False
    packages: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is given up."""
        return self.everything or bool(self.packages)


NO_UPGRADE = Upgrade()
