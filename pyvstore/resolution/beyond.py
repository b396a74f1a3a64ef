"""Whether a Python that nobody named can be had with the versions of the Python before."""

from __future__ import annotations

from collections.abc import Sequence

from pyvstore.resolution.answer import Reach, everywhere
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.offering import Dependency


def excluding(catalogue: Catalogue, roots: Sequence[Dependency], reach: Reach, *, model: int, point: int) -> set[str]:
    """Return the projects needed on ``point`` whose newest version excludes its Python.

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
        for extra in ("", *parsed.extras):
            if rank is None or offering is None or (parsed.name, extra) in seen:
                continue
            seen.add((parsed.name, extra))
            if catalogue.capped(offering) & point:
                found.add(parsed.name)
                break
            pending += [one for one in catalogue.dependencies(offering, rank, extra) or () if one.mask & point]
    return found
