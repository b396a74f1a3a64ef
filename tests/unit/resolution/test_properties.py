"""The laws of resolution, over random small indexes: sound and complete at every point, stable, and blind to order."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pyvstore.errors import ResolutionError
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Policy, RootRequirement
from pyvstore.resolution.universe import Universe
from tests.scenarios.judge import is_satisfiable, problems_with, selected
from tests.unit.resolution.memory_source import MemorySource, Published

LATTICE = Lattice(requires_python=">=3.11,<3.14", platforms=("linux-x86_64", "windows-x86_64", "macos-arm64"))
Index = dict[str, dict[str, Published]]
NAMES = ("a", "b", "c", "d", "e")
MARKERS = (
    "",
    "",
    "",
    "; sys_platform == 'linux'",
    "; sys_platform != 'win32'",
    "; python_version < '3.12'",
    "; python_version >= '3.13' or platform_machine == 'arm64'",
    "; python_full_version >= '3.12.4'",
)
SPECIFIERS = ("", "", ">=2", "<2", "==3", "!=3", ">=2,<3")

lines = st.builds(
    lambda name, extra, specifier, marker: f"{name}{extra}{specifier} {marker}".strip(),
    st.sampled_from(NAMES),
    st.sampled_from(("", "", "", "[x]")),
    st.sampled_from(SPECIFIERS),
    st.sampled_from(MARKERS),
)
published = st.builds(
    lambda requires, extra, python: Published(
        requires=requires, extras={"x": extra} if extra else {}, requires_python=python
    ),
    st.lists(lines, max_size=2),
    st.lists(lines, max_size=1),
    st.sampled_from((None, None, None, ">=3.12", "<3.13", ">=3.12.4")),
)
indexes = st.dictionaries(
    st.sampled_from(NAMES), st.dictionaries(st.sampled_from(("1", "2", "3")), published, min_size=1), min_size=3
)
root_lists = st.lists(lines, min_size=1, max_size=4)


def answer(
    source: MemorySource, roots: list[str], preferences: Resolution | None = None, policy: Policy | None = None
) -> Resolution | None:
    try:
        return resolve(
            [RootRequirement(requirement=Requirement(line)) for line in roots],
            universe=Universe.of(LATTICE),
            source=source,
            policy=policy,
            preferences=preferences.pins if preferences else None,
            regions=preferences.regions if preferences else (),
        )
    except ResolutionError as error:
        assert error.code.startswith("no-")  # noqa: PT017 - the answer is the error here
        assert error.causes  # noqa: PT017
        return None


def told(resolution: Resolution) -> list[tuple[str, str, str | None, object]]:
    return [(p.name, p.version, p.marker, p.dependencies) for p in resolution.packages]


@given(indexes, root_lists)
@settings(max_examples=250, deadline=None)
def test_an_answer_is_sound_at_every_point_and_missing_only_where_there_is_none(index: Index, roots: list[str]) -> None:
    source = MemorySource(index)
    resolution = answer(source, roots)
    fine = LATTICE.refined({"3.12.4"}).points()
    if resolution is None:
        assert not all(is_satisfiable(source, roots, point.markers) for point in fine)
        return
    for point in fine:
        chosen, problems = selected(resolution, point.markers)
        assert not problems
        assert not problems_with(source, roots, chosen, point.markers)


@given(indexes, root_lists)
@settings(max_examples=100, deadline=None)
def test_resolving_again_with_the_own_answer_as_preference_changes_nothing(index: Index, roots: list[str]) -> None:
    source = MemorySource(index)
    first = answer(source, roots)
    if first is not None:
        second = answer(source, roots, first)
        assert second is not None
        assert told(second) == told(first)
        assert second.environments == first.environments


@given(indexes, root_lists, st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_order_of_requirements_and_releases_does_not_matter(index: Index, roots: list[str], random: Random) -> None:
    first = answer(MemorySource(index), roots)
    shuffled_roots = list(roots)
    random.shuffle(shuffled_roots)
    shuffled = {
        name: {
            version: Published(
                requires=random.sample(list(p.requires), len(p.requires)),
                extras=p.extras,
                requires_python=p.requires_python,
            )
            for version, p in sorted(versions.items(), reverse=random.random() < 0.5)
        }
        for name, versions in index.items()
    }
    second = answer(MemorySource(shuffled), shuffled_roots)
    assert (first and told(first)) == (second and told(second))


@given(indexes, root_lists)
@settings(max_examples=60, deadline=None)
def test_an_edge_leads_to_a_package_that_is_there_wherever_the_edge_is(index: Index, roots: list[str]) -> None:
    source = MemorySource(index)
    resolution = answer(source, roots)
    if resolution is None:
        return
    for package in resolution.packages:
        assert package.mask == sum_of(mask for _, mask in package.scopes)
        for edge in package.dependencies:
            target = next(p for p in resolution.packages if (p.name, p.version) == (edge.name, edge.version))
            where = resolution.universe.marker_mask(edge.marker) & package.mask
            assert where
            assert not where & ~target.mask
            assert set(edge.extras) <= set(target.extras)


def sum_of(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total
