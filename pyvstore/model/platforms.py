"""The kinds of machine that a lockfile can be for, by the names that the ``platforms`` setting uses.

Machines of one class are alike for every marker. What markers cannot tell apart is assumed here: how new the C library
and macOS are at least. A wheel that needs a newer one does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyvstore.model.tags import linux_platforms, macos_platforms, windows_platforms

GLIBC = (2, 35)
"""What a Linux class is assumed to have: the oldest distribution that most projects still meet is younger."""
MUSL = (1, 2)
MACOS = (15, 0)
NEWEST_PYTHON = (3, 15)
"""The newest CPython that was released; what an open ``requires-python`` lets in ends here."""


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


def platform_name(markers: Mapping[str, str], tags: Sequence[str]) -> str | None:
    """Return the name of the class that a machine with these marker variables and wheel tags belongs to, if any."""
    is_musl = any("-musllinux_" in tag for tag in tags)
    for name, platform in PLATFORM_CLASSES.items():
        own = dict(platform.markers)
        if name.endswith("-musl") == is_musl and all(
            markers[key] == own[key] for key in ("sys_platform", "platform_machine")
        ):
            return name
    return None
