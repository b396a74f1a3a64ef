"""Projects written from values, and their lockfiles read by `packaging` alone: nothing of the product decides here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import tomli
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from tests.support.loopback import LoopbackIndex
from tests.support.wheels import build_wheel

MACHINES = {
    "linux": ("posix", "linux", "Linux", "x86_64"),
    "linux-arm": ("posix", "linux", "Linux", "aarch64"),
    "macos": ("posix", "darwin", "Darwin", "arm64"),
    "macos-intel": ("posix", "darwin", "Darwin", "x86_64"),
    "windows": ("nt", "win32", "Windows", "AMD64"),
}
PYTHONS = ("3.11.4", "3.12.1", "3.13.5", "3.14.0")


def markers_of(machine: str = "linux", python: str = "3.12.1") -> dict[str, str]:
    """Return the marker variables of a CPython on a machine."""
    os_name, sys_platform, system, architecture = MACHINES[machine]
    return {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": architecture,
        "platform_release": "",
        "platform_version": "",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "implementation_version": python,
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
    }


def everywhere() -> Iterator[dict[str, str]]:
    """Yield the marker variables of every machine with every Python."""
    for machine in MACHINES:
        for python in PYTHONS:
            yield markers_of(machine, python)


def format_project(
    dependencies: Sequence[str] = (),
    *,
    extras: Mapping[str, Sequence[str]] | None = None,
    groups: Mapping[str, Sequence[str | Mapping[str, str]]] | None = None,
    settings: str = "",
    requires_python: str = ">=3.11",
) -> str:
    """Return a pyproject.toml; ``settings`` are the lines of ``[tool.pyvstore]``."""
    lines = ["[project]", 'name = "app"', 'version = "1"', f'requires-python = "{requires_python}"']
    lines.append(f"dependencies = {json.dumps(list(dependencies))}")
    lines += ["", "[project.optional-dependencies]", *_lists(extras or {})] if extras else []
    lines += ["", "[dependency-groups]", *_lists(groups or {})] if groups else []
    lines += ["", "[tool.pyvstore]", settings] if settings else []
    return "\n".join([*lines, ""])


def _lists(tables: Mapping[str, Sequence[str | Mapping[str, str]]]) -> Iterator[str]:
    for name, entries in tables.items():
        items = (
            json.dumps(entry) if isinstance(entry, str) else f'{{include-group = "{entry["include-group"]}"}}'
            for entry in entries
        )
        yield f"{name} = [{', '.join(items)}]"


def offer(index: LoopbackIndex, name: str, *versions: str, tag: str = "py3-none-any", **more: object) -> None:
    """Offer wheels of one module each; what is not for `build_wheel` is for the index."""
    of_index = {key: more.pop(key) for key in ("yanked", "upload_time") if key in more}
    for version in versions:
        built = build_wheel(name, version, files={f"{name.replace('-', '_')}.py": ""}, tag=tag, **more)  # type: ignore[arg-type]
        index.add(*built, **of_index)  # type: ignore[arg-type]


def read_lock(folder: Path) -> dict[str, object]:
    """Return the parsed pylock.toml of a project."""
    return tomli.loads((folder / "pylock.toml").read_text(encoding="utf-8"))


def versions(folder: Path) -> dict[str, str]:
    """Return name → the versions that the lock has anywhere, oldest first, joined by spaces."""
    found: dict[str, list[str]] = {}
    for package in _packages(folder):
        found.setdefault(str(package["name"]), []).append(str(package["version"]))
    return {name: " ".join(sorted(several)) for name, several in found.items()}


def packages_of(folder: Path) -> dict[str, dict[str, object]]:
    """Return ``name version`` → its whole entry."""
    return {f"{package['name']} {package['version']}": package for package in _packages(folder)}


def _packages(folder: Path) -> list[dict[str, object]]:
    packages = read_lock(folder).get("packages", [])
    assert isinstance(packages, list)
    return packages


def is_covered(folder: Path, environment: Mapping[str, str]) -> bool:
    """Tell whether the lock says that it is for ``environment``."""
    lock = read_lock(folder)
    python = SpecifierSet(str(lock.get("requires-python", "")))
    declared = lock.get("environments", [])
    assert isinstance(declared, list)
    return python.contains(environment["python_full_version"]) and (
        not declared or any(Marker(text).evaluate(dict(environment)) for text in declared)
    )


def selected(
    folder: Path,
    environment: Mapping[str, str],
    *,
    extras: Collection[str] = (),
    groups: Collection[str] | None = None,
) -> dict[str, str]:
    """Return what the markers of the lock select: name → version. ``groups`` None: the lock's default ones."""
    lock = read_lock(folder)
    asked = lock.get("default-groups", ()) if groups is None else groups
    assert isinstance(asked, (list, tuple, set, frozenset))
    values: dict[str, str | frozenset[str]] = {**environment, "extras": frozenset(extras)}
    values["dependency_groups"] = frozenset(asked)
    found: dict[str, str] = {}
    for package in _packages(folder):
        marker = package.get("marker")
        if marker is None or Marker(str(marker)).evaluate(values, context="lock_file"):
            assert package["name"] not in found, f"{package['name']} twice"
            found[str(package["name"])] = str(package["version"])
    return found
