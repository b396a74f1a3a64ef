"""The answer of a resolution, and how it is read off the regions' choices.

The search over-approximates where a version is needed (it may have looked at requirers that it later dropped). The
exact masks are a fixpoint: a version is reached where a requirer that is itself reached asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from pyvstore.model.artifact import Artifact
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency, Offering
from pyvstore.resolution.policy import Builds, Preference
from pyvstore.resolution.source import OfferedRelease
from pyvstore.resolution.universe import Universe


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Edge:
    """One dependency of a resolved package on another.

    Attributes:
        name, version: which package.
        extras: those of its extras that are asked for.
        marker: where, given that the dependent is there; None means wherever that is.
    """

    name: NormalizedName
    version: str
    extras: tuple[NormalizedName, ...] = ()
    marker: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedPackage:
    """One version of one project, and where it is needed.

    Attributes:
        name, version: normalised name, canonical version text.
        release: what the source offered.
        requires_python: by its metadata, else by the index.
        mask: the points where it is needed; ``marker`` says the same (None: everywhere).
        without_wheels: the part of ``mask`` that no wheel serves, whether or not a source distribution does.
        extras: those that anybody asks for, sorted.
        wheels: those that serve some point of ``mask``, in the index's order; all of them where none does and nothing
            can be built.
        sdist: the source distribution where builds are allowed.
        scopes: (scope, mask) for every scope of root requirements that reaches it, sorted; masks add up to ``mask``.
        dependencies: sorted.
    """

    name: NormalizedName
    version: str
    release: OfferedRelease
    requires_python: str | None
    mask: int
    marker: str | None
    without_wheels: int
    extras: tuple[NormalizedName, ...]
    wheels: tuple[Artifact, ...]
    sdist: Artifact | None
    scopes: tuple[tuple[str, int], ...]
    dependencies: tuple[Edge, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PassedOver:
    """A version that would have been chosen but for a build that is not made, or for an upper bound on Python.

    Attributes:
        name, version: what was chosen, and ``mask`` where.
        newer: the version that was not.
        reason: a phrase that follows it: ``would have to be built``, ``is for Python <3.14``.
    """

    name: NormalizedName
    version: str
    mask: int
    newer: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The whole answer: closed, unique for every point, and minimal.

    Attributes:
        packages: sorted by name, then version; the masks of one name's versions are disjoint.
        roots: the project's own edges by scope, (scope, edges), sorted.
        covered: the points that the answer is for; all but what the policy allows to leave out.
        environments: disjoint markers that together with ``requires-python`` say what the answer is for.
        regions: markers of the parts that were answered apart; empty when there was one. Handing them to the next
            resolution with the old pins gives the same answer again.
        universe: over which the masks are.
        rounds: of resolvelib, for benchmarks.
        left_out: one sentence for each reason why newer Pythons are not covered.
        passed_over: what is older than people would expect, sorted.
    """

    packages: tuple[ResolvedPackage, ...]
    roots: tuple[tuple[str, tuple[Edge, ...]], ...]
    covered: int
    environments: tuple[str, ...]
    regions: tuple[str, ...]
    universe: Universe
    rounds: int
    left_out: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def pins(self) -> dict[NormalizedName, tuple[Preference, ...]]:
        """The chosen versions as preferences for the next resolution."""
        found: dict[NormalizedName, list[Preference]] = {}
        for package in self.packages:
            found.setdefault(package.name, []).append(Preference(package.version, package.marker))
        return {name: tuple(preferences) for name, preferences in found.items()}

    @property
    def without_wheels(self) -> tuple[tuple[ResolvedPackage, int], ...]:
        """The packages that have no usable wheel somewhere that they are needed, and where."""
        return tuple((package, package.without_wheels) for package in self.packages if package.without_wheels)


Choice = tuple[NormalizedName, int]
"""A project and the rank of one of its releases."""
Reach = dict[Choice, dict[str, dict[str, int]]]
"""Choice → extra ("" for the package itself) → scope → mask."""


def reach_of_region(
    catalogue: Catalogue, roots: Sequence[tuple[str, Dependency]], ranks: Mapping[str, int], region: int
) -> Reach:
    """Return what is reached within one region; ``ranks`` are its choices, ``roots`` come with their scopes."""
    found: Reach = {}
    for scope in sorted({scope for scope, _ in roots}):
        reached: dict[tuple[NormalizedName, str], int] = {}
        pending: list[tuple[NormalizedName, str]] = []

        def grow(dependency: Dependency, within: int) -> None:
            mask = dependency.mask & within
            for extra in ("", *dependency.parsed.extras) if mask else ():
                node = dependency.parsed.name, str(extra)
                if mask & ~reached.get(node, 0):  # noqa: B023 - called within its own turn of the loop
                    reached[node] = reached.get(node, 0) | mask  # noqa: B023
                    pending.append(node)  # noqa: B023

        for root_scope, root in roots:
            if root_scope == scope:
                grow(root, region)
        while pending:
            name, extra = pending.pop()
            for dependency in known_dependencies(catalogue, (name, ranks[name]), extra):
                grow(dependency, reached[name, extra])
        for (name, extra), mask in reached.items():
            found.setdefault((name, ranks[name]), {}).setdefault(extra, {})[scope] = mask
    return found


def merge(reaches: Iterable[Reach]) -> Reach:
    """Add up what the regions reached."""
    total: Reach = {}
    for reach in reaches:
        for choice, extras in reach.items():
            for extra, scopes in extras.items():
                into = total.setdefault(choice, {}).setdefault(extra, {})
                for scope, mask in scopes.items():
                    into[scope] = into.get(scope, 0) | mask
    return total


def within(reach: Reach, mask: int) -> Reach:
    """Return what of ``reach`` lies within ``mask``."""
    found: Reach = {}
    for choice, extras in reach.items():
        kept = {
            extra: {scope: part & mask for scope, part in scopes.items() if part & mask}
            for extra, scopes in extras.items()
        }
        if kept[""]:
            found[choice] = {extra: scopes for extra, scopes in kept.items() if scopes}
    return found


def everywhere(scopes: Mapping[str, int]) -> int:
    """Return the union over all scopes."""
    mask = 0
    for part in scopes.values():
        mask |= part
    return mask


def known_offering(catalogue: Catalogue, name: NormalizedName) -> Offering:
    """Return an offering that the search has already chosen from."""
    offering = catalogue.offering(name)
    assert offering is not None  # noqa: S101 - a choice comes from an offering
    return offering


def known_dependencies(catalogue: Catalogue, choice: Choice, extra: str) -> tuple[Dependency, ...]:
    """Return the dependencies of a release that the search has already read."""
    dependencies = catalogue.dependencies(known_offering(catalogue, choice[0]), choice[1], extra)
    assert dependencies is not None  # noqa: S101 - an unusable release is never chosen
    return dependencies


def packages_of(catalogue: Catalogue, reach: Reach, covered: int) -> tuple[ResolvedPackage, ...]:
    """Return the packages of the whole answer, sorted; ``covered`` are the points that it is for."""
    by_name: dict[NormalizedName, list[tuple[int, int]]] = {}
    for (name, rank), extras in sorted(reach.items()):
        by_name.setdefault(name, []).append((rank, everywhere(extras[""])))
    return tuple(_package(catalogue, choice, reach[choice], by_name, covered) for choice in sorted(reach))


def _package(
    catalogue: Catalogue,
    choice: Choice,
    extras: Mapping[str, Mapping[str, int]],
    by_name: Mapping[NormalizedName, Sequence[tuple[int, int]]],
    covered: int,
) -> ResolvedPackage:
    name, rank = choice
    universe = catalogue.universe
    offering = known_offering(catalogue, name)
    release = offering.releases[rank]
    mask = everywhere(extras[""])
    wanted = [
        Dependency(dependency.parsed, dependency.mask & everywhere(scopes))
        for extra, scopes in extras.items()
        for dependency in known_dependencies(catalogue, choice, extra)
    ]
    metadata = catalogue.metadata(offering, rank)
    wheels, without_wheels = [], mask
    for wheel in release.wheels:
        served = mask & catalogue.wheel_mask(release, wheel)
        without_wheels &= ~served
        if served:
            wheels.append(wheel)
    sdist = release.sdist if catalogue.policy.builds(name) is not Builds.NEVER else None
    return ResolvedPackage(
        name=name,
        version=str(release.version),
        release=release,
        requires_python=(metadata.requires_python if metadata else None) or release.requires_python,
        mask=mask,
        marker=universe.marker_for(mask, covered),
        without_wheels=without_wheels,
        extras=tuple(NormalizedName(extra) for extra in sorted(extras) if extra),
        wheels=tuple(wheels) if wheels or sdist is not None else tuple(release.wheels),
        sdist=sdist,
        scopes=tuple(sorted((scope, part) for scope, part in extras[""].items() if part)),
        dependencies=edges_of(catalogue, wanted, by_name, mask),
    )


def edges_of(
    catalogue: Catalogue,
    wanted: Iterable[Dependency],
    by_name: Mapping[NormalizedName, Sequence[tuple[int, int]]],
    care: int,
) -> tuple[Edge, ...]:
    """Return the edges for ``wanted``, with markers relative to ``care``."""
    masks: dict[Choice, int] = {}
    extras: dict[Choice, set[NormalizedName]] = {}
    for dependency in wanted:
        name = dependency.parsed.name
        for rank, where in by_name.get(name, ()):
            mask = where & dependency.mask
            if mask:
                masks[name, rank] = masks.get((name, rank), 0) | mask
                extras.setdefault((name, rank), set()).update(dependency.parsed.extras)
    return tuple(
        sorted(
            (
                Edge(
                    name=name,
                    version=str(known_offering(catalogue, name).releases[rank].version),
                    extras=tuple(sorted(extras[name, rank])),
                    marker=catalogue.universe.marker_for(mask, care),
                )
                for (name, rank), mask in masks.items()
            ),
            key=lambda edge: (edge.name, edge.version),
        )
    )
