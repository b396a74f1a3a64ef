"""The environments that a resolution is for, and the masks of texts over them.

Bit ``i`` of a mask stands for ``points[i]``. Every answer is cached by text. A marker is evaluated once for each
distinct combination of the variables that it names, not once for each point: ``sys_platform == 'win32'`` costs three
evaluations on any lattice, and any marker costs one with a single point.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from packaging.markers import Marker

from pyvstore.model import foreign
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.parts import DEFAULT_GROUP
from pyvstore.model.platforms import platform_name
from pyvstore.resolution.boundaries import marker_boundaries, specifier_boundaries
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.lenient import lenient_specifier
from pyvstore.resolution.wording import Wording, machine_name

_VARIABLE = re.compile(
    r"\b(os_name|sys_platform|platform_machine|platform_python_implementation|platform_release|platform_system"
    r"|platform_version|python_version|python_full_version|implementation_name|implementation_version|extra)\b"
)
_PART = re.compile(r"""["']([^"']*)["'] (?:not )?in (extras|dependency_groups)""")
_SCOPE_KINDS = {"extras": "extra", "dependency_groups": "group"}
# What markers can tell machines apart by in a lockfile; points that agree in all of these cannot be separated.
_SIGNATURE = ("sys_platform", "platform_machine", "implementation_name", "python_full_version")


class Universe:
    """A finite set of environments.

    Args:
        points: at least one for anything to be resolvable; order decides the bits and nothing else.
        lattice: where the points came from, when a point stands for a whole Python interval. Texts that would cut an
            interval are then remembered in `wanted`; without a lattice every point is exactly what it says.
        active: for each point the conflicting scopes that are active there; None when there are no conflicts.
    """

    def __init__(
        self,
        points: Sequence[TargetEnvironment],
        *,
        lattice: Lattice | None = None,
        active: Sequence[frozenset[str]] | None = None,
    ) -> None:
        self.points = tuple(points)
        self.full = (1 << len(self.points)) - 1
        self.lattice = lattice
        self.wanted: set[str] = set()
        self._environments = [dict(point.markers) for point in self.points]
        self._active = tuple(active or [frozenset()] * len(self.points))
        self._axes = tuple(sorted(frozenset().union(*self._active)))
        for environment, here in zip(self._environments, self._active, strict=True):
            environment.update({scope: "in" if scope in here else "out" for scope in self._axes})
        self._lock_markers: dict[str, int] = {}
        self._markers: dict[tuple[str, str], int] = {}
        self._groups: dict[tuple[str, ...], list[tuple[Mapping[str, str], int]]] = {}
        self._pythons: dict[str, int] = {}
        self._specifiers: dict[str, int] = {"": self.full}
        self._tags: dict[str, int] = {}
        self._single_tags = [(frozenset(tags), mask) for tags, mask in self._by_tags()]
        self._twins = self._find_twins()
        self._wording: Wording | None = None
        for position, point in enumerate(self.points):
            version = point.markers["python_full_version"]
            self._pythons[version] = self._pythons.get(version, 0) | 1 << position

    @classmethod
    def of(cls, lattice: Lattice) -> Universe:
        """Return the universe of all points of ``lattice``."""
        points, assignments = lattice.points(), lattice.assignments()
        return cls(
            [point for _ in assignments for point in points],
            lattice=lattice,
            active=[active for active in assignments for _ in points],
        )

    def refined(self) -> Universe:
        """Return the universe in which every interval that a text wanted to cut is cut."""
        return Universe.of(self.lattice.refined(self.wanted)) if self.lattice else self

    def elder(self, position: int, among: int) -> int:
        """Return, as a mask, the point of ``among`` that differs in its Python alone: the newest before; 0 for none."""
        young = self.points[position]
        kind = platform_name(young.markers, young.tags), young.markers["implementation_name"], self._active[position]
        found, newest = 0, None
        for other, point in enumerate(self.points):
            version = point.python_full_version
            if among >> other & 1 and version < young.python_full_version and (newest is None or version > newest):
                name = platform_name(point.markers, point.tags)
                if (name, point.markers["implementation_name"], self._active[other]) == kind:
                    found, newest = 1 << other, version
        return found

    # --- texts to masks -----------------------------------------------------------------------------------------

    def marker_mask(self, marker: str | None, extra: str = "") -> int:
        """Return the points where ``marker`` holds in the context of ``extra`` (PEP 508).

        Raises:
            packaging.markers.InvalidMarker: ``marker`` is malformed text.
        """
        if not marker:
            return self.full
        key = (marker, extra)
        mask = self._markers.get(key)
        if mask is None:
            mask = self._markers[key] = self._evaluate(parse_marker(marker), marker, extra)
        return mask

    def scope_mask(self, scope: str) -> int:
        """Return the points where ``scope`` can be asked for: all, unless it is declared to exclude others."""
        if scope not in self._axes:
            return self.full
        return sum(1 << position for position, active in enumerate(self._active) if scope in active)

    def lock_marker_mask(self, marker: str | None) -> int:
        """Return the points where a lockfile's ``marker`` can hold: extras and groups are asked for where they can be.

        Raises:
            packaging.markers.InvalidMarker: ``marker`` is malformed text.
        """
        if not marker:
            return self.full
        mask = self._lock_markers.get(marker)
        if mask is None:
            mask = self._evaluate_in_lock(marker) if _PART.search(marker) else self.marker_mask(marker)
            self._lock_markers[marker] = mask
        return mask

    def everywhere_like(self, mask: int) -> int:
        """Return every point whose machine and Python are those of a point in ``mask``, whatever scopes are active."""
        if not self._axes:
            return mask
        return self._like(mask, tuple(self.points[0].markers))

    def requires_python_mask(self, text: str | None) -> int:
        """Return the points whose Python satisfies ``text``; what cannot be understood bounds nothing."""
        if not text:
            return self.full
        mask = self._specifiers.get(text)
        if mask is None:
            self._want(specifier_boundaries(text))
            specifier = lenient_specifier(text)
            mask = 0
            for version, where in self._pythons.items():
                if specifier.contains(version, prereleases=True):
                    mask |= where
            self._specifiers[text] = mask
        return mask

    def tags_mask(self, tags: str) -> int:
        """Return the points that can use a wheel with the (compressed) tag set ``tags``: ``cp311.cp312-abi3-any``."""
        mask = self._tags.get(tags)
        if mask is None:
            parts = tags.lower().split("-")
            pythons, abis, platforms = (part.split(".") for part in parts)
            expanded = [f"{p}-{a}-{m}" for p in pythons for a in abis for m in platforms]
            mask = 0
            for supported, where in self._single_tags:
                if not supported.isdisjoint(expanded):
                    mask |= where
            self._tags[tags] = mask
        return mask

    def inseparable(self, mask: int) -> int:
        """Return ``mask`` without the points that it holds only some of among those that no marker can tell apart."""
        for twins in self._twins:
            if mask & twins != twins:
                mask &= ~twins
        return mask

    def inseparable_from(self, point: int) -> int:
        """Return ``point`` with all points that no marker can tell from it."""
        return next((twins for twins in self._twins if twins & point), point)

    def within(self, mask: int) -> list[TargetEnvironment]:
        """Return the environments in ``mask``."""
        return [self.points[position] for position in range(mask.bit_length()) if mask >> position & 1]

    @property
    def known_masks(self) -> list[int]:
        """Every mask met so far, for want of a better place to split; order depends on content alone."""
        return sorted(
            {*self._markers.values(), *self._specifiers.values(), *map(self.inseparable, self._tags.values())}
        )

    @property
    def machines(self) -> tuple[str, ...]:
        """What each point's kind of machine is called: the platform class, such as ``linux-x86_64-musl``."""
        names = [
            (point.markers["implementation_name"] == "cpython" and platform_name(point.markers, point.tags))
            or machine_name(point.markers)
            for point in self.points
        ]
        return tuple(names)

    # --- masks to texts -----------------------------------------------------------------------------------------

    @property
    def wording(self) -> Wording:
        """Masks as markers and as words."""
        if self._wording is None:
            self._wording = Wording(self._environments, self._axes, self.machines)
        return self._wording

    def marker_for(self, mask: int, care: int | None = None) -> str | None:
        """Return the shortest marker that equals ``mask`` on ``care`` (default: everywhere); None when it always holds.

        Raises:
            ValueError: ``mask`` holds nowhere on ``care``, or separates points that no marker can tell apart.
        """
        care = self.full if care is None else care
        return None if mask & care == care else self.wording.marker(mask & care, care)

    def environments(self, mask: int | None = None) -> tuple[str, ...]:
        """Return disjoint markers that cover ``mask`` (default: everything) and, with ``requires-python``, no more."""
        return self.wording.environments(self.full if mask is None else mask, is_exact=self.lattice is None)

    def describe(self, mask: int) -> str:
        """Say which environments ``mask`` holds: ``Python 3.9-3.10 on linux-x86_64``, with an en dash."""
        return self.wording.describe(mask)

    # --- inside -------------------------------------------------------------------------------------------------

    def _evaluate(self, marker: Marker, text: str, extra: str) -> int:
        self._want(marker_boundaries(text))
        mask = 0
        for environment, where in self._grouped(tuple(sorted(set(_VARIABLE.findall(text)) - {"extra"}))):
            if marker.evaluate({**environment, "extra": extra}):
                mask |= where
        return mask

    def _evaluate_in_lock(self, text: str) -> int:
        self._want(marker_boundaries(text))
        marker = parse_marker(text)
        # What stands for the default groups is there for other tools; the groups themselves are named beside it.
        named = {(kind, name) for name, kind in _PART.findall(text) if name != DEFAULT_GROUP}
        variables = tuple(sorted({*_VARIABLE.findall(text), *self._axes}))
        mask = 0
        for environment, where in self._grouped(variables):
            parts: dict[str, set[str]] = {"extras": set(), "dependency_groups": set()}
            for kind, name in named:
                if environment.get(f"{_SCOPE_KINDS[kind]}:{name}") != "out":
                    parts[kind].add(name)
            if marker.evaluate({**environment, **parts}, context="lock_file"):
                mask |= where
        return mask

    def _like(self, mask: int, variables: tuple[str, ...]) -> int:
        alike = 0
        for _, where in self._grouped(variables):
            if where & mask:
                alike |= where
        return alike

    def _grouped(self, variables: tuple[str, ...]) -> list[tuple[Mapping[str, str], int]]:
        groups = self._groups.get(variables)
        if groups is None:
            found: dict[tuple[str, ...], tuple[Mapping[str, str], int]] = {}
            for position, environment in enumerate(self._environments):
                values = tuple(environment[variable] for variable in variables)
                representative, where = found.get(values, (environment, 0))
                found[values] = (representative, where | 1 << position)
            groups = self._groups[variables] = list(found.values())
        return groups

    def _want(self, boundaries: Iterable[str]) -> None:
        if self.lattice is not None and boundaries:
            self.wanted |= self.lattice.missing(boundaries)

    def _by_tags(self) -> Iterable[tuple[tuple[str, ...], int]]:
        found: dict[tuple[str, ...], int] = {}
        for position, point in enumerate(self.points):
            found[point.tags] = found.get(point.tags, 0) | 1 << position
        return found.items()

    def _find_twins(self) -> tuple[int, ...]:
        found: dict[tuple[str, ...], int] = {}
        for position, environment in enumerate(self._environments):
            signature = tuple(environment[variable] for variable in (*_SIGNATURE, *self._axes))
            found[signature] = found.get(signature, 0) | 1 << position
        return tuple(mask for mask in found.values() if mask & (mask - 1))


@lru_cache(maxsize=1 << 14)
def parse_marker(text: str) -> Marker:
    """Parse marker text once."""
    return foreign.parse_marker(text)
