"""The wheel tags that a *target* supports, computed from what is known of it and never from the tool's own process.

`packaging.tags` falls back to the running interpreter wherever an argument is missing or empty; every function here
refuses to leave one out. The order is that of `packaging.tags.sys_tags`, most preferred first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.tags import INTERPRETER_SHORT_NAMES, Tag, compatible_tags, cpython_tags, generic_tags, mac_platforms
from typing_extensions import override

_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
_MANYLINUX_MACHINES = frozenset(
    {"x86_64", "i686", "aarch64", "armv7l", "armv8l", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"}
)
_LEGACY_FLOORS = {tag: version for version, tag in _LEGACY_MANYLINUX.items()}
_LIBRARIES = {"manylinux": "glibc", "musllinux": "musl", "macosx": "macOS"}
_FLOOR = re.compile(
    r"(?P<kind>manylinux|musllinux|macosx)_(?P<major>[0-9]+)_(?P<minor>[0-9]+)_(?P<machine>\w+)", re.ASCII
)
_WINDOWS_PLATFORMS = {"amd64": "win_amd64", "x86_64": "win_amd64", "arm64": "win_arm64", "aarch64": "win_arm64"}


def supported_tags(
    *,
    implementation: str,
    python_version: tuple[int, int],
    abi: str | None,
    platforms: Sequence[str],
    free_threaded: bool = False,
) -> tuple[str, ...]:
    """Return the tags of one Python as text, most preferred first.

    Args:
        implementation: ``sys.implementation.name`` in any case: ``cpython``, ``pypy``, ``graalpy`` ...
        python_version: (major, minor).
        abi: ``cp312``, ``cp312d``, ``cp313t``, ``pypy310_pp73``; None means the usual one for CPython, and no
            binary wheels for others.
        platforms: platform tags, most preferred first; see the functions below.
        free_threaded: whether a CPython without an explicit ``abi`` was built without the GIL.

    Raises:
        ValueError: when ``platforms`` is empty.
    """
    if not platforms:
        raise ValueError("a target without platform tags")
    return _supported_tags(implementation.lower(), python_version, abi, tuple(platforms), free_threaded)


@lru_cache(maxsize=256)
def _supported_tags(
    implementation: str,
    python_version: tuple[int, int],
    abi: str | None,
    platforms: tuple[str, ...],
    free_threaded: bool,  # noqa: FBT001 - positional so that the cache has one key per target
) -> tuple[str, ...]:
    nodot = f"{python_version[0]}{python_version[1]}"
    own: Iterator[Tag]
    interpreter: str | None
    if implementation == "cpython":
        abis = [abi or f"cp{nodot}{'t' if free_threaded else ''}"]
        if abis[0].endswith("d"):
            abis.append(abis[0][:-1])
        own, interpreter = cpython_tags(python_version, abis, platforms), f"cp{nodot}"
    else:
        short = INTERPRETER_SHORT_NAMES.get(implementation, implementation)
        own = generic_tags(f"{short}{nodot}", [abi] if abi else ["none"], platforms)
        interpreter = "pp3" if short == "pp" else None
    tags = [*own, *compatible_tags(python_version, interpreter, platforms)]
    return tuple(dict.fromkeys(map(str, tags)))


def linux_platforms(
    machine: str, *, glibc: tuple[int, int] | None = None, musl: tuple[int, int] | None = None
) -> tuple[str, ...]:
    """Return the platform tags of a Linux machine (PEP 600, PEP 656).

    Args:
        machine: the architecture of the *Python* (``i686`` for a 32-bit one on x86_64).
        glibc: version of the C library that the Python is linked with, or None.
        musl: likewise for musl.
    """
    machines = ("armv8l", "armv7l") if machine == "armv8l" else (machine,)
    tags = [f"linux_{name}" for name in machines]
    if glibc is not None and machine in _MANYLINUX_MACHINES:
        floor = 5 if machine in {"x86_64", "i686"} else 17
        for name in machines:
            for minor in range(glibc[1], floor - 1, -1):
                tags.append(f"manylinux_{glibc[0]}_{minor}_{name}")
                legacy = _LEGACY_MANYLINUX.get((glibc[0], minor))
                if legacy:
                    tags.append(f"{legacy}_{name}")
    if musl is not None:
        tags += [f"musllinux_{musl[0]}_{minor}_{name}" for name in machines for minor in range(musl[1], -1, -1)]
    return tuple(tags)


def macos_platforms(version: tuple[int, int], machine: str) -> tuple[str, ...]:
    """Return the platform tags of macOS ``version`` on ``arm64`` or ``x86_64``."""
    return tuple(mac_platforms(version, machine))


def windows_platforms(machine: str) -> tuple[str, ...]:
    """Return the platform tags of Windows for ``AMD64``, ``ARM64`` or ``x86`` (and their other spellings)."""
    return (_WINDOWS_PLATFORMS.get(machine.lower(), "win32"),)


@dataclass(frozen=True, order=True, slots=True)
class Floor:
    """The oldest system that a wheel runs on: ``glibc``, ``musl`` or ``macOS`` and its version."""

    library: str
    version: tuple[int, int]

    @override
    def __str__(self) -> str:
        """Return ``glibc 2.28``."""
        return f"{self.library} {self.version[0]}.{self.version[1]}"


def platform_floor(platform: str) -> tuple[Floor, str] | None:
    """Return what a platform tag asks of a machine's system, and its architecture; None for one that asks nothing."""
    platform = platform.lower()
    legacy, _, machine = platform.partition("_")
    if legacy in _LEGACY_FLOORS and machine:
        return Floor("glibc", _LEGACY_FLOORS[legacy]), machine
    match = _FLOOR.fullmatch(platform)
    if match is None:
        return None
    return Floor(_LIBRARIES[match["kind"]], (int(match["major"]), int(match["minor"]))), match["machine"]
