"""The law of a lockfile, judged with `packaging` alone: nothing here is shared with the resolver.

For every environment that a lock says it is for, and for every way to ask for a project's parts, what the markers
select is unique, closed under requirements, allowed on that Python, installable, and asked for by somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename

PATCHES = (0, 1, 7, 30)
MINORS = range(8, 15)


@dataclass(frozen=True)
class Facts:
    """What one version says of itself."""

    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""


@dataclass(frozen=True)
class Machine:
    """A kind of machine, as markers and tags see it."""

    name: str
    markers: tuple[tuple[str, str], ...]
    platforms: tuple[str, ...]


def _machine(name: str, os_name: str, system: str, machine: str, platforms: Sequence[str]) -> Machine:
    sys_platform = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}[system]
    values = {
        "os_name": os_name,
        "sys_platform": sys_platform,
        "platform_system": system,
        "platform_machine": machine,
        "platform_release": "",
        "platform_version": "",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return Machine(name, tuple(values.items()), tuple(platforms))


def _glibc(machine: str) -> list[str]:
    old = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    found = []
    for minor in range(35, 4, -1):
        found.append(f"manylinux_2_{minor}_{machine}")
        if minor in old:
            found.append(f"{old[minor]}_{machine}")
    return [*found, f"linux_{machine}"]


MACHINES = (
    _machine("linux-x86_64", "posix", "Linux", "x86_64", _glibc("x86_64")),
    _machine("linux-aarch64", "posix", "Linux", "aarch64", _glibc("aarch64")),
    _machine("macos-arm64", "posix", "Darwin", "arm64", list(mac_platforms((15, 0), "arm64"))),
    _machine("macos-x86_64", "posix", "Darwin", "x86_64", list(mac_platforms((15, 0), "x86_64"))),
    _machine("windows-x86_64", "nt", "Windows", "AMD64", ["win_amd64"]),
)


def breaches(
    lock: Mapping[str, Any], pyproject: Mapping[str, Any], facts: Callable[[Mapping[str, Any]], Facts]
) -> list[str]:
    """Return every breach of the law, as sentences; a missing file begins with ``no file``.

    Args:
        lock: the parsed lockfile.
        pyproject: the parsed project file.
        facts: what the version of a ``[[packages]]`` entry says of itself.
    """
    found: dict[str, None] = {}
    covered = 0
    for machine in MACHINES:
        for environment in environments(machine):
            if not _covers(lock, environment):
                continue
            covered += 1
            tags = tags_of(machine, environment["python_version"])
            for extras, groups in _ways(lock):
                where = f"on {machine.name} {environment['python_full_version']} {extras or ''}{groups or ''}"
                judged = _judge(lock, pyproject, facts, (environment, tags, extras, groups))
                found.update(dict.fromkeys(f"{breach} {where}" for breach in judged))
    return list(found) if covered else ["no environment is covered"]


def environments(machine: Machine) -> Iterator[dict[str, str]]:
    """Yield the marker variables of every Python that is looked at, on ``machine``."""
    for minor in MINORS:
        for patch in PATCHES:
            full = f"3.{minor}.{patch}"
            yield {
                **dict(machine.markers),
                "python_version": f"3.{minor}",
                "python_full_version": full,
                "implementation_version": full,
            }


@cache
def tags_of(machine: Machine, python: str) -> frozenset[Tag]:
    """Return what a CPython like ``3.12`` on ``machine`` can install."""
    version = tuple(map(int, python.split(".")))
    interpreter = "cp" + python.replace(".", "")
    return frozenset(cpython_tags(version, platforms=machine.platforms, abis=[interpreter])) | frozenset(
        compatible_tags(version, interpreter, machine.platforms)
    )


def _ways(lock: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    yield (), ()
    yield (), tuple(lock.get("default-groups", ()))
    for extra in lock.get("extras", ()):
        yield (extra,), ()
    for group in lock.get("dependency-groups", ()):
        yield (), (group,)


def _covers(lock: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    if not _accepts(lock.get("requires-python", ""), environment):
        return False
    markers = lock.get("environments")
    return not markers or any(_marker(text).evaluate(dict(environment)) for text in markers)


Situation = tuple[Mapping[str, str], frozenset[Tag], tuple[str, ...], tuple[str, ...]]


def _judge(
    lock: Mapping[str, Any],
    pyproject: Mapping[str, Any],
    facts: Callable[[Mapping[str, Any]], Facts],
    situation: Situation,
) -> Iterator[str]:
    environment, tags, extras, groups = situation
    values: dict[str, Any] = {**environment, "extras": frozenset(extras), "dependency_groups": frozenset(groups)}
    chosen: dict[str, Mapping[str, Any]] = {}
    for package in lock.get("packages", ()):
        if "marker" in package and not _marker(package["marker"]).evaluate(values, context="lock_file"):
            continue
        if package["name"] in chosen:
            yield f"{package['name']} is there twice"
        chosen[package["name"]] = package
        if not _has_file(package, tags):
            yield f"no file of {package['name']} {package['version']}"
        for text in (facts(package).requires_python, package.get("requires-python", "")):
            if not _accepts(text, environment):
                yield f"{package['name']} {package['version']} excludes this Python"
    seen: set[tuple[str, str]] = set()
    pending = [
        (requirement, "the project")
        for requirement in map(_requirement, _asked(lock, pyproject, extras, groups))
        if requirement.marker is None or requirement.marker.evaluate(dict(environment))
    ]
    while pending:
        requirement, who = pending.pop()
        name = canonicalize_name(requirement.name)
        if name not in chosen:
            yield f"{who} misses {requirement}"
            continue
        version = chosen[name]["version"]
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{name} {version} does not satisfy {requirement} of {who}"
        known = facts(chosen[name])
        for extra in ("", *map(canonicalize_name, requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            pending += [
                (further, f"{name} {version}")
                for further in map(_requirement, known.requires_dist)
                if further.marker is None or further.marker.evaluate({**environment, "extra": extra})
            ]
    yield from (f"nobody asks for {name}" for name in sorted(set(chosen) - {name for name, _ in seen}))


def _asked(
    lock: Mapping[str, Any], pyproject: Mapping[str, Any], extras: Sequence[str], groups: Sequence[str]
) -> Iterator[str]:
    """Yield what the project asks for in one way; what it asks of its own extras is followed."""
    project = pyproject.get("project", {})
    own = canonicalize_name(project.get("name", "project"))
    optional = {str(canonicalize_name(name)): lines for name, lines in project.get("optional-dependencies", {}).items()}
    tables = {str(canonicalize_name(name)): lines for name, lines in pyproject.get("dependency-groups", {}).items()}
    pending: list[Any] = [*project.get("dependencies", ())]
    for extra in extras:
        pending += optional[extra]
    for group in groups:
        is_default = group in lock.get("default-groups", ())
        names = lock["tool"]["pyvstore"].get("default-groups", ()) if is_default else (group,)
        for name in names:
            pending += tables[name]
    while pending:
        line = pending.pop()
        if not isinstance(line, str):
            pending += tables[canonicalize_name(line["include-group"])]
        elif canonicalize_name(_requirement(line).name) == own:
            for extra in _requirement(line).extras:
                pending += optional[canonicalize_name(extra)]
        else:
            yield line


def _has_file(package: Mapping[str, Any], tags: frozenset[Tag]) -> bool:
    return "sdist" in package or any(not tags.isdisjoint(wheel_tags(_name(row))) for row in package.get("wheels", ()))


def _name(row: Mapping[str, Any]) -> str:
    name: str = row.get("name") or unquote(row["url"].rpartition("/")[2])
    return name


def _accepts(requires_python: str, environment: Mapping[str, str]) -> bool:
    return _specifier(requires_python).contains(environment["python_full_version"], prereleases=True)


_marker, _requirement, _specifier = cache(Marker), cache(Requirement), cache(SpecifierSet)


@cache
def wheel_tags(filename: str) -> frozenset[Tag]:
    return parse_wheel_filename(filename)[3]
