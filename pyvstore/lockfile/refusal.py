"""Why a lock means nothing for a target: the rules of PEP 751 said no, and a person wants to know what to do.

``packaging`` refuses with a sentence and no data. Its rules are applied again to one package at a time, so that what is
told here is what was decided there.
"""

from __future__ import annotations

from packaging.markers import Marker

from pyvstore.errors import LOCK_ANEW, LockfileError
from pyvstore.lockfile.coverage import covers_machine, covers_python, python_version
from pyvstore.lockfile.document import LockDocument, LockedPackage
from pyvstore.lockfile.filenames import expand_tags, tag_triple
from pyvstore.lockfile.parts import ChosenParts
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.platforms import DEFAULT_PLATFORMS, platform_name
from pyvstore.model.tags import Floor, platform_floor
from pyvstore.requirements.text import format_marker, format_specifiers

_SHOWN = 8
_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}


def describe_environment(environment: TargetEnvironment) -> str:
    """Return ``CPython 3.12.1 on linux x86_64``."""
    markers = environment.markers
    implementation = _IMPLEMENTATIONS.get(markers["implementation_name"], markers["implementation_name"])
    return (
        f"{implementation} {markers['python_full_version']} on {markers['sys_platform']} {markers['platform_machine']}"
    )


def explain_refusal(
    document: LockDocument,
    environment: TargetEnvironment,
    parts: ChosenParts,
    reason: str,
) -> LockfileError:
    """Return the error for a selection that was refused with ``reason``."""
    python = python_version(environment)
    here = describe_environment(environment)
    if document.requires_python is not None and not covers_python(document, environment):
        return LockfileError(
            f"pylock.toml is for Python {format_specifiers(document.requires_python)}, and this is {here}",
            code="lock-requires-python",
            hint="choose another Python, or widen `requires-python` and run `pyvstore lock`",
        )
    if not covers_machine(document, environment):
        return LockfileError(
            f"pylock.toml does not cover {here}",
            code="lock-environment",
            causes=tuple(f"it covers {format_marker(marker)}" for marker in document.environments[:_SHOWN]),
            hint=_widening(document, environment),
        )
    wanted: dict[str, LockedPackage] = {}
    for package in document.packages:
        if not _is_wanted(package, environment, parts):
            continue
        if package.requires_python is not None and not package.requires_python.contains(python):
            return LockfileError(
                f"{package.name} {package.version} is for Python {format_specifiers(package.requires_python)}, "
                f"and this is {here}",
                code="lock-requires-python",
                hint=f"choose another Python, or {LOCK_ANEW}",
            )
        other = wanted.setdefault(package.name, package)
        if other is not package:
            return LockfileError(
                f"pylock.toml has both {package.name} {other.version} and {package.version} for {here}",
                code="lock-ambiguous",
                hint=LOCK_ANEW,
            )
    for package in wanted.values():
        if package.source is None and package.sdist is None and not _has_wheel(package, environment):
            return _no_wheel(package, environment, here)
    return LockfileError(f"pylock.toml does not fit {here}", causes=(ascii(reason),), hint=LOCK_ANEW)


def explain_age(package: LockedPackage, environment: TargetEnvironment) -> tuple[str, str] | None:
    """Return cause and hint where a newer system of the same kind could use a wheel of ``package``, else None."""
    lacks = _lacking(package, environment)
    if lacks is None:
        return None
    needed, has = lacks
    return (
        f"its wheels need {needed}, and this machine has {has}",
        f"use a machine with {needed} or newer, or require a version of {package.name} that has a wheel for it",
    )


def _lacking(package: LockedPackage, environment: TargetEnvironment) -> tuple[Floor, Floor] | None:
    """Return what ``environment`` would need for a wheel of ``package``, and what it has instead.

    None where something else than its age keeps the wheels off it.
    """
    pythons = {tag.rpartition("-")[0] for tag in environment.tags}
    has: dict[tuple[str, str], Floor] = {}
    for platform in {tag.rpartition("-")[2] for tag in environment.tags}:
        known = platform_floor(platform)
        if known is not None:
            floor, machine = known
            has[floor.library, machine] = max(floor, has.get((floor.library, machine), floor))
    needed: list[tuple[Floor, Floor]] = []
    for wheel in package.wheels:
        for tag in expand_tags(tag_triple(wheel.filename)):
            python, _, platform = tag.rpartition("-")
            known = platform_floor(platform)
            if known is not None and python in pythons and (known[0].library, known[1]) in has:
                needed.append((known[0], has[known[0].library, known[1]]))
    return min(needed, default=None)


def anew(package: LockedPackage) -> str:
    """Return what finds another version of ``package``, or wheels that came after the lock was made."""
    return f"run `pyvstore lock --upgrade-package {package.name}`, which takes wheels that were not there before"


def _no_wheel(package: LockedPackage, environment: TargetEnvironment, here: str) -> LockfileError:
    triples = sorted({tag_triple(wheel.filename) for wheel in package.wheels})
    listed = ", ".join(triples[:_SHOWN])
    more = f" and {len(triples) - _SHOWN} more" if len(triples) > _SHOWN else ""
    cause, hint = explain_age(package, environment) or (
        f"locked are {listed}{more}",
        f"choose another Python, or {anew(package)}",
    )
    return LockfileError(
        f"{package.name} {package.version} has no wheel for {here}", code="no-wheel", causes=(cause,), hint=hint
    )


def _has_wheel(package: LockedPackage, environment: TargetEnvironment) -> bool:
    supported = frozenset(environment.tags)
    return any(not supported.isdisjoint(expand_tags(tag_triple(wheel.filename))) for wheel in package.wheels)


def is_wanted_by_project(package: LockedPackage, environment: TargetEnvironment) -> bool:
    """Tell whether the project's own dependencies want the package, whatever extras and groups do."""
    return _holds(package.marker, environment, ChosenParts())


def _is_wanted(package: LockedPackage, environment: TargetEnvironment, parts: ChosenParts) -> bool:
    if parts.without_project and is_wanted_by_project(package, environment):
        return package.without_project is not None and _holds(package.without_project, environment, parts)
    return _holds(package.marker, environment, parts)


def _holds(marker: Marker | None, environment: TargetEnvironment, parts: ChosenParts) -> bool:
    if marker is None:
        return True
    values: dict[str, str | frozenset[str]] = {**environment.markers}
    values |= {"extras": parts.extras, "dependency_groups": parts.groups}
    return marker.evaluate(values, context="lock_file")


def _widening(document: LockDocument, environment: TargetEnvironment) -> str:
    """Return the setting that would make the lock cover ``environment``."""
    name = platform_name(environment.markers, environment.tags)
    implementation = environment.markers["implementation_name"]
    if implementation != "cpython":
        return "choose a CPython: locks are made for no other Python yet"
    if name is None:
        return "this kind of machine is not known to pyvstore; choose a Python of another kind"
    settings = dict(document.inputs.settings) if document.inputs else {}
    listed = settings["platforms"].split(", ") if "platforms" in settings else list(DEFAULT_PLATFORMS)
    if name not in listed:
        names = ", ".join(f'"{platform}"' for platform in (*listed, name))
        return f"set `platforms = [{names}]` in [tool.pyvstore] and run `pyvstore lock`"
    if document.inputs is not None and document.inputs.environments:
        return "add it to `environments` in [tool.pyvstore] and run `pyvstore lock`, or choose another Python"
    return "choose another Python, or allow versions of your dependencies that this one can use and run `pyvstore lock`"
