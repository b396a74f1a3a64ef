"""Whether a Python that nobody named can be had with the versions of the Python before."""

from __future__ import annotations

from collections.abc import Sequence

from pyvstore.resolution.answer import Reach, everywhere
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency, Offering


def excluding(catalogue: Catalogue, roots: Sequence[Dependency], reach: Reach, *, model: int, point: int) -> set[str]:
    """Return the projects needed on ``point`` that exclude its Python: the newest version wanted does, or all do.

    What is needed there is found by following the versions that ``reach`` has on ``model``; nothing is fetched.
    """
    ranks = {name: rank for (name, rank), extras in reach.items() if everywhere(extras[""]) & model}
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    pending = [root for root in roots if root.mask & point]
    while pending:
        parsed = pending.pop().parsed
        rank = ranks.get(parsed.name)
        offering = catalogue.offering(parsed.name) if rank is not None else None
        if rank is None or offering is None:
            continue
        wanted = offering.allowed(parsed.specifier, parsed.specifier_text)
        if catalogue.capped(offering, wanted) & point or not _accepts_anywhere(catalogue, offering, wanted, point):
            found.add(parsed.name)
            continue
        for extra in ("", *parsed.extras):
            if (parsed.name, extra) in seen:
                continue
            seen.add((parsed.name, extra))
            pending += [one for one in catalogue.dependencies(offering, rank, extra) or () if one.mask & point]
    return found


def _accepts_anywhere(catalogue: Catalogue, offering: Offering, versions: int, point: int) -> bool:
    ranks = (rank for rank in reversed(range(len(offering.releases))) if versions >> rank & 1)
    return any(catalogue.appraise(offering, rank).pythons & point for rank in ranks)
