"""The points of a project that supports several platforms and Pythons: platform classes x Python intervals.

The Python axis starts with one interval for each minor version within ``requires-python``, cut further where
``requires-python`` itself names a patch release. When a text met later tells two Pythons of one interval apart, the
search is run again on a `Lattice.refined` one; a point is named by the *first* final release of its interval.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from packaging.markers import Marker
from packaging.version import Version

from pyvstore.errors import UsageError
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.platforms import DEFAULT_PLATFORMS, NEWEST_PYTHON, PLATFORM_CLASSES, PlatformClass
from pyvstore.model.tags import supported_tags
from pyvstore.resolution.boundaries import marker_boundaries, specifier_boundaries
from pyvstore.resolution.lenient import lenient_specifier

OLDEST_PYTHON = (3, 8)
MOST_COMBINATIONS = 100
"""Of conflicting scopes: four sets of two, or one of ninety-nine."""


@dataclass(frozen=True, slots=True)
class PythonImplementation:
    """An implementation as markers name it, with the ABI tag that its wheels carry (None: CPython's rule)."""

    name: str
    display_name: str
    abi_suffix: str | None = None

    def abi(self, minor: tuple[int, int]) -> str | None:
        """Return the ABI tag for one minor version."""
        return None if self.abi_suffix is None else f"{self.name}{minor[0]}{minor[1]}_{self.abi_suffix}"


CPYTHON = PythonImplementation("cpython", "CPython")
PYPY = PythonImplementation("pypy", "PyPy", "pp73")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lattice:
    """What a project supports.

    Attributes:
        requires_python: the project's specifier text; "" for none. Clipped to the Pythons known here.
        platforms: names from `PLATFORM_CLASSES`.
        environments: markers; a point is kept when any holds (none given: all are kept).
        implementations: of Python.
        conflicts: sets of scopes of which at most one is active at a time; see `Lattice.assignments`.
        boundaries: further cuts of the Python axis, see `pyvstore.resolution.boundaries`.
        oldest, newest: minor versions at the ends of the axis, inclusive.
    """

    requires_python: str = ""
    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    environments: tuple[str, ...] = ()
    implementations: tuple[PythonImplementation, ...] = (CPYTHON,)
    conflicts: tuple[tuple[str, ...], ...] = ()
    boundaries: frozenset[str] = field(default_factory=frozenset)
    oldest: tuple[int, int] = OLDEST_PYTHON
    newest: tuple[int, int] = NEWEST_PYTHON

    def pythons(self) -> tuple[Version, ...]:
        """Return the first release of every supported interval, ascending."""
        starts = {f"{self.oldest[0]}.{minor}.0" for minor in range(self.oldest[1], self.newest[1] + 1)}
        named = specifier_boundaries(self.requires_python).union(
            self.boundaries, *(marker_boundaries(marker) for marker in self.environments)
        )
        starts.update(cut for cut in named if self._is_on_axis(Version(cut)))
        allowed = lenient_specifier(self.requires_python)
        return tuple(sorted(version for version in map(Version, starts) if allowed.contains(version)))

    def points(self) -> tuple[TargetEnvironment, ...]:
        """Return the points, platform by platform, each from the oldest Python to the newest."""
        markers = [Marker(text) for text in self.environments]
        pythons = self.pythons()
        points = (
            _point(PLATFORM_CLASSES[name], implementation, python)
            for name in self.platforms
            for implementation in self.implementations
            for python in pythons
        )
        return tuple(
            point for point in points if not markers or any(marker.evaluate(dict(point.markers)) for marker in markers)
        )

    def assignments(self) -> tuple[frozenset[str], ...]:
        """Return every set of conflicting scopes that may be active together, the empty one first.

        Scopes without conflicts are not in it: they can be active anywhere. Raises UsageError (``conflicts-too-many``)
        for more than `MOST_COMBINATIONS`, because every one of them has all the points.
        """
        found: list[frozenset[str]] = [frozenset()]
        for scope in sorted({scope for members in self.conflicts for scope in members}):
            rivals = {rival for members in self.conflicts if scope in members for rival in members}
            found += [active | {scope} for active in found if rivals.isdisjoint(active)]
            if len(found) > MOST_COMBINATIONS:
                raise UsageError(
                    f"tool.pyvstore.conflicts: the sets allow more than {MOST_COMBINATIONS} combinations of members",
                    code="conflicts-too-many",
                    hint="put parts that nobody wants together into one set, or declare fewer sets",
                )
        return tuple(sorted(found, key=lambda active: (len(active), sorted(active))))

    @property
    def newer(self) -> tuple[str, ...]:
        """Return markers of the Pythons that ``requires_python`` lets in without naming them: the open upper end."""
        if not lenient_specifier(self.requires_python).contains(f"{self.newest[0]}.{self.newest[1] + 1}"):
            return ()
        lowest = min(self.pythons(), default=None)
        return () if lowest is None else (f"python_version > '{lowest.major}.{lowest.minor}'",)

    @property
    def newcomers(self) -> tuple[str, ...]:
        """Return the marker of the newest Python where it is let in without being named, and older ones are, too."""
        return tuple(f"python_version == '{self.newest[0]}.{self.newest[1]}'" for _ in self.newer)

    @property
    def is_open_below(self) -> bool:
        """Whether ``requires_python`` has no lower bound of its own: the oldest Pythons are then there by default."""
        return lenient_specifier(self.requires_python).contains(f"{self.oldest[0]}.{self.oldest[1] - 1}")

    def missing(self, boundaries: Iterable[str]) -> frozenset[str]:
        """Return those of ``boundaries`` that cut an interval of this lattice in two."""
        starts = self.pythons()
        allowed = lenient_specifier(self.requires_python)
        return frozenset(
            text
            for text in boundaries
            if (version := Version(text)) not in starts and self._is_on_axis(version) and allowed.contains(version)
        )

    def refined(self, boundaries: Collection[str]) -> Lattice:
        """Return this lattice with further cuts."""
        return replace(self, boundaries=self.boundaries.union(boundaries))

    def _is_on_axis(self, version: Version) -> bool:
        return self.oldest <= (version.major, version.minor) <= self.newest


def _point(platform: PlatformClass, implementation: PythonImplementation, python: Version) -> TargetEnvironment:
    minor = (python.major, python.minor)
    is_cpython = implementation.abi_suffix is None
    markers = dict(platform.markers)
    markers.update(
        python_version=f"{minor[0]}.{minor[1]}",
        python_full_version=str(python),
        implementation_name=implementation.name,
        platform_python_implementation=implementation.display_name,
        implementation_version=str(python) if is_cpython else "7.3.0",
    )
    tags = supported_tags(
        implementation=implementation.name,
        python_version=minor,
        abi=implementation.abi(minor),
        platforms=platform.platforms,
    )
    return TargetEnvironment(markers=markers, tags=tags)
