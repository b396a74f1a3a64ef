"""How to do without environments that have no answer: the exact line of pyproject.toml that leaves them out."""

from __future__ import annotations

import json
from collections.abc import Sequence

from packaging.version import Version

from pyvstore.resolution.lenient import lenient_specifier
from pyvstore.resolution.universe import Universe


def way_without(universe: Universe, mask: int) -> str | None:
    """Say which setting, where, takes ``mask`` out of ``universe``; the simplest that will do.

    None where nothing would be left, where the universe is not a project's lattice, or where no setting can say it.
    """
    lattice = universe.lattice
    dropped = universe.everywhere_like(mask)
    left = universe.full & ~dropped
    if lattice is None or not left:
        return None
    where = universe.describe(dropped)
    python = _narrower_python(universe, dropped, lattice.requires_python)
    if python is not None:
        return f'leave {where} out with `requires-python = "{python}"` in [project]'
    platforms = _fewer_platforms(universe, dropped)
    if platforms is not None:
        machines = where.rpartition(" on ")[2]
        return f"leave {machines} out with `platforms = {json.dumps(platforms)}` in [tool.pyvstore]"
    try:
        marker = universe.marker_for(left)
    except ValueError:
        return None
    assert marker is not None  # noqa: S101 - something is dropped
    wanted = [_both(text, marker) for text in lattice.environments] or [marker]
    return f"leave {where} out with `environments = {json.dumps(wanted)}` in [tool.pyvstore]"


def _narrower_python(universe: Universe, dropped: int, text: str) -> str | None:
    """Return ``requires-python`` for what is left, when whole Pythons at the ends are dropped and nothing else is."""
    masks: dict[Version, int] = {}
    for position, point in enumerate(universe.points):
        python = point.python_full_version
        masks[python] = masks.get(python, 0) | 1 << position
    pythons = sorted(masks)
    if any(masks[python] & dropped not in {0, masks[python]} for python in pythons):
        return None
    kept = [number for number, python in enumerate(pythons) if not masks[python] & dropped]
    first, last = kept[0], kept[-1]
    if len(kept) != last - first + 1:
        return None
    clauses = list(lenient_specifier(text))
    lower = [str(clause) for clause in clauses if clause.operator in {">=", ">"}]
    upper = [str(clause) for clause in clauses if clause.operator in {"<=", "<"}]
    others = sorted(str(clause) for clause in clauses if clause.operator not in {">=", ">", "<=", "<"})
    if first:
        lower = [f">={_short(pythons[first])}"]
    if last + 1 < len(pythons):
        upper = [f"<{_short(pythons[last + 1])}"]
    return ",".join([*lower, *others, *upper])


def _short(python: Version) -> str:
    return str(python) if python.micro else f"{python.major}.{python.minor}"


def _fewer_platforms(universe: Universe, dropped: int) -> Sequence[str] | None:
    """Return the platforms that are left, when whole platforms are dropped and nothing else is."""
    masks: dict[str, int] = {}
    for position, name in enumerate(universe.machines):
        masks[name] = masks.get(name, 0) | 1 << position
    if any(mask & dropped not in {0, mask} for mask in masks.values()):
        return None
    return [name for name, mask in masks.items() if not mask & dropped]


def _both(first: str, second: str) -> str:
    return " and ".join(f"({text})" if " or " in text else text for text in (first, second))
