"""Masks as markers and as words.

A marker is found as a cover: every *box* (an interval of Pythons x a conjunction over the platform variables) that lies
within the mask, or in what nobody cares about, may be used; the largest gain is taken first, then the shortest text,
and boxes that turn out to be covered by others are dropped. Points outside the universe are don't-cares, which is why
``sys_platform == 'win32'`` is enough where Windows has one architecture.

A patch release cuts the axis at its first development release: ``python_full_version < '3.11.4'`` and ``>= '3.11.4'``
are both false on 3.11.4rc1 (PEP 440), ``< '3.11.4.dev0'`` and ``>= '3.11.4.dev0'`` are complements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from packaging.version import Version

from pyvstore.resolution.terms import Term, both, cheapest, cover, joined, positions, written

_PLATFORM_VARIABLES = ("sys_platform", "platform_machine", "implementation_name")
_SYSTEM_NAMES = {"darwin": "macos", "win32": "windows"}
_MACHINE_NAMES = {"AMD64": "x86_64", "ARM64": "arm64"}


@dataclass(frozen=True, slots=True)
class _ScopeAtom:
    combinations: int
    term: Term


class Wording:
    """Finds texts for masks over ``environments``.

    Args:
        environments: marker variables of each point; those named in ``axes`` say ``in`` or ``out``.
        axes: conflicting scopes (``extra:cpu``, ``group:dev``).
        machines: what each point's kind of machine is called, where its variables do not tell.
    """

    def __init__(
        self,
        environments: Sequence[Mapping[str, str]],
        axes: Sequence[str] = (),
        machines: Sequence[str] | None = None,
    ) -> None:
        self._axes = tuple(axes)
        self._environments = environments
        self._machines = tuple(map(machine_name, environments) if machines is None else machines)
        self._full = (1 << len(environments)) - 1
        self._versions = sorted({Version(environment["python_full_version"]) for environment in environments})
        self._version_of = [Version(environment["python_full_version"]) for environment in environments]
        self._boxes: list[Term] | None = None
        there = [tuple(environment[scope] for scope in axes) for environment in environments]
        known = {combination: index for index, combination in enumerate(dict.fromkeys(there))}
        self._combination_of = [known[combination] for combination in there]
        atoms = self._scope_atoms(list(known))
        # First what is best left out: what says where something is.
        self._said_about = [
            [
                atoms[scope, value]
                for value in ("in", "out")
                for scope, own in zip(axes, combination, strict=True)
                if own == value
            ]
            for combination in known
        ]
        self._cache: dict[tuple[int, int], str] = {}

    def marker(self, mask: int, care: int) -> str:
        """Return the marker that equals ``mask`` on ``care``; ``mask`` is a proper non-empty part of ``care``.

        Raises:
            ValueError: no marker does.
        """
        text = self._cache.get((mask, care))
        if text is None:
            text = self._cache[mask, care] = written(self._cover(mask, care))
        return text

    def environments(self, covered: int, *, is_exact: bool) -> tuple[str, ...]:
        """Return one marker for each kind of machine in ``covered``; see `Universe.environments`.

        With ``is_exact`` the Pythons are always named (by their minor versions), since no interval stands for them.
        """
        machines: dict[tuple[str, ...], int] = {}
        for position in positions(covered):
            machine = tuple(self._environments[position][variable] for variable in _PLATFORM_VARIABLES)
            machines[machine] = machines.get(machine, 0) | 1 << position
        texts = []
        for machine, mask in machines.items():
            atoms = [f"{variable} == '{value}'" for variable, value in zip(_PLATFORM_VARIABLES, machine, strict=True)]
            pythons = self._same_pythons(mask)
            if is_exact:
                minors = sorted({self._version_of[position].release[:2] for position in positions(mask)})
                named = " or ".join(f"python_version == '{major}.{minor}'" for major, minor in minors)
                atoms.append(f"({named})" if len(minors) > 1 else named)
            elif pythons != self._full:
                named = written(self._python_cover(pythons))
                atoms.append(f"({named})" if " or " in named else named)
            texts.append(" and ".join(atoms))
        return tuple(texts)

    def describe(self, mask: int) -> str:
        """Return words for the environments in ``mask``."""
        machines: dict[str, set[Version]] = {}
        for position in positions(mask):
            machines.setdefault(self._machines[position], set()).add(self._version_of[position])
        alike: dict[tuple[Version, ...], list[str]] = {}
        for name in sorted(machines):
            alike.setdefault(tuple(sorted(machines[name])), []).append(name)
        words = " and ".join(self._describe_part(pythons, names) for pythons, names in sorted(alike.items()))
        active = [
            scope.replace(":", " ")
            for scope in self._axes
            if all(self._environments[position][scope] == "in" for position in positions(mask))
        ]
        return f"{words} with {' and '.join(active)}" if active else words

    def _short_names(self, machines: Collection[str]) -> list[str]:
        """Return names for ``machines``, that of the system alone where all of its several kinds are among them."""
        families: dict[str, set[str]] = {}
        for name in self._machines:
            system, _, rest = name.partition("-")
            families.setdefault(f"{system}-musl" if rest.endswith("-musl") else system, set()).add(name)
        names: list[str] = []
        for family, members in sorted(families.items()):
            is_whole = len(members) > 1 and members <= set(machines)
            names += [family] if is_whole else sorted(members.intersection(machines))
        return names

    def _describe_part(self, pythons: Sequence[Version], machines: Collection[str]) -> str:
        minors = {python.release[:2]: self._patches(python.release[:2], pythons) for python in pythons}
        named = spans([minor for minor, patches in minors.items() if not patches])
        words = "Python " + ", ".join([*named, *(name for patches in minors.values() for name in patches)])
        if len(self._versions) == 1 and self._versions[0].micro:
            words = f"Python {self._versions[0]}"
        is_everywhere = len(machines) == len(set(self._machines)) > 1
        return words if is_everywhere else f"{words} on {', '.join(self._short_names(machines))}"

    def _patches(self, minor: tuple[int, ...], pythons: Collection[Version]) -> list[str]:
        """Return names for the intervals of one minor version that are among ``pythons``; none when all are."""
        starts = [version for version in self._versions if version.release[:2] == minor]
        if set(starts) <= set(pythons):
            return []
        name = ".".join(map(str, minor))
        found: list[str] = []
        first: Version | None = None
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            if start in pythons:
                first = first or start
            if first is None or end in pythons:
                continue
            if end is None:
                found.append(f"{name} from {first} on")
            elif first == starts[0]:
                found.append(f"{name} before {end}")
            elif end.micro == first.micro + 1:
                found.append(str(first))
            else:
                found.append(f"{first}\N{EN DASH}{name}.{end.micro - 1}")
            first = None
        return found

    # --- boxes --------------------------------------------------------------------------------------------------

    def _cover(self, mask: int, care: int) -> list[Term]:
        if self._boxes is None:
            self._boxes = self._all_boxes()
        terms = cheapest(both(self._boxes, self._scope_terms(mask, care)))
        usable = [term for term in terms if not term.mask & care & ~mask]
        return cover(sorted(usable, key=lambda term: term.cost), mask)

    def _python_cover(self, mask: int) -> list[Term]:
        terms = sorted(self._python_terms(), key=lambda term: term.cost)
        return cover([term for term in terms if not term.mask & ~mask], mask)

    def _all_boxes(self) -> list[Term]:
        everywhere = Term(self._full, ())
        return cheapest(both([everywhere, *self._python_terms()], [everywhere, *self._platform_terms()]))

    def _scope_terms(self, mask: int, care: int) -> list[Term]:
        """Return what may have to be said about scopes in the marker of ``mask``; also nothing at all.

        All that can be said about them is exponentially much. On one machine and Python, where some combinations of
        scopes are in the mask, some must not be, and about others nobody cares, each of the first is widened as far as
        the second let it.
        """
        widest = {
            self._widest(combination, refused)
            for wanted, refused in self._patterns(mask, care)
            for combination in positions(wanted)
        }
        return cheapest([Term(self._full, ()), *sorted(widest, key=lambda term: term.cost)])

    def _patterns(self, mask: int, care: int) -> set[tuple[int, int]]:
        """Return for each machine and Python which combinations of scopes (bits) are wanted, and which are refused."""
        found: dict[tuple[str, ...], tuple[int, int]] = {}
        for position, environment in enumerate(self._environments) if self._axes else ():
            cell = tuple(environment[variable] for variable in (*_PLATFORM_VARIABLES, "python_full_version"))
            wanted, refused = found.get(cell, (0, 0))
            combination = 1 << self._combination_of[position]
            if mask >> position & 1:
                wanted |= combination
            elif care >> position & 1:
                refused |= combination
            found[cell] = wanted, refused
        return set(found.values())

    def _widest(self, combination: int, refused: int) -> Term:
        """Return a term that holds for ``combination`` and not for those of ``refused``, with no atom too many."""
        kept = self._said_about[combination]
        for atom in kept:
            others = [other for other in kept if other is not atom]
            held = -1
            for other in others:
                held &= other.combinations
            if not held & refused:
                kept = others
        return joined([Term(self._full, ()), *(atom.term for atom in kept)])

    def _scope_atoms(self, known: Sequence[Sequence[str]]) -> dict[tuple[str, str], _ScopeAtom]:
        atoms = {}
        for index, scope in enumerate(self._axes):
            for value, operator in (("in", "in"), ("out", "not in")):
                alike = sum(1 << other for other, combination in enumerate(known) if combination[index] == value)
                term = Term(self._mask_where(scope, value), (_membership(scope, operator),))
                atoms[scope, value] = _ScopeAtom(alike, term)
        return atoms

    def _platform_terms(self) -> list[Term]:
        atoms: list[Term] = []
        for variable in _PLATFORM_VARIABLES:
            values = {environment[variable] for environment in self._environments}
            if len(values) > 1:
                for value in sorted(values):
                    mask = self._mask_where(variable, value)
                    atoms.append(Term(mask, (f"{variable} == '{value}'",)))
                    atoms.append(Term(self._full & ~mask, (f"{variable} != '{value}'",)))
        several = [
            joined(group) for size in range(1, len(_PLATFORM_VARIABLES) + 1) for group in combinations(atoms, size)
        ]
        return [term for term in cheapest(several) if term.mask != self._full]

    def _mask_where(self, variable: str, value: str) -> int:
        return sum(1 << p for p, environment in enumerate(self._environments) if environment[variable] == value)

    def _python_terms(self) -> list[Term]:
        versions = self._versions
        below = [self._pythons_below(version) for version in versions] + [self._full]
        lower, upper = ([self._cut(version, operator) for version in versions] for operator in (">=", "<"))
        terms = []
        for low in range(len(versions)):
            for high in range(low + 1, len(versions) + 1):
                mask = below[high] & ~below[low]
                if mask == self._full:
                    continue
                atoms = []
                if low:
                    atoms.append(lower[low])
                if high < len(versions):
                    atoms.append(upper[high])
                terms.append(Term(mask, tuple(atoms)))
        minors = sorted({version.release[:2] for version in versions})
        if len(minors) > 1:
            for minor in minors:
                mask = 0
                for position, version in enumerate(self._version_of):
                    mask |= (version.release[:2] == minor) << position
                name = f"{minor[0]}.{minor[1]}"
                terms.append(Term(mask, (f"python_version == '{name}'",)))
                terms.append(Term(self._full & ~mask, (f"python_version != '{name}'",)))
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
        versions = {self._version_of[position] for position in positions(mask)}
        result = 0
        for position, version in enumerate(self._version_of):
            result |= (version in versions) << position
        return result


def _membership(scope: str, operator: str) -> str:
    kind, _, name = scope.partition(":")
    return f"'{name}' {operator} {'extras' if kind == 'extra' else 'dependency_groups'}"


def spans(minors: Sequence[tuple[int, ...]]) -> list[str]:
    """Return minor versions, ascending, as ``3.9-3.11`` (with an en dash) and single ones."""
    found: list[list[tuple[int, ...]]] = []
    for minor in minors:
        if found and (minor[0], minor[1] - 1) == found[-1][-1]:
            found[-1].append(minor)
        else:
            found.append([minor])
    names = [[".".join(map(str, span[0])), ".".join(map(str, span[-1]))] for span in found]
    return [first if first == last else f"{first}\N{EN DASH}{last}" for first, last in names]


def machine_name(environment: Mapping[str, str]) -> str:
    """Return what people call the kind of machine that these marker variables are of."""
    system = _SYSTEM_NAMES.get(environment["sys_platform"], environment["sys_platform"])
    machine = _MACHINE_NAMES.get(environment["platform_machine"], environment["platform_machine"])
    name = f"{system}-{machine}"
    return name if environment["implementation_name"] == "cpython" else f"{name} ({environment['implementation_name']})"
