"""Which optional parts are asked for, and one more."""

from __future__ import annotations

import pytest

from pyvstore.model.parts import DEFAULT_PARTS, Parts, format_parts, parse_parts, with_part

NO_DEV = Parts(without_groups=("dev",))
ONLY_DOCS = Parts(only_groups=("docs",))
MAIN_AND_DOCS = Parts(groups=("docs",), no_default_groups=True)


@pytest.mark.parametrize(
    ("before", "added", "after"),
    [
        pytest.param(DEFAULT_PARTS, "group dev default", DEFAULT_PARTS, id="what is there by default is not named"),
        pytest.param(DEFAULT_PARTS, "group docs", Parts(groups=("docs",)), id="another group"),
        pytest.param(NO_DEV, "group dev default", DEFAULT_PARTS, id="a default group that was left out"),
        pytest.param(
            Parts(without_groups=("docs", "dev"), groups=("lint",)),
            "group docs",
            Parts(without_groups=("dev",), groups=("docs", "lint")),
            id="a group that was left out",
        ),
        pytest.param(
            Parts(no_default_groups=True),
            "group dev default",
            Parts(no_default_groups=True, groups=("dev",)),
            id="a default group where default groups are not there",
        ),
        pytest.param(
            Parts(all_groups=True, without_groups=("docs",)), "group docs", Parts(all_groups=True), id="all are there"
        ),
        pytest.param(ONLY_DOCS, "group lint", Parts(only_groups=("docs", "lint")), id="groups that are alone"),
        pytest.param(
            ONLY_DOCS, "group dev default", Parts(only_groups=("dev", "docs")), id="the default one joins them"
        ),
        pytest.param(ONLY_DOCS, " ", MAIN_AND_DOCS, id="the project joins them"),
        pytest.param(
            ONLY_DOCS,
            "extra plot",
            Parts(groups=("docs",), no_default_groups=True, extras=("plot",)),
            id="an extra is nothing without the project",
        ),
        pytest.param(DEFAULT_PARTS, " ", DEFAULT_PARTS, id="the project is there"),
        pytest.param(NO_DEV, " ", NO_DEV, id="the project says nothing about groups"),
        pytest.param(Parts(extras=("z",)), "extra a", Parts(extras=("a", "z")), id="another extra"),
        pytest.param(Parts(all_extras=True), "extra a", Parts(all_extras=True), id="all extras are there"),
    ],
)
def test_a_part_that_is_added_to_is_there_and_the_others_stay(before: Parts, added: str, after: Parts) -> None:
    kind, name, *default = added.split(" ")
    assert with_part(before, kind, name, is_default=bool(default)) == after
    assert with_part(after, kind, name, is_default=bool(default)) == after
    assert parse_parts(format_parts(after)) == after
