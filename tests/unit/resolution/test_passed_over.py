"""An old version is never taken in silence because a newer one would have to be built, or excludes a new Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from packaging.requirements import Requirement

from pyvstore.errors import BuildError, ResolutionError
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Policy, Prereleases, RootRequirement, Strategy
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published

SOURCE = Published(tags=(), sdist=True, failure=BuildError("it is known only when built", code="build-required"))
STATIC = Published(tags=(), sdist=True)
Projects = Mapping[str, Mapping[str, Published | Sequence[str]]]


def passed_over(
    projects: Projects,
    *roots: str,
    prereleases: Prereleases = Prereleases.IF_NECESSARY,
    strategy: Strategy = Strategy.HIGHEST,
) -> list[tuple[str, str, str, str]]:
    source = MemorySource(projects)
    answer = resolve(
        [RootRequirement(requirement=Requirement(line)) for line in roots],
        universe=Universe.of(Lattice(requires_python=">=3.12")),
        source=source,
        policy=Policy(files_required_on=(), prereleases=prereleases, strategy=strategy),
    )
    return [(one.name, one.version, one.newer, one.reason) for one in answer.passed_over]


@pytest.mark.parametrize("newest", [SOURCE, STATIC])
def test_a_version_that_would_have_to_be_built_is_told(newest: Published) -> None:
    assert passed_over({"a": {"1": [], "2": newest}}, "a") == [("a", "1", "2", "would have to be built")]
    assert passed_over({"a": {"1": [], "2": newest}}, "a<2") == []


def test_a_version_whose_requirement_would_have_to_be_built_is_told_with_that_requirement() -> None:
    projects: Projects = {"a": {"1": [], "2": ["b<2"], "3": ["b<2"]}, "b": {"1": SOURCE, "2": []}}
    assert passed_over(projects, "a") == [("a", "1", "3", "needs b<2, and that would have to be built")]


def test_a_build_further_down_and_behind_an_extra_is_told() -> None:
    projects: Projects = {
        "a": {"1": [], "2": ["b[x]"]},
        "b": {"1": Published(requires=["a"], extras={"x": ["c"]}), "2": Published(extras={"x": ["c"]})},
        "c": {"1": SOURCE},
    }
    assert passed_over(projects, "a") == [("a", "1", "2", "needs c, and that would have to be built")]


def test_a_pre_release_that_stands_in_for_what_would_have_to_be_built_is_told() -> None:
    projects: Projects = {"a": {"1": SOURCE, "2a1": []}}
    assert passed_over(projects, "a") == [("a", "2a1", "1", "would have to be built")]
    assert passed_over(projects, "a", prereleases=Prereleases.ALLOW) == []


def test_versions_that_are_older_for_other_reasons_are_not_told() -> None:
    projects: Projects = {
        "a": {"1": [], "2": ["b>=2"]},
        "b": {"1": [], "2": ["nowhere"]},
        "c": {"1": [], "2": Published(tags=(), sdist=True, yanked=True), "3": Published(requires_python="<3.12")},
        "d": {"1": STATIC},
    }
    assert passed_over(projects, "a", "b", "c", "d") == []


def test_a_build_is_no_reason_where_a_newer_version_fell_to_something_else() -> None:
    projects: Projects = {"a": {"1": [], "2": ["b"], "3": ["c<2"]}, "b": {"1": SOURCE}, "c": {"1": [], "2": []}}
    assert passed_over(projects, "a", "c>=2") == []


def test_who_asks_for_old_versions_is_told_nothing() -> None:
    assert passed_over({"a": {"1": [], "2": SOURCE}}, "a", strategy=Strategy.LOWEST) == []


def test_an_upper_bound_on_python_that_digs_out_an_old_version_is_told() -> None:
    projects: Projects = {"a": {"1": [], "2": Published(requires_python="<3.14")}}
    assert passed_over(projects, "a") == [("a", "1", "2", "is for Python <3.14")]


def test_a_lower_bound_on_python_is_not_told() -> None:
    assert passed_over({"a": {"1": [], "2": Published(requires_python=">=3.13")}}, "a") == []
    assert passed_over({"a": {"1": [], "2": Published(requires_python="<3.12")}}, "a") == []


def test_a_bound_counts_only_where_who_sets_it_is() -> None:
    projects: Projects = {
        "a": {"1": ["c<2; python_version >= '3.13'"]},
        "b": {"1": ["a", "c; python_version < '3.13'"]},
        "c": {"1": Published(requires_python="<3.13"), "1.5": [], "2": []},
    }
    assert passed_over(projects, "a; python_version >= '3.13'", "b; python_version < '3.13'", "c") == []


def test_versions_that_fail_alike_where_an_older_one_alone_has_files_are_refused() -> None:
    left_behind = Published(requires=["b<1"], tags=("py3-none-manylinux_2_17_x86_64",))
    projects: Projects = {"a": {"1": [], **{str(number): left_behind for number in range(2, 30)}}, "b": {"2": []}}
    with pytest.raises(ResolutionError):
        passed_over(projects, "a>=2", "b")
