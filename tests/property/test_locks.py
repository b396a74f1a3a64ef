"""Laws of the lockfile, on random small indexes: what it selects, that it keeps still, and what it does not miss.

The worlds are made from numbers, so that the same ones are tried everywhere and a failure is found again.
``PYVSTORE_TEST_LONG=1`` tries many more of them, ``PYVSTORE_TEST_LONG=5000`` others from there on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from random import Random
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.errors import ResolutionError
from tests.scenarios.judge import is_satisfiable
from tests.support.law import MACHINES, Facts, Machine, breaches, environments, tags_of, wheel_tags
from tests.support.locks import Locked, lock
from tests.unit.resolution.memory_source import MemorySource, Published

LONG = int(os.environ.get("PYVSTORE_TEST_LONG") or 0)
Index = dict[str, dict[str, Published]]
Parts = frozenset[tuple[str, str]]
Pins = dict[str, set[Version]]


def seeds(short: int, *known: int) -> pytest.MarkDecorator:
    """Try so many worlds and those that were wrong once, or forty times as many others."""
    return pytest.mark.parametrize("seed", range(LONG, LONG + short * 40) if LONG else [*range(short), *known])


# ── worlds ───────────────────────────────────────────────────────────────────────────────────────────────────────

NAMES = ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
VERSIONS = ("1", "2", "3", "4", "5rc1")
MARKERS = (
    *("",) * 8,
    "sys_platform == 'linux'",
    "sys_platform != 'win32'",
    "os_name == 'nt' or platform_machine == 'arm64'",
    "python_version < '3.12'",
    "python_version >= '3.13' and platform_system == 'Linux'",
    "python_full_version >= '3.12.4'",
    "implementation_name == 'pypy'",
)
SPECIFIERS = (*("",) * 4, ">=2", "<2", "==3", "!=3", ">=2,<4", "~=1.0", "<4")
TAGS = (
    *(("py3-none-any",),) * 8,
    ("py3-none-win_amd64",),
    ("py3-none-win_amd64", "py3-none-manylinux_2_17_x86_64"),
    ("cp312-cp312-manylinux2014_x86_64", "cp311-abi3-macosx_11_0_arm64", "cp311-abi3-win_amd64"),
    ("cp311-cp311-manylinux2014_x86_64", "py2-none-any"),
    (),
)
PLATFORMS = ("linux-x86_64", "macos-arm64", "windows-x86_64")
OPEN = ">=3.13"
PYTHONS = (">=3.11,<3.13", ">=3.11,<3.14", ">=3.12.4,<3.14", "==3.12.*", OPEN)
WIDER = (">=3.10,<3.14", ">=3.11,<3.14", ">=3.10,<3.13", ">=3.11,<3.15")


@dataclass(frozen=True)
class Asked:
    """What a project asks for."""

    dependencies: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    python: str = ">=3.11,<3.14"
    platforms: tuple[str, ...] = PLATFORMS
    has_conflict: bool = False
    has_default: bool = False

    @property
    def pyproject(self) -> dict[str, Any]:
        """The same as the TOML of a pyproject.toml."""
        conflicts = [[{"extra": "more"}, {"group": "test"}]] if self.has_conflict else []
        return {
            "project": {
                "name": "project",
                "version": "1",
                "requires-python": self.python,
                "dependencies": list(self.dependencies),
                "optional-dependencies": {"more": list(self.extras)},
            },
            "dependency-groups": {"lint": list(self.group), "test": list(self.test)},
            "tool": {
                "pyvstore": {
                    "package": False,
                    "platforms": list(self.platforms),
                    "default-groups": ["lint"] if self.has_default else [],
                    "conflicts": conflicts,
                }
            },
        }

    @property
    def sides(self) -> tuple[tuple[str, ...], ...]:
        """What may be wanted together, as much of it as possible."""
        common = self.dependencies + self.group
        if self.has_conflict:
            return (*common, *self.extras), (*common, *self.test)
        return ((*common, *self.extras, *self.test),)

    @property
    def parts(self) -> list[Parts]:
        """Every set of optional parts that may be asked for."""
        all_of_them = (("extra", "more"), ("group", "lint"), ("group", "test"))
        found = [frozenset(chosen) for size in range(4) for chosen in combinations(all_of_them, size)]
        if self.has_conflict:
            found = [parts for parts in found if not {("extra", "more"), ("group", "test")} <= parts]
        return found


def requirement(random: Random, names: Sequence[str], markers: Sequence[str] = MARKERS) -> str:
    name = random.choice(names) if random.random() < 0.99 else "nowhere"
    marker = random.choice(markers)
    extra = random.choice(("", "", "", "[x]", "[X_y]"))
    return f"{name}{extra}{random.choice(SPECIFIERS)}" + (f"; {marker}" if marker else "")


def requirements(random: Random, names: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(requirement(random, names) for _ in range(random.randint(0, most)))


def publish(random: Random, names: Sequence[str]) -> Published:
    x, y = (requirements(random, names, 1) for _ in "xy")
    python = random.choice((*(None,) * 9, ">=3.12", "<3.13", ">=3.12.4", ">=3.8,!=3.12.*"))
    tags = random.choice(TAGS)
    return Published(
        requires=requirements(random, names, 3),
        extras={"x": x, "x-y": y} if x or y else {},
        requires_python=python,
        metadata_requires_python=python if random.random() < 0.9 else random.choice((">=3.12", "<3.13")),
        tags=tags,
        sdist=not tags or random.random() < 0.2,
        yanked=random.random() < 0.04,
    )


def world_of(seed: int) -> tuple[Index, Asked, Random]:
    """Return an index, what is asked of it, and further chance."""
    random = Random(seed)
    names = NAMES[: random.randint(5, len(NAMES))]
    index = {
        name: {
            version: publish(random, names) for version in sorted(random.sample(VERSIONS, random.choice((1, 2, 3, 5))))
        }
        for name in names
    }
    asked = Asked(
        (requirement(random, names), *requirements(random, names, 2)),
        requirements(random, names, 1),
        requirements(random, names, 1),
        requirements(random, names, 1),
        python=random.choice(PYTHONS),
        platforms=random.choice((PLATFORMS, PLATFORMS[:1], PLATFORMS[1:])),
        has_conflict=random.random() < 0.3,
        has_default=random.random() < 0.5,
    )
    return index, asked, random


def some_world(seed: int) -> tuple[Index, Asked, Random, Locked]:
    """Return a world that has an answer, with its lock."""
    for other in range(seed * 1000, seed * 1000 + 1000):
        index, asked, random = world_of(other)
        locked = try_lock(index, asked)
        if locked is not None:
            return index, asked, random, locked
    raise AssertionError("nothing can be locked any more")


def try_lock(index: Index, asked: Asked, old: Locked | None = None) -> Locked | None:
    try:
        return lock(MemorySource(index), asked.pyproject, old)
    except ResolutionError as error:
        assert error.code.startswith("no-")  # noqa: PT017 - the answer is the error here
        assert error.causes or "given up" in error.message  # noqa: PT017
        return None


# ── looking at them, with `packaging` alone ──────────────────────────────────────────────────────────────────────


marker_of, specifier_of = cache(Marker), cache(SpecifierSet)


def machines_of(asked: Asked) -> list[Machine]:
    return [machine for machine in MACHINES if machine.name in asked.platforms]


def covered(locked: Locked, asked: Asked) -> Iterator[tuple[Machine, dict[str, str]]]:
    """Yield every machine and Python that a lock says it is for."""
    table = locked.table
    python, markers = table.get("requires-python", ""), [marker_of(text) for text in table.get("environments", ())]
    for machine in machines_of(asked):
        for environment in environments(machine):
            if python_is_in(python, environment) and (
                not markers or any(marker.evaluate(dict(environment)) for marker in markers)
            ):
                yield machine, environment


def supported(asked: Asked) -> Iterator[tuple[Machine, dict[str, str]]]:
    """Yield every machine and Python that a project supports."""
    for machine in machines_of(asked):
        for environment in environments(machine):
            if python_is_in(asked.python, environment):
                yield machine, environment


def python_is_in(text: str, environment: Mapping[str, str]) -> bool:
    return specifier_of(text).contains(environment["python_full_version"], prereleases=True)


def selected(locked: Locked, environment: Mapping[str, str], parts: Parts) -> dict[str, str]:
    """Return what the markers of a lock select: name → version."""
    values: dict[str, Any] = {**environment}
    values["extras"] = frozenset(name for kind, name in parts if kind == "extra")
    values["dependency_groups"] = frozenset(name for kind, name in parts if kind == "group")
    found: dict[str, str] = {}
    for package in locked.entries:
        if "marker" not in package or marker_of(package["marker"]).evaluate(values, context="lock_file"):
            assert package["name"] not in found
            found[package["name"]] = package["version"]
    return found


def selections(locked: Locked, asked: Asked) -> dict[tuple[str, str, Parts], dict[str, str]]:
    """Return what is selected in every environment with every set of parts."""
    return {
        (machine.name, environment["python_full_version"], parts): selected(locked, environment, parts)
        for machine, environment in covered(locked, asked)
        for parts in asked.parts
    }


def with_files(index: Index, machine: Machine, environment: Mapping[str, str]) -> set[tuple[str, Version]]:
    """Return the releases that nobody has to build and nobody took back."""
    tags = tags_of(machine, environment["python_version"])
    return {
        (name, Version(version))
        for name, versions in index.items()
        for version, entry in versions.items()
        if not entry.yanked and any(not tags.isdisjoint(wheel_tags(f"x-1-{tag}.whl")) for tag in entry.tags)
    }


def has_answer(
    index: Index,
    sides: Sequence[Sequence[str]],
    machine: Machine,
    environment: Mapping[str, str],
    serving: set[tuple[str, Version]] | None = None,
) -> bool:
    """Search for an answer of releases with files, or of those in ``serving``, in one environment."""
    if serving is None:
        serving = with_files(index, machine, environment)
    source = MemorySource(index)
    return all(is_satisfiable(source, side, environment, lambda *pair: pair in serving) for side in sides)


def breaches_of(index: Index, asked: Asked, table: Mapping[str, Any]) -> list[str]:
    """Return how a lock breaks the law."""

    def facts(package: Mapping[str, Any]) -> Facts:
        entry = index[package["name"]][package["version"]]
        texts = filter(None, (entry.requires_python, entry.metadata_requires_python))
        return Facts(entry.lines(), ",".join(texts))

    return breaches(table, asked.pyproject, facts)


# ── the laws ─────────────────────────────────────────────────────────────────────────────────────────────────────


@seeds(90)
def test_a_lock_obeys_the_law_and_is_refused_only_where_nothing_would(seed: int) -> None:
    index, asked, _ = world_of(seed)
    locked = try_lock(index, asked)
    if locked is None:
        assert not all(has_answer(index, asked.sides, *place) for place in supported(asked))
        return
    told = [(machine.name, environment["python_full_version"]) for machine, environment in covered(locked, asked)]
    for machine, environment in supported(asked):
        if (machine.name, environment["python_full_version"]) not in told:
            assert asked.python == OPEN
            assert not has_answer(index, asked.sides, machine, environment)
    for breach in breaches_of(index, asked, locked.table):
        assert breach.startswith("no file of ")


@seeds(40)
def test_a_version_without_a_file_is_chosen_only_where_no_other_will_do(seed: int) -> None:
    index, asked, _, locked = some_world(seed)
    for breach in breaches_of(index, asked, locked.table):
        (name, version), place = breach.removeprefix("no file of ").split(" ")[:2], breach.partition(" on ")[2]
        where, python = place.split(" ")[:2]
        for machine, environment in covered(locked, asked):
            if (machine.name, environment["python_full_version"]) == (where, python):
                others = with_files(index, machine, environment)
                chosen = {
                    (found, Version(number))
                    for parts in asked.parts
                    for found, number in selected(locked, environment, parts).items()
                }
                fitting = {pair for pair in others if pair[0] == name} | {pair for pair in chosen if pair[0] != name}
                assert (name, Version(version)) not in others
                assert not has_answer(index, asked.sides, machine, environment, fitting) or not has_answer(
                    index, asked.sides, machine, environment, others
                )


@seeds(40, 792, 1135)
def test_markers_say_of_every_machine_python_and_part_what_was_resolved(seed: int) -> None:
    _, asked, _, locked = some_world(seed)
    universe = locked.resolution.universe
    assert universe.lattice is not None
    assignments = universe.lattice.assignments()
    points = universe.points[: len(universe.points) // len(assignments)]
    axes = frozenset[str]().union(*assignments)
    for machine, environment in covered(locked, asked):
        python = Version(environment["python_full_version"])
        _, position = max(
            (point.python_full_version, number)
            for number, point in enumerate(points)
            if point.python_full_version <= python
            and all(point.markers[key] == value for key, value in machine.markers if value)
        )
        for parts in asked.parts:
            scopes = {"", *(f"{kind}:{name}" for kind, name in parts)}
            bit = 1 << position + len(points) * assignments.index(axes & scopes)
            expected = {
                str(package.name): package.version
                for package in locked.resolution.packages
                if any(mask & bit for scope, mask in package.scopes if scope in scopes)
            }
            assert selected(locked, environment, parts) == expected


@seeds(50)
def test_locking_again_or_in_another_order_gives_the_same_bytes(seed: int) -> None:
    index, asked, random, locked = some_world(seed)
    shuffled = {
        name: {
            version: replace(
                entry,
                requires=shuffle(entry.requires, random),
                extras=dict(shuffle(list(entry.extras.items()), random)),
            )
            for version, entry in shuffle(list(versions.items()), random)
        }
        for name, versions in shuffle(list(index.items()), random)
    }
    reordered = replace(asked, dependencies=tuple(shuffle(asked.dependencies, random)))
    assert must_lock(index, asked).text == locked.text
    assert must_lock(shuffled, reordered).text == locked.text
    again = must_lock(shuffled, reordered, locked)
    if not locked.resolution.without_wheels:  # a version without a file gives way as soon as that is possible
        assert selections(again, asked) == selections(locked, asked)
        if again.resolution.universe.points == locked.resolution.universe.points:
            assert again.text == locked.text


@seeds(40)
def test_more_machines_or_pythons_leave_what_was_locked(seed: int) -> None:
    index, asked, random, locked = some_world(seed)
    wider = replace(asked, python=random.choice(WIDER), platforms=PLATFORMS)
    before = selections(locked, asked)
    pins = pins_of(before.values())
    if not all(still_holds(index, wider, pins, *place) for place in supported(wider)):
        return
    after = selections(must_lock(index, wider, locked), wider)
    for place in before.keys() & after.keys():
        assert after[place] == before[place]


@seeds(40)
def test_a_requirement_that_comes_and_goes_moves_only_what_it_must(seed: int) -> None:
    index, asked, random, before = some_world(seed)
    line = requirement(random, sorted(index))
    more = replace(asked, dependencies=(*asked.dependencies, line))
    added = try_lock(index, more, before)
    kept = selections(before, asked)
    if all(
        still_holds(index, more, pins_of(selected(before, place[1], parts) for parts in asked.parts), *place)
        for place in covered(before, asked)
    ):
        assert added is not None
        now = selections(added, more)
        for place, versions in kept.items():
            assert versions.items() <= now[place].items()
    if added is None:
        return
    removed = must_lock(index, asked, added)
    now, then = selections(added, more), selections(removed, asked)
    without_files = {breach.partition(" on ")[2].split(" ")[1] for breach in breaches_of(index, more, added.table)}
    for place in now.keys() & then.keys():
        # Where a version had no file, there may be a better one now.
        assert place[1] in without_files or then[place].items() <= now[place].items()


def pins_of(chosen: Iterable[Mapping[str, str]]) -> Pins:
    """Return name → versions of several selections together."""
    found: Pins = {}
    for versions in chosen:
        for name, version in versions.items():
            found.setdefault(name, set()).add(Version(version))
    return found


def still_holds(index: Index, more: Asked, pins: Pins, machine: Machine, environment: Mapping[str, str]) -> bool:
    """Tell whether ``more`` has an answer in one environment in which every old version stays, and files are there."""
    serving = {
        (name, version)
        for name, version in with_files(index, machine, environment)
        if version in pins.get(name, {version})
    }
    return all(len(versions) == 1 for versions in pins.values()) and has_answer(
        index, more.sides, machine, environment, serving
    )


@seeds(40)
def test_a_requirement_that_has_nothing_to_do_with_the_others_changes_nothing_else(seed: int) -> None:
    index, asked, random, before = some_world(seed)
    marker = random.choice(MARKERS)
    wider_index = {**index, "unrelated": {"1": Published()}}
    wider = replace(asked, dependencies=(*asked.dependencies, f"unrelated; {marker}" if marker else "unrelated"))
    after = must_lock(wider_index, wider, before)
    assert [package for package in after.entries if package["name"] != "unrelated"] == before.entries
    assert must_lock(wider_index, asked, after).text == before.text


def shuffle(found: Sequence[Any], random: Random) -> list[Any]:
    return random.sample(list(found), len(found))


def must_lock(index: Index, asked: Asked, old: Locked | None = None) -> Locked:
    return lock(MemorySource(index), asked.pyproject, old)
