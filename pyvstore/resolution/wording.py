"""Masks as markers and as words.

A marker is found as a cover: every *box* (an interval of Pythons x a conjunction over the platform variables) that lies
within the mask, or in what nobody cares about, may be used; the largest gain is taken first, then the shortest text,
and boxes that turn out to be covered by others are dropped. Points outside the universe are don't-cares, which is why
``sys_platform == 'win32'`` is enough where Windows has one architecture.

A patch release cuts the axis at its first development release: ``python_full_version < '3.11.4'`` and ``>= '3.11.4'``
are both false on 3.11.4rc1 (PEP 440), ``< '3.11.4.dev0'`` and ``>= '3.11.4.dev0'`` are complements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from packaging.version import Version

_PLATFORM_VARIABLES = ("sys_platform", "platform_machine", "implementation_name")
_SYSTEM_NAMES = {"darwin": "macos", "win32": "windows"}
_MACHINE_NAMES = {"AMD64": "x86_64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True)
class _Term:
    mask: int
    atoms: tuple[str, ...]

    @property
    def text(self) -> str:
        return " and ".join(self.atoms)

    @property
    def cost(self) -> tuple[int, int, int, str]:
        # What says where something is reads better than what says where it is not.
        return len(self.atoms), self.text.count("!="), len(self.text), self.text


class Wording:
    """Finds texts for masks over ``environments``.

    Args:
        environments: marker variables of each point; those named in ``axes`` say ``in`` or ``out``.
        axes: conflicting scopes (``extra:cpu``, ``group:dev``).
    """

    def __init__(self, environments: Sequence[Mapping[str, str]], axes: Sequence[str] = ()) -> None:
        self._axes = tuple(axes)
        self._environments = environments
        self._full = (1 << len(environments)) - 1
        self._versions = sorted({Version(environment["python_full_version"]) for environment in environments})
        self._version_of = [Version(environment["python_full_version"]) for environment in environments]
        self._boxes: list[_Term] | None = None
        self._cache: dict[tuple[int, int], str] = {}

    def marker(self, mask: int, care: int) -> str:
        """Return the marker that equals ``mask`` on ``care``; ``mask`` is a proper non-empty part of ``care``.

        Raises:
            ValueError: no marker does.
        """
        text = self._cache.get((mask, care))
        if text is None:
            text = self._cache[mask, care] = _join(self._cover(mask, care))
        return text

    def environments(self, covered: int, *, is_exact: bool) -> tuple[str, ...]:
        """Return one marker for each kind of machine in ``covered``; see `Universe.environments`.

        With ``is_exact`` the Pythons are always named (by their minor versions), since no interval stands for them.
        """
        machines: dict[tuple[str, ...], int] = {}
        for position in _positions(covered):
            machine = tuple(self._environments[position][variable] for variable in _PLATFORM_VARIABLES)
            machines[machine] = machines.get(machine, 0) | 1 << position
        texts = []
        for machine, mask in machines.items():
            atoms = [f"{variable} == '{value}'" for variable, value in zip(_PLATFORM_VARIABLES, machine, strict=True)]
            pythons = self._same_pythons(mask)
            if is_exact:
                minors = sorted({self._version_of[position].release[:2] for position in _positions(mask)})
                named = " or ".join(f"python_version == '{major}.{minor}'" for major, minor in minors)
                atoms.append(f"({named})" if len(minors) > 1 else named)
            elif pythons != self._full:
                named = _join(self._python_cover(pythons))
                atoms.append(f"({named})" if " or " in named else named)
            texts.append(" and ".join(atoms))
        return tuple(texts)

    def describe(self, mask: int) -> str:
        """Return words for the environments in ``mask``."""
        machines: dict[str, set[tuple[int, ...]]] = {}
        for position in _positions(mask):
            name = _machine_name(self._environments[position])
            machines.setdefault(name, set()).add(self._version_of[position].release[:2])
        alike: dict[tuple[tuple[int, ...], ...], list[str]] = {}
        for name in sorted(machines):
            alike.setdefault(tuple(sorted(machines[name])), []).append(name)
        words = " and ".join(self._describe_part(pythons, names) for pythons, names in sorted(alike.items()))
        active = [
            scope.replace(":", " ")
            for scope in self._axes
            if all(self._environments[position][scope] == "in" for position in _positions(mask))
        ]
        return f"{words} with {' and '.join(active)}" if active else words

    def _describe_part(self, pythons: Sequence[tuple[int, ...]], machines: Sequence[str]) -> str:
        every = sorted({version.release[:2] for version in self._versions})
        words = "Python " + ", ".join(_spans(pythons, every))
        if len(self._versions) == 1:
            words = f"Python {self._versions[0]}"
        everywhere = {_machine_name(environment) for environment in self._environments}
        return words if len(machines) == len(everywhere) > 1 else f"{words} on {', '.join(machines)}"

    # --- boxes --------------------------------------------------------------------------------------------------

    def _cover(self, mask: int, care: int) -> list[_Term]:
        if self._boxes is None:
            self._boxes = sorted(self._all_boxes(), key=lambda box: box.cost)
        return _greedy([box for box in self._boxes if not box.mask & care & ~mask], mask)

    def _python_cover(self, mask: int) -> list[_Term]:
        terms = sorted(self._python_terms(), key=lambda term: term.cost)
        return _greedy([term for term in terms if not term.mask & ~mask], mask)

    def _all_boxes(self) -> Iterator[_Term]:
        best: dict[int, _Term] = {}
        everywhere = _Term(self._full, ())
        pythons = [everywhere, *self._python_terms()]
        for machines in [everywhere, *self._platform_terms()]:
            for python in pythons:
                mask = machines.mask & python.mask
                if not mask or mask == self._full:
                    continue
                box = _Term(mask, python.atoms + machines.atoms)
                known = best.get(mask)
                if known is None or box.cost < known.cost:
                    best[mask] = box
        return iter(best.values())

    def _platform_terms(self) -> list[_Term]:
        atoms: list[_Term] = []
        for scope in self._axes:
            inside = sum(1 << p for p, environment in enumerate(self._environments) if environment[scope] == "in")
            atoms.append(_Term(inside, (_membership(scope, "in"),)))
            atoms.append(_Term(self._full & ~inside, (_membership(scope, "not in"),)))
        for variable in _PLATFORM_VARIABLES:
            values: dict[str, int] = {}
            for position, environment in enumerate(self._environments):
                value = environment[variable]
                values[value] = values.get(value, 0) | 1 << position
            if len(values) > 1:
                for value, mask in sorted(values.items()):
                    atoms.append(_Term(mask, (f"{variable} == '{value}'",)))
                    atoms.append(_Term(self._full & ~mask, (f"{variable} != '{value}'",)))
        best: dict[int, _Term] = {}
        for size in range(1, len(_PLATFORM_VARIABLES) + len(self._axes) + 1):
            for group in combinations(atoms, size):
                mask = self._full
                for atom in group:
                    mask &= atom.mask
                term = _Term(mask, tuple(text for atom in group for text in atom.atoms))
                known = best.get(mask)
                if mask and mask != self._full and (known is None or term.cost < known.cost):
                    best[mask] = term
        return list(best.values())

    def _python_terms(self) -> list[_Term]:
        versions = self._versions
        below = [self._pythons_below(version) for version in versions] + [self._full]
        terms = []
        for low in range(len(versions)):
            for high in range(low + 1, len(versions) + 1):
                mask = below[high] & ~below[low]
                if mask == self._full:
                    continue
                atoms = []
                if low:
                    atoms.append(self._cut(versions[low], ">="))
                if high < len(versions):
                    atoms.append(self._cut(versions[high], "<"))
                terms.append(_Term(mask, tuple(atoms)))
        minors = sorted({version.release[:2] for version in versions})
        if len(minors) > 1:
            for minor in minors:
                mask = 0
                for position, version in enumerate(self._version_of):
                    mask |= (version.release[:2] == minor) << position
                name = f"{minor[0]}.{minor[1]}"
                terms.append(_Term(mask, (f"python_version == '{name}'",)))
                terms.append(_Term(self._full & ~mask, (f"python_version != '{name}'",)))
        return terms

    def _cut(self, version: Version, operator: str) -> str:
        """Return the atom that separates ``version`` from the Pythons before it in this universe."""
        minor = version.release[:2]
        if minor not in {other.release[:2] for other in self._versions if other < version}:
            return f"python_version {operator} '{minor[0]}.{minor[1]}'"
        return f"python_full_version {operator} '{version.base_version}.dev0'"

    def _pythons_below(self, version: Version) -> int:
        mask = 0
        for position, other in enumerate(self._version_of):
            mask |= (other < version) << position
        return mask

    def _same_pythons(self, mask: int) -> int:
        versions = {self._version_of[position] for position in _positions(mask)}
        result = 0
        for position, version in enumerate(self._version_of):
            result |= (version in versions) << position
        return result


def _membership(scope: str, operator: str) -> str:
    kind, _, name = scope.partition(":")
    return f"'{name}' {operator} {'extras' if kind == 'extra' else 'dependency_groups'}"


def _greedy(usable: Sequence[_Term], mask: int) -> list[_Term]:
    """Cover ``mask`` with ``usable`` terms (cheapest first): the largest gain first, of equals the cheapest."""
    chosen: list[_Term] = []
    left = mask
    while left:
        best = max(usable, key=lambda term: (term.mask & left).bit_count(), default=None)
        if best is None or not best.mask & left:
            raise ValueError("no marker tells these environments apart")
        chosen.append(best)
        left &= ~best.mask
    return _without_redundant(chosen, mask)


def _without_redundant(chosen: list[_Term], mask: int) -> list[_Term]:
    for term in sorted(chosen, key=lambda term: term.cost, reverse=True):
        rest = [other for other in chosen if other is not term]
        covered = 0
        for other in rest:
            covered |= other.mask
        if rest and not mask & ~covered:
            chosen = rest
    return sorted(chosen, key=lambda term: term.cost)


def _join(terms: Sequence[_Term]) -> str:
    if len(terms) == 1:
        return terms[0].text
    return " or ".join(f"({term.text})" if len(term.atoms) > 1 else term.text for term in terms)


def _positions(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _spans(found: Sequence[tuple[int, ...]], every: Sequence[tuple[int, ...]]) -> list[str]:
    spans: list[list[tuple[int, ...]]] = []
    for minor in found:
        if spans and every.index(minor) == every.index(spans[-1][-1]) + 1:
            spans[-1].append(minor)
        else:
            spans.append([minor])
    names = [[".".join(map(str, span[0])), ".".join(map(str, span[-1]))] for span in spans]
    return [first if first == last else f"{first}\N{EN DASH}{last}" for first, last in names]


def _machine_name(environment: Mapping[str, str]) -> str:
    system = _SYSTEM_NAMES.get(environment["sys_platform"], environment["sys_platform"])
    machine = _MACHINE_NAMES.get(environment["platform_machine"], environment["platform_machine"])
    name = f"{system}-{machine}"
    return name if environment["implementation_name"] == "cpython" else f"{name} ({environment['implementation_name']})"
