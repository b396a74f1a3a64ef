"""Judges an answer point by point with `packaging` alone; shares nothing with the resolver but the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from pyvstore.resolution.answer import Resolution
from tests.unit.resolution.memory_source import MemorySource, Published

Wish = tuple[Requirement, str]
"""A requirement and the name of who has it."""


def selected(resolution: Resolution, environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Apply the markers of an answer: name → version, and what is ambiguous."""
    found: dict[str, str] = {}
    problems = []
    for package in resolution.packages:
        if package.marker is None or Marker(package.marker).evaluate(dict(environment)):
            if package.name in found:
                problems.append(f"{package.name} is there twice")
            found[package.name] = package.version
    return found, problems


def is_covered(resolution: Resolution, environment: Mapping[str, str]) -> bool:
    """Tell whether the answer says that it is for ``environment``."""
    return any(Marker(marker).evaluate(dict(environment)) for marker in resolution.environments)


def problems_with(
    source: MemorySource, roots: Iterable[str], chosen: Mapping[str, str], environment: Mapping[str, str]
) -> list[str]:
    """Walk the requirements through ``chosen``: everything there, satisfied, allowed, and nothing else."""
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    pending = [(requirement, "the project") for requirement in _holding(roots, "", environment)]
    while pending:
        requirement, who = pending.pop()
        name = canonicalize_name(requirement.name)
        version = chosen.get(name)
        if version is None:
            problems.append(f"{who} misses {requirement}")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{name} {version} does not satisfy {requirement} of {who}")
        if not who.startswith(f"{name} ") and loses_an_extra(source, requirement, Version(version)):
            problems.append(f"{name} {version} has not what {requirement} of {who} asks for, and another has")
        for extra in ("", *map(canonicalize_name, requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            published = source.projects[name][Version(version)]
            if not accepts(published, environment):
                problems.append(f"{name} {version} excludes this Python")
            pending += [(found, f"{name} {version}") for found in _holding(published.lines(), extra, environment)]
    unasked = set(chosen) - {name for name, _ in seen}
    return problems + [f"nobody asks for {name}" for name in sorted(unasked)]


def accepts(published: Published, environment: Mapping[str, str]) -> bool:
    """Tell whether one version accepts the Python of ``environment``."""
    full = environment["python_full_version"]
    texts = (published.requires_python, published.metadata_requires_python)
    return all(SpecifierSet(text or "").contains(full, prereleases=True) for text in texts)


def loses_an_extra(source: MemorySource, requirement: Requirement, version: Version) -> bool:
    """Tell whether a version lacks an extra that the newest version which meets ``requirement`` has."""
    published = source.projects[canonicalize_name(requirement.name)]
    usable = [one for one in published if not published[one].yanked and published[one].failure is None]
    allowed = sorted(requirement.specifier.filter(usable, prereleases=True), key=lambda v: (not v.is_prerelease, v))
    newest = allowed[-1] if allowed else version
    wanted = {*map(canonicalize_name, requirement.extras)}
    return bool(wanted.intersection(published[newest].extras).difference(published[version].extras))


def is_satisfiable(
    source: MemorySource,
    roots: Iterable[str],
    environment: Mapping[str, str],
    serves: Callable[[str, Version], bool] = lambda _name, _version: True,
) -> bool:
    """Search exhaustively for any answer in one environment; files, yanks and pre-releases do not matter.

    ``serves`` says which versions may be in it.
    """

    def extend(chosen: dict[str, Version], seen: frozenset[tuple[str, str]], pending: list[Wish]) -> bool:
        if not pending:
            return True
        (requirement, who), rest = pending[0], pending[1:]
        name = canonicalize_name(requirement.name)
        versions = [chosen[name]] if name in chosen else sorted(source.projects.get(name, {}), reverse=True)
        for version in versions:
            published = source.projects[name][version]
            is_fit = requirement.specifier.contains(version, prereleases=True) and accepts(published, environment)
            if not is_fit or not serves(name, version):
                continue
            if who != name and loses_an_extra(source, requirement, version):
                continue
            nodes = {(name, extra) for extra in ("", *map(canonicalize_name, requirement.extras))} - seen
            lines = published.lines()
            more = [(found, str(name)) for _, extra in sorted(nodes) for found in _holding(lines, extra, environment)]
            if extend({**chosen, name: version}, seen | nodes, rest + more):
                return True
        return False

    return extend({}, frozenset(), [(found, "") for found in _holding(roots, "", environment)])


def _holding(lines: Iterable[str], extra: str, environment: Mapping[str, str]) -> Iterator[Requirement]:
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra}):
            yield requirement
