"""What includes a part that excludes others excludes them, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pyvstore.requirements.conflicts import with_inherited
from pyvstore.requirements.project import parse_project


def inherited(
    conflicts: Sequence[str], extras: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[object]]
) -> list[str]:
    """The sets that are there in the end and were not declared; a part is ``extra:x`` or ``group:x``."""
    project = parse_project(
        {"project": {"name": "app", "optional-dependencies": dict(extras)}, "dependency-groups": dict(groups)}
    )
    declared = tuple(tuple(tuple(part.split(":")) for part in members.split()) for members in conflicts)
    found = with_inherited(project, declared)  # type: ignore[arg-type]
    assert set(declared) <= set(found)
    assert list(found) == sorted(set(found))
    return [" ".join(map(":".join, members)) for members in found if members not in declared]


RIVALS = ["extra:cpu extra:cuda"]


@pytest.mark.parametrize(
    ("conflicts", "extras", "groups", "expected"),
    [
        pytest.param(RIVALS, {"cpu": [], "cuda": [], "x": ["other[cpu]"]}, {}, [], id="nothing includes them"),
        pytest.param(RIVALS, {"cpu": [], "cuda": [], "all": ["App[CPU]"]}, {}, ["extra:all extra:cuda"], id="an extra"),
        pytest.param(
            RIVALS,
            {"cpu": [], "cuda": [], "some": ["app[cpu]; os_name == 'nt'"], "more": ["app[some]"]},
            {},
            ["extra:cuda extra:more", "extra:cuda extra:some"],
            id="extras of extras, under whatever condition",
        ),
        pytest.param(
            RIVALS,
            {"cpu": [], "cuda": [], "one": ["app[cpu]"], "two": ["app[cuda]"]},
            {},
            ["extra:cpu extra:two", "extra:cuda extra:one", "extra:one extra:two"],
            id="both sides",
        ),
        pytest.param(
            RIVALS,
            {"cpu": [], "cuda": [], "all": ["app[cpu,cuda]"]},
            {},
            ["extra:all extra:cpu", "extra:all extra:cuda"],
            id="one part with both",
        ),
        pytest.param(
            ["group:new group:old"],
            {},
            {
                "new": [],
                "old": [],
                "Dev_Tools": ["x", {"include-group": "Old"}],
                "all": [{"include-group": "dev-tools"}],
            },
            ["group:all group:new", "group:dev-tools group:new"],
            id="groups of groups",
        ),
        pytest.param(
            RIVALS,
            {"cpu": [], "cuda": [], "all": ["app[cpu]"]},
            {"dev": ["app[all]"], "ci": [{"include-group": "dev"}]},
            ["extra:all extra:cuda", "extra:cuda group:ci", "extra:cuda group:dev"],
            id="groups with extras",
        ),
        pytest.param(
            ["extra:cpu extra:cuda", "extra:all extra:cuda"],
            {"cpu": [], "cuda": [], "all": ["app[cpu]"]},
            {},
            [],
            id="declared already",
        ),
        pytest.param(
            ["extra:cpu extra:cuda extra:rocm"],
            {"cpu": [], "cuda": [], "rocm": [], "all": ["app[cpu]"]},
            {},
            ["extra:all extra:cuda", "extra:all extra:rocm"],
            id="a larger set",
        ),
    ],
)
def test_a_part_excludes_what_those_that_it_includes_exclude(
    conflicts: Sequence[str],
    extras: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[object]],
    expected: Sequence[str],
) -> None:
    assert inherited(conflicts, extras, groups) == expected


def test_parts_that_include_each_other_come_to_an_end() -> None:
    extras = {"cpu": ["app[a]"], "cuda": [], "a": ["app[b]"], "b": ["app[cpu]"]}
    assert inherited(RIVALS, extras, {}) == ["extra:a extra:cuda", "extra:b extra:cuda"]
