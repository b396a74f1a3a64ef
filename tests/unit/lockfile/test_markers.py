"""What is written down for masks means, to `packaging` alone, what the masks say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker

from pyvstore.lockfile.freeze import FrozenNames
from pyvstore.lockfile.markers import EXTRA, GROUP, NOWHERE, ScopeMarkers
from pyvstore.lockfile.select import select
from pyvstore.model.parts import DEFAULT_GROUP, Parts
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import MAIN_SCOPE
from pyvstore.resolution.universe import Universe
from tests.unit.lockfile.samples import frozen, lock

DEV, DOCS, OLD = "group:dev", "group:docs", "group:old"
CPU, CUDA, PLOT = "extra:cpu", "extra:cuda", "extra:plot"
SCOPES = (DEV, DOCS, OLD, CPU, CUDA, PLOT)
FREE = (DEV, DOCS, PLOT)
CONFLICTS = ((CPU, CUDA), (CUDA, OLD))
LATTICE = Lattice(
    requires_python=">=3.12,<3.14", platforms=("linux-x86_64", "macos-arm64", "windows-x86_64"), conflicts=CONFLICTS
)
UNIVERSE = Universe.of(LATTICE)
ACTIVE = [active for active in LATTICE.assignments() for _ in LATTICE.points()]
MASKS = st.one_of(
    st.just(0),
    st.just(UNIVERSE.full),
    st.sampled_from(SCOPES).map(UNIVERSE.scope_mask),
    st.integers(0, UNIVERSE.full),
)
COVERED = st.sampled_from([UNIVERSE.full, UNIVERSE.requires_python_mask(">=3.13")])
WANTED = st.dictionaries(st.sampled_from((MAIN_SCOPE, *SCOPES)), MASKS, min_size=1)
NAMES = FrozenNames(
    extras=["cpu", "cuda", "plot"],
    dependency_groups=["dev", "docs", "old"],
    default_groups=["dev"],
    conflicts=CONFLICTS,
)


def bits(mask: int) -> Iterator[int]:
    return (position for position in range(len(UNIVERSE.points)) if mask >> position & 1)


def names(asked: frozenset[str], kind: str) -> frozenset[str]:
    return frozenset(scope.removeprefix(kind) for scope in asked if scope.startswith(kind))


def holds(text: str | None, position: int, asked: frozenset[str]) -> bool:
    values: dict[str, str | frozenset[str]] = dict(UNIVERSE.points[position].markers)
    values |= {"extras": names(asked, EXTRA), "dependency_groups": names(asked, GROUP)}
    return text is None or Marker(text).evaluate(values, context="lock_file")


@given(WANTED, COVERED)
@settings(max_examples=60, deadline=None)
def test_a_marker_holds_exactly_where_somebody_who_is_asked_for_wants_the_package(
    wanted: dict[str, int], covered: int
) -> None:
    scopes = {scope: mask & UNIVERSE.scope_mask(scope) & covered for scope, mask in wanted.items()}
    if not any(scopes.values()):
        return
    markers = ScopeMarkers(UNIVERSE, covered, ["dev"])
    written, own = markers.marker(scopes), markers.without_project(scopes)
    several = [frozenset(some) for some in chain.from_iterable(combinations(FREE, size) for size in range(4))]
    for position in bits(covered):
        for free in several:
            asked = ACTIVE[position] | free
            by_parts = any(scopes.get(scope, 0) >> position & 1 for scope in asked)
            by_anybody = by_parts or bool(scopes.get(MAIN_SCOPE, 0) >> position & 1)
            assert holds(written, position, asked) is by_anybody
            assert own is None or holds(own, position, asked) is by_parts
        unnamed = ACTIVE[position] | {GROUP + DEFAULT_GROUP}
        assert holds(written, position, unnamed) is holds(written, position, ACTIVE[position] | {DEV})


@given(WANTED, COVERED)
@settings(max_examples=60, deadline=None)
def test_groups_that_are_asked_for_alone_have_what_they_want_and_nothing_of_the_project(
    wanted: dict[str, int], covered: int
) -> None:
    scopes = {scope: mask & UNIVERSE.scope_mask(scope) & covered for scope, mask in wanted.items()}
    if not any(scopes.values()):
        return
    markers = ScopeMarkers(UNIVERSE, covered, ["dev"])
    package = frozen("a", marker=markers.marker(scopes), without_project=markers.without_project(scopes))
    document = lock(package, names=NAMES)
    for position in bits(covered):
        if not names(ACTIVE[position], EXTRA):
            asked = ACTIVE[position] | {DOCS}
            chosen = select(document, UNIVERSE.points[position], Parts(only_groups=tuple(names(asked, GROUP))))
            assert bool(chosen.pins) is any(scopes.get(scope, 0) >> position & 1 for scope in asked)


@pytest.mark.parametrize("default", [OLD, DEV])
@given(mask=st.integers(1, UNIVERSE.full))
@settings(max_examples=30, deadline=None)
def test_who_asks_for_nothing_has_what_default_groups_that_exclude_others_have(default: str, mask: int) -> None:
    group = default.removeprefix(GROUP)
    written = ScopeMarkers(UNIVERSE, UNIVERSE.full, [group]).marker({MAIN_SCOPE: mask})
    assert UNIVERSE.lock_marker_mask(written) == mask
    for position in bits(UNIVERSE.full):
        asked = ACTIVE[position]
        by_default = asked - {default} | {GROUP + DEFAULT_GROUP} if default in asked else asked
        assert holds(written, position, by_default) is bool(mask >> position & 1)


@pytest.mark.parametrize(
    ("scopes", "marker", "own"),
    [
        pytest.param({"": "all"}, None, None, id="the project alone"),
        pytest.param({DOCS: "all"}, "'docs' in dependency_groups", None, id="a group alone"),
        pytest.param({"": "all", DOCS: "all"}, None, "'docs' in dependency_groups", id="both"),
        pytest.param(
            {"": "sys_platform == 'linux'", DOCS: "sys_platform == 'win32'"},
            "sys_platform == 'linux' or 'docs' in dependency_groups and sys_platform == 'win32'",
            None,
            id="both, and never together",
        ),
        pytest.param({"": OLD}, "'old' in dependency_groups", NOWHERE, id="the project, with a part"),
        pytest.param(
            {"": OLD, OLD: "sys_platform == 'linux'"},
            "'old' in dependency_groups",
            "'old' in dependency_groups and sys_platform == 'linux'",
            id="the project with a part, and that part somewhere",
        ),
        pytest.param(
            {"": CUDA, DOCS: "all"},
            "'cuda' in extras or 'docs' in dependency_groups",
            "'docs' in dependency_groups",
            id="the project with an extra, and a group everywhere",
        ),
        pytest.param(
            {DEV: "all", PLOT: "all"},
            "'plot' in extras or 'dev' in dependency_groups or 'pyvstore-default' in dependency_groups",
            None,
            id="a default group and an extra",
        ),
    ],
)
def test_who_wants_a_package_is_written_shortly(scopes: dict[str, str], marker: str | None, own: str | None) -> None:
    masks = {
        scope: UNIVERSE.scope_mask(where) if where in (*SCOPES, "all") else UNIVERSE.marker_mask(where)
        for scope, where in scopes.items()
    }
    markers = ScopeMarkers(UNIVERSE, UNIVERSE.full, ["dev"])
    assert (markers.marker(masks), markers.without_project(masks)) == (marker, own)
