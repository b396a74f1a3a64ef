"""What an environment consists of: the lockfile's answer for one target, in installation order."""

from __future__ import annotations

from dataclasses import dataclass

from pyvstore.model.entry import EntryKey
from pyvstore.model.parts import DEFAULT_PARTS, Parts

TYPE_CHECKING = False  # a type only: `packaging` costs more than the rest of a relink
if TYPE_CHECKING:
    from packaging.utils import NormalizedName


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """One distribution of a selection: exactly one wheel.

    Attributes:
        name, version: normalised name, canonical version text.
        filename: the wheel's file name.
        url: where it can be had (``https``, ``http`` or ``file``), without credentials.
        sha256: lower-case hex of the wheel.
        size_bytes: None where the lock does not say.
        dependencies: names of the direct dependencies that the same selection holds, sorted.
        direct: whether the project asks for it itself.
    """

    name: NormalizedName
    version: str
    filename: str
    url: str
    sha256: str
    size_bytes: int | None
    dependencies: tuple[NormalizedName, ...] = ()
    direct: bool = False

    @property
    def key(self) -> EntryKey:
        """The store key of this pin's wheel."""
        return EntryKey(name=self.name, version=self.version, sha256=self.sha256)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """All pins of one environment.

    Attributes:
        pins: dependencies come before their dependents (cycles are broken by name).
        parts: the optional parts of the project that were asked for.
    """

    pins: tuple[Pin, ...]
    parts: Parts = DEFAULT_PARTS
