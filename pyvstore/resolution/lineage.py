"""Who wants a project, when all that is known of it is that it cannot be had."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.utils import NormalizedName

from pyvstore.resolution.offering import Dependency, Offering

Known = Mapping[tuple[NormalizedName, int, str], tuple[Dependency, ...]]


def lineage(name: NormalizedName, known: Known, offerings: Mapping[NormalizedName, Offering | None]) -> str | None:
    """Return the shortest way to ``name`` from what nobody that was read wants; None where it is that itself."""
    parents: dict[str, list[tuple[NormalizedName, int, str]]] = {}
    for parent, rank, extra in sorted(known):
        for dependency in known[parent, rank, extra]:
            if dependency.mask and dependency.parsed.name != parent:
                parents.setdefault(dependency.parsed.name, []).append((parent, rank, dependency.parsed.text))
    ways: list[tuple[NormalizedName, tuple[str, ...]]] = [(name, ())]
    met = {name}
    for child, steps in ways:
        for parent, rank, text in parents.get(child, ()):
            offering = offerings[parent]
            if parent not in met and offering is not None:
                met.add(parent)
                ways.append((parent, (f"{parent} {offering.releases[rank].version} wants {text}", *steps)))
    ends = [steps for end, steps in ways if steps and end not in parents]
    if not ends:
        return None
    first, *rest = min(ends, key=len)
    return first if not rest else f"{', '.join([first, *rest[:-1]])}, and {rest[-1]}"
