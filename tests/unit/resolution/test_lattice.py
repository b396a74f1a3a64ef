"""The points of a project: which Pythons, which machines, which parts together. Masks over them are in test_masks."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.model.platforms import NEWEST_PYTHON
from pyvstore.resolution.lattice import CPYTHON, OLDEST_PYTHON, PYPY, Lattice
from pyvstore.resolution.universe import Universe

ONE = ("linux-x86_64",)


@pytest.mark.parametrize(
    ("conflicts", "expected"),
    [
        ((), [""]),
        ((("a", "b"),), ["", "a", "b"]),
        ((("a", "b", "c"),), ["", "a", "b", "c"]),
        ((("a", "b"), ("c", "d")), ["", "a", "b", "c", "d", "a c", "a d", "b c", "b d"]),
        ((("a", "b"), ("b", "c")), ["", "a", "b", "c", "a c"]),
        ((("a", "b"), ("b", "c"), ("a", "c")), ["", "a", "b", "c"]),
    ],
)
def test_what_conflicts_is_active_alone_and_what_does_not_together(
    conflicts: tuple[tuple[str, ...], ...], expected: list[str]
) -> None:
    assert [" ".join(sorted(active)) for active in Lattice(conflicts=conflicts).assignments()] == expected


@given(st.lists(st.lists(st.sampled_from("abcde"), min_size=2, max_size=3, unique=True).map(tuple), max_size=4))
def test_the_assignments_are_the_sets_without_rivals(conflicts: list[tuple[str, ...]]) -> None:
    scopes = sorted({scope for members in conflicts for scope in members})
    free = {
        frozenset(chosen)
        for size in range(len(scopes) + 1)
        for chosen in combinations(scopes, size)
        if all(len(set(members).intersection(chosen)) <= 1 for members in conflicts)
    }
    found = Lattice(conflicts=tuple(conflicts)).assignments()
    assert set(found) == free
    assert len(found) == len(free)
    assert found[0] == frozenset()


@pytest.mark.parametrize(
    ("requires_python", "newer"),
    [
        ("", ("python_version > '3.8'",)),
        (">=3.10", ("python_version > '3.10'",)),
        (">=3.12.4", ("python_version > '3.12'",)),
        (">=3.10,!=3.11.*", ("python_version > '3.10'",)),
        (">=3.10,<4", ("python_version > '3.10'",)),
        ("~=3.10", ("python_version > '3.10'",)),
        (f"=={NEWEST_PYTHON[0]}.*", ("python_version > '3.8'",)),
        (">=3.10,<3.13", ()),
        ("==3.12.*", ()),
        (f"<={NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]}", ()),
        (f">={NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1] + 1}", ()),  # none of the Pythons that are known
    ],
)
def test_an_open_upper_end_lets_in_pythons_that_nobody_named(requires_python: str, newer: tuple[str, ...]) -> None:
    assert Lattice(requires_python=requires_python).newer == newer


@pytest.mark.parametrize(
    ("requires_python", "is_open"),
    [
        ("", True),
        ("<3.13", True),
        ("!=3.9.*", True),
        (">=3", True),
        (">=3.8", False),
        (">3.7.9", False),
        ("==3.12", False),
    ],
)
def test_without_a_lower_bound_old_pythons_are_there_by_default(requires_python: str, is_open: bool) -> None:
    assert Lattice(requires_python=requires_python).is_open_below == is_open


@pytest.mark.parametrize(
    ("requires_python", "boundaries", "expected"),
    [
        (">=3.12,<3.14", [], "3.12.0 3.13.0"),
        (">=3.12.4,<3.13", [], "3.12.4"),
        (">=3.12,<3.13", ["3.12.4", "3.11.2", "3.99.1"], "3.12.0 3.12.4"),
        ("==3.12.3", [], "3.12.3"),
        (">=4", [], ""),
    ],
)
def test_intervals_begin_at_minors_and_where_something_cuts(
    requires_python: str, boundaries: list[str], expected: str
) -> None:
    lattice = Lattice(requires_python=requires_python).refined(boundaries)
    assert " ".join(map(str, lattice.pythons())) == expected
    assert lattice.missing(boundaries) == frozenset()


@pytest.mark.parametrize(
    ("boundary", "is_missing"),
    [("3.12.4", True), ("3.12.0", False), ("3.13.0", False), ("3.11.4", False), ("3.99.1", False), ("2.7.1", False)],
)
def test_a_boundary_is_missing_where_it_cuts_an_interval_of_this_lattice(boundary: str, is_missing: bool) -> None:
    assert Lattice(requires_python=">=3.12,<3.14").missing([boundary]) == ({boundary} if is_missing else frozenset())


def test_every_known_python_is_a_point_by_default() -> None:
    minors = [(version.major, version.minor) for version in Lattice().pythons()]
    assert minors == [(3, minor) for minor in range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1)]


@pytest.mark.parametrize(("implementation", "abi"), [(CPYTHON, "cp310-cp310"), (PYPY, "pp310-pypy310_pp73")])
def test_a_point_has_the_tags_of_its_implementation(implementation: object, abi: str) -> None:
    lattice = Lattice(requires_python="==3.10.*", platforms=ONE, implementations=(implementation,))  # type: ignore[arg-type]
    (point,) = lattice.points()
    assert point.tags[0].startswith(abi)


# ── the universe of a lattice ────────────────────────────────────────────────────────────────────────────────────

CPU, CUDA = "extra:cpu", "extra:cuda"
PARTS = Universe.of(Lattice(requires_python=">=3.12,<3.14", platforms=ONE, conflicts=((CPU, CUDA),)))


def test_points_come_once_for_each_assignment() -> None:
    assert len(PARTS.points) == 6
    assert PARTS.full == 0b111111


@pytest.mark.parametrize(
    ("scope", "mask"), [("", 0b111111), (CPU, 0b001100), (CUDA, 0b110000), ("extra:other", 0b111111)]
)
def test_a_scope_can_be_asked_for_where_none_of_its_rivals_is(scope: str, mask: int) -> None:
    assert PARTS.scope_mask(scope) == mask


@pytest.mark.parametrize(
    ("marker", "mask"),
    [
        (None, 0b111111),
        ("python_version >= '3.13'", 0b101010),
        ("'cpu' in extras", 0b001100),
        ("'cpu' not in extras", 0b110011),
        ("'cuda' in extras and python_version < '3.13'", 0b010000),
        ("'other' in extras", 0b111111),
        ("'dev' in dependency_groups", 0b111111),
    ],
)
def test_a_marker_of_a_lock_holds_where_its_parts_can_be_asked_for(marker: str | None, mask: int) -> None:
    assert PARTS.lock_marker_mask(marker) == mask


@pytest.mark.parametrize(("mask", "alike"), [(0, 0), (0b000001, 0b010101), (0b100000, 0b101010), (0b000011, 0b111111)])
def test_the_same_machine_and_python_is_found_whatever_is_active(mask: int, alike: int) -> None:
    assert PARTS.everywhere_like(mask) == alike


def test_without_conflicts_every_point_is_like_itself_alone() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.12,<3.14", platforms=ONE))
    assert universe.everywhere_like(0b01) == 0b01


TWINS = Universe.of(Lattice(requires_python="==3.12.*", platforms=("linux-x86_64", "macos-arm64", "linux-x86_64-musl")))


@pytest.mark.parametrize(
    ("mask", "left"), [(0b111, 0b111), (0b101, 0b101), (0b011, 0b010), (0b100, 0), (0b010, 0b010), (0, 0)]
)
def test_a_mask_holds_all_of_what_no_marker_tells_apart_or_nothing(mask: int, left: int) -> None:
    assert TWINS.inseparable(mask) == left


def test_a_text_that_cuts_an_interval_refines_the_universe() -> None:
    universe = Universe.of(Lattice(requires_python="==3.12.*", platforms=ONE))
    assert universe.refined().points == universe.points
    universe.marker_mask("python_full_version >= '3.12.4'")
    universe.requires_python_mask(">=3.12.7")
    finer = universe.refined()
    assert [str(point.python_full_version) for point in finer.points] == ["3.12.0", "3.12.4", "3.12.7"]
    assert finer.marker_mask("python_full_version >= '3.12.4'") == 0b110
    assert finer.requires_python_mask(">=3.12.7") == 0b100
    assert not finer.wanted


def test_what_was_met_is_known_as_places_to_split() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.12,<3.14", platforms=ONE))
    assert universe.known_masks == [universe.full]
    universe.marker_mask("python_version < '3.13'")
    universe.tags_mask("cp313-cp313-manylinux2014_x86_64")
    universe.tags_mask("CP313-CP313-manylinux2014_x86_64")
    assert universe.known_masks == [0b01, 0b10, 0b11]


@pytest.mark.parametrize(
    ("tags", "mask"),
    [
        ("py3-none-any", 0b11),
        ("cp312.cp313-none-any", 0b11),
        ("cp313-cp313-win_amd64.manylinux2014_x86_64", 0b10),
        ("cp38-abi3-manylinux2014_x86_64", 0b11),
        ("cp313-cp313t-manylinux2014_x86_64", 0),
        ("cp313-cp313-manylinux_2_99_x86_64", 0),
    ],
)
def test_compressed_tags_serve_where_one_of_them_does(tags: str, mask: int) -> None:
    universe = Universe.of(Lattice(requires_python=">=3.12,<3.14", platforms=ONE))
    assert universe.tags_mask(tags) == mask
