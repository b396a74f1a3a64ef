"""pyproject.toml → requirements."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from pyvstore.errors import ProjectError
from pyvstore.requirements.project import parse_project

_WHOLE = """
[build-system]
requires = ["hatchling"]

[project]
name = "My.Project"
requires-python = ">=3.10"
dependencies = ["numpy>=2", "rich ; os_name == 'nt'"]
dynamic = ["version"]

[project.optional-dependencies]
Fast_Math = ["numba"]

[dependency-groups]
test = ["pytest>=8"]
Dev = ["mypy", { include-group = "test" }]
"""


def test_a_whole_project_is_read() -> None:
    project = parse_project(tomli.loads(_WHOLE))
    assert project.name == "my-project"
    assert project.requires_python == SpecifierSet(">=3.10")
    assert [str(entry) for entry in project.dependencies] == ["numpy>=2", 'rich; os_name == "nt"']
    assert {extra: list(map(str, entries)) for extra, entries in project.optional.items()} == {"fast-math": ["numba"]}
    assert {group: list(map(str, entries)) for group, entries in project.groups.items()} == {
        "test": ["pytest>=8"],
        "dev": ["mypy", "pytest>=8"],
    }
    assert project.has_build_system


def test_a_file_with_groups_alone_is_a_project_without_a_name() -> None:
    project = parse_project({"dependency-groups": {"dev": ["mypy"]}})
    assert project.name is None
    assert list(project.groups) == ["dev"]


def test_a_smallest_project_asks_for_nothing() -> None:
    project = parse_project({"project": {"name": "x"}})
    assert (project.requires_python, project.dependencies, dict(project.optional), dict(project.groups)) == (
        None,
        (),
        {},
        {},
    )
    assert not project.has_build_system


@pytest.mark.parametrize(
    ("pyproject", "message"),
    [
        ({"project": []}, "project: must be a table, not a list"),
        ({"project": {}}, "project.name: is missing"),
        ({"project": {"name": 1}}, "project.name: must be a text, not a number"),
        ({"project": {"name": "../x"}}, "project.name: '../x' is not a valid name"),
        ({"project": {"name": "x", "dynamic": "version"}}, "project.dynamic: must be a list of texts, not a text"),
        ({"project": {"name": "x", "dynamic": ["dependencies"]}}, "project.dynamic: 'dependencies' is computed"),
        ({"project": {"name": "x", "dynamic": ["optional-dependencies"]}}, "project.dynamic: 'optional-dependencies'"),
        ({"project": {"name": "x", "requires-python": 3}}, "project.requires-python: must be a text, not a number"),
        ({"project": {"name": "x", "requires-python": "3.12+"}}, "project.requires-python: '3.12+' is not a version"),
        ({"project": {"name": "x", "dependencies": "numpy"}}, "project.dependencies: must be a list of texts"),
        ({"project": {"name": "x", "dependencies": {}}}, "project.dependencies: must be a list of texts, not a table"),
        ({"project": {"name": "x", "dependencies": ["a", True]}}, "project.dependencies[1]: must be a text, not a boo"),
        (
            {"project": {"name": "x", "dependencies": ["a", "b", "c=1"]}},
            "project.dependencies[2]: 'c=1' is not a requirement",
        ),
        (
            {"project": {"name": "x", "dependencies": ["a @ https://files.example/a.whl"]}},
            "project.dependencies[0]: a is required from a URL or a path",
        ),
        ({"project": {"name": "x", "optional-dependencies": []}}, "project.optional-dependencies: must be a table"),
        (
            {"project": {"name": "x", "optional-dependencies": {"a": "b"}}},
            "project.optional-dependencies.a: must be a list of texts",
        ),
        (
            {"project": {"name": "x", "optional-dependencies": {"-": []}}},
            "project.optional-dependencies.-: '-' is not a valid name",
        ),
        (
            {"project": {"name": "x", "optional-dependencies": {"a-b": [], "a_b": []}}},
            "project.optional-dependencies.a_b: the extra 'a-b' is defined twice",
        ),
        ({"dependency-groups": ["a"]}, "dependency-groups: must be a table"),
        ({"dependency-groups": {"dev": "a"}}, "dependency-groups.dev: must be a list, not a text"),
        ({"dependency-groups": {"dev": ["a="]}}, "dependency-groups.dev[0]: 'a=' is not a requirement"),
        ({"dependency-groups": {"dev": [date(2024, 1, 1)]}}, "dependency-groups.dev[0]: must be a text, not a date"),
        ({"dependency-groups": {"dev": [{"include": "x"}]}}, "dependency-groups.dev[0]: a table in a group must be"),
        (
            {"dependency-groups": {"dev": [{"include-group": 1}]}},
            "dependency-groups.dev[0]: a table in a group must be",
        ),
        ({"dependency-groups": {"dev": [{"include-group": "x"}]}}, "dependency-groups: Dependency group 'x' not found"),
        (
            {"dependency-groups": {"a": [{"include-group": "b"}], "b": [{"include-group": "a"}]}},
            "include each other",
        ),
        ({"dependency-groups": {"a": [{"include-group": "a"}]}}, "'a' includes itself"),
        ({"dependency-groups": {"a-b": [], "a_b": []}}, "dependency-groups: Duplicate dependency group names"),
        ({"build-system": "hatchling"}, "build-system: must be a table, not a text"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(pyproject: dict[str, Any], message: str) -> None:
    with pytest.raises(ProjectError) as caught:
        parse_project(pyproject)
    assert message in caught.value.message
    assert caught.value.code == "pyproject"


def test_a_password_in_a_broken_entry_is_not_repeated() -> None:
    with pytest.raises(ProjectError) as caught:
        parse_project({"project": {"name": "x", "dependencies": ["a @ https://me:secret@h/a b"]}})
    assert "secret" not in f"{caught.value.message}{caught.value.causes}"


def test_includes_that_are_nested_without_end_are_refused() -> None:
    groups = {f"g{index}": [{"include-group": f"g{index + 1}"}] for index in range(20_000)}
    with pytest.raises(ProjectError, match="nested too deeply"):
        parse_project({"dependency-groups": groups | {"g20000": []}})


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(["name", "requires-python", "dependencies", "optional-dependencies", "dynamic"])


@given(
    st.dictionaries(_KEYS, _VALUES) | _VALUES,
    st.dictionaries(st.text(max_size=5), _VALUES, max_size=3) | _VALUES,
)
def test_any_toml_is_a_project_or_a_coded_refusal(project: object, groups: object) -> None:
    try:
        parse_project({"project": project, "dependency-groups": groups})
    except ProjectError as error:
        refusal = error
    else:
        return
    assert refusal.code == "pyproject"
    assert refusal.message.isprintable()
