"""The points of a project that supports several platforms and Pythons: platform classes x Python intervals.

The Python axis starts with one interval for each minor version within ``requires-python``, cut further where
``requires-python`` itself names a patch release. When a text met later tells two Pythons of one interval apart, the
search is run again on a `Lattice.refined` one; a point is named by the *first* final release of its interval.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from packaging.markers import Marker
from packaging.version import Version

from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.tags import linux_platforms, macos_platforms, supported_tags, windows_platforms
from pyvstore.resolution.boundaries import marker_boundaries, specifier_boundaries
from pyvstore.resolution.lenient import lenient_specifier

GLIBC = (2, 35)
"""What a Linux class is assumed to have: the oldest distribution that most projects still meet is younger."""
MUSL = (1, 2)
MACOS = (15, 0)
OLDEST_PYTHON = (3, 8)
NEWEST_PYTHON = (3, 14)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformClass:
    """Machines that markers and tags treat alike.

    Attributes:
        name: ``linux-x86_64``; what the ``platforms`` setting names.
        markers: the marker variables that depend on the platform alone.
        platforms: platform tags of wheels that run there, most preferred first.
    """

    name: str
    markers: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]


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


def _platform(name: str, system: tuple[str, str, str], machine: str, platforms: Sequence[str]) -> PlatformClass:
    os_name, sys_platform, platform_system = system
    markers = {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": platform_system,
        "platform_machine": machine,
        "platform_release": "",
        "platform_version": "",
    }
    return PlatformClass(name=name, markers=tuple(markers.items()), platforms=tuple(platforms))


_LINUX = ("posix", "linux", "Linux")
_MACOS = ("posix", "darwin", "Darwin")
_WINDOWS = ("nt", "win32", "Windows")
_LINUX_MACHINES = ("x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64")

PLATFORM_CLASSES: dict[str, PlatformClass] = {
    platform.name: platform
    for platform in (
        *(_platform(f"linux-{m}", _LINUX, m, linux_platforms(m, glibc=GLIBC)) for m in _LINUX_MACHINES),
        *(_platform(f"linux-{m}-musl", _LINUX, m, linux_platforms(m, musl=MUSL)) for m in _LINUX_MACHINES),
        *(_platform(f"macos-{m}", _MACOS, m, macos_platforms(MACOS, m)) for m in ("arm64", "x86_64")),
        _platform("windows-x86_64", _WINDOWS, "AMD64", windows_platforms("AMD64")),
        _platform("windows-arm64", _WINDOWS, "ARM64", windows_platforms("ARM64")),
        _platform("windows-x86", _WINDOWS, "x86", windows_platforms("x86")),
    )
}
"""Every class by its name."""

DEFAULT_PLATFORMS = ("linux-x86_64", "linux-aarch64", "macos-arm64", "macos-x86_64", "windows-x86_64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Lattice:
    """What a project supports.

    Attributes:
        requires_python: the project's specifier text; "" for none. Clipped to the Pythons known here.
        platforms: names from `PLATFORM_CLASSES`.
        environments: markers; a point is kept when any holds (none given: all are kept).
        implementations: of Python.
        boundaries: further cuts of the Python axis, see `pyvstore.resolution.boundaries`.
        oldest, newest: minor versions at the ends of the axis, inclusive.
    """

    requires_python: str = ""
    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    environments: tuple[str, ...] = ()
    implementations: tuple[PythonImplementation, ...] = (CPYTHON,)
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
