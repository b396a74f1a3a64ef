"""Extras that name the project itself mean what those extras mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyvstore.errors import ProjectError
from pyvstore.requirements.own_extras import expand, included_extras
from pyvstore.requirements.project import ProjectRequirements, parse_project
from pyvstore.requirements.text import format_requirement

WIN = "sys_platform == 'win32'"
NEW = "python_version >= '3.13'"
MARKERS = ("", f" ; {WIN}", f" ; {NEW}")


def project(
    optional: Mapping[str, Sequence[str]], dependencies: Sequence[str] = (), groups: object = None
) -> ProjectRequirements:
    table = {"name": "App", "dependencies": list(dependencies), "optional-dependencies": dict(optional)}
    return parse_project({"project": table, "dependency-groups": groups or {}})


def texts(asked: ProjectRequirements, table: str) -> list[str]:
    """What ``table`` of ``asked`` means, sorted."""
    kind, _, name = table.partition(".")
    requirements = {"dependency-groups": asked.groups, "optional": asked.optional}[kind][name]  # type: ignore[index]
    return sorted(map(format_requirement, expand(asked, requirements, table)))


@pytest.mark.parametrize(
    ("optional", "expected"),
    [
        pytest.param({"x": ["a", "b"]}, "a | b", id="nothing of its own"),
        pytest.param({"x": ["app[y]", "b"], "y": ["a"]}, "a | b", id="another extra"),
        pytest.param({"x": ["APP[Y_Y]"], "y.y": ["a"]}, "a", id="spelled otherwise"),
        pytest.param({"x": ["app[x]", "a"]}, "a", id="itself"),
        pytest.param({"x": ["app[y]"], "y": ["app[x]", "a"]}, "a", id="each other"),
        pytest.param({"x": ["app"]}, "", id="no extra at all"),
        pytest.param({"x": ["app[y,z]"], "y": ["app[w]"], "z": ["app[w]"], "w": ["a"]}, "a", id="two ways"),
        pytest.param({"x": [f"app[y]; {WIN}"], "y": ["a"]}, f"a ; {WIN}", id="a marker"),
        pytest.param({"x": [f"app[y]; {WIN}"], "y": [f"a; {NEW}"]}, f"a ; ({NEW}) and ({WIN})", id="markers add up"),
        pytest.param({"x": [f"app[y]; {WIN}"], "y": [f"a; {WIN}"]}, f"a ; {WIN}", id="the same marker once"),
        pytest.param(
            {"x": [f"app[y]; {WIN}", "app[z]"], "y": ["a"], "z": ["app[y]"]}, "a", id="everywhere is more than windows"
        ),
        pytest.param(
            {"x": [f"app[y]; {WIN}", f"app[y]; {NEW}"], "y": ["a"]}, f"a ; {NEW} | a ; {WIN}", id="either of two"
        ),
    ],
)
def test_an_extra_that_names_the_project_means_what_it_names(
    optional: Mapping[str, Sequence[str]], expected: str
) -> None:
    assert texts(project(optional), "optional.x") == [
        format_requirement(parsed)
        for parsed in project({"x": [text for text in expected.split(" | ") if text]}).optional["x"]  # type: ignore[index]
    ]


def test_a_group_that_names_the_project_has_its_dependencies_too() -> None:
    asked = project({"x": ["a"]}, ["base"], {"dev": ["app[x]", "tool"], "all": [f"app; {WIN}"]})
    assert texts(asked, "dependency-groups.dev") == ["a", "base", "tool"]
    assert texts(asked, "dependency-groups.all") == [f"base ; {WIN}"]


def test_an_extra_that_the_project_does_not_have_is_refused_where_it_is_named() -> None:
    with pytest.raises(ProjectError, match=r"optional\.x: the project has no extra 'z'"):
        texts(project({"x": ["app[y]"], "y": ["app[z]"]}), "optional.x")


def test_twelve_extras_that_all_name_each_other_are_no_work() -> None:
    names = [f"x{number}" for number in range(12)]
    optional = {name: [f"app[{','.join(names)}]; {WIN}", f"only-{name}"] for name in names}
    assert texts(project(optional), "optional.x0") == sorted(
        ["only-x0", *(f"only-{name} ; {WIN}" for name in names[1:])]
    )


def test_more_conditions_than_anybody_means_are_refused() -> None:
    names = [f"x{number}" for number in range(12)]
    optional = {
        name: [f"app[{other}]; python_version != '3.{100 + row * 12 + column}'" for column, other in enumerate(names)]
        for row, name in enumerate(names)
    }
    with pytest.raises(ProjectError, match=r"optional\.x0: .* too many ways"):
        texts(project(optional), "optional.x0")


def test_a_project_without_a_name_names_nothing_of_its_own() -> None:
    asked = parse_project({"dependency-groups": {"dev": ["app[x]"]}})
    assert texts(asked, "dependency-groups.dev") == ["app[x]"]
    assert included_extras(asked, asked.groups["dev"]) == frozenset()


def test_what_a_table_names_is_included_under_any_condition() -> None:
    asked = project({"x": [f"app[y,Z_Z]; {WIN}", "other[w]"], "y": [], "z-z": []})
    assert included_extras(asked, asked.optional["x"]) == {"y", "z-z"}  # type: ignore[index]


EDGES = st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz"), st.sampled_from(MARKERS))


@given(st.lists(EDGES, max_size=6))
def test_a_requirement_holds_exactly_where_some_way_to_it_does(edges: list[tuple[str, str, str]]) -> None:
    optional = {name: [f"only-{name}"] for name in "xyz"}
    for source, target, marker in edges:
        optional[source].append(f"app[{target}]{marker}")
    found = expand(project(optional), project(optional).optional["x"], "optional.x")  # type: ignore[index]
    for platform in ("win32", "linux"):
        for python in ("3.12", "3.13"):
            here = {"sys_platform": platform, "python_version": python, "python_full_version": f"{python}.0"}
            holding = {"": True, MARKERS[1]: platform == "win32", MARKERS[2]: python == "3.13"}
            reached = {"x"}
            for _ in "xyz":
                reached |= {target for source, target, marker in edges if source in reached and holding[marker]}
            assert {
                requirement.name
                for requirement in found
                if requirement.marker is None or requirement.marker.evaluate(dict(here))
            } == {f"only-{name}" for name in reached}
