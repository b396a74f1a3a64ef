"""Options that several commands share: which list is edited, which parts are asked for, which settings hold once."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from pyvstore.cli.app import run_app
from pyvstore.cli.choices import PART_FLAGS, PART_VALUES, SETTING_VALUES, parts_from, settings_from, table_from
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.errors import UsageError
from pyvstore.model.parts import Parts
from pyvstore.requirements.settings import Settings, flags_layer, merge_settings


@pytest.mark.parametrize(
    ("group", "optional", "dev", "table"),
    [
        (None, None, False, "project.dependencies"),
        ("docs", None, False, "dependency-groups.docs"),
        ("Docs.Build_2", None, False, "dependency-groups.docs-build-2"),
        (None, None, True, "dependency-groups.dev"),
        ("Dev", None, True, "dependency-groups.dev"),
        (None, "Plot", False, "project.optional-dependencies.plot"),
    ],
)
def test_options_name_the_list_that_is_edited(group: str | None, optional: str | None, dev: bool, table: str) -> None:
    assert table_from(group, optional, dev=dev) == table


@pytest.mark.parametrize(
    ("group", "optional", "dev"),
    [("docs", "plot", False), ("docs", None, True), (None, "plot", True), (None, "dev", True), ("dev", "dev", False)],
)
def test_one_edit_is_of_one_list(group: str | None, optional: str | None, dev: bool) -> None:
    with pytest.raises(UsageError) as caught:
        table_from(group, optional, dev=dev)
    assert (caught.value.code, caught.value.exit_code) == ("usage", 2)
    assert caught.value.hint == "use one of them"


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "-a", "a-", "é", "a\n", "a/b", "\x1b[31m"])
@pytest.mark.parametrize("option", ["--group", "--optional"])
@pytest.mark.parametrize("command", ["add", "remove"])
def test_a_list_has_a_name_that_every_tool_takes(command: str, option: str, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_app(Globals(), [command, option, name, "rich"], Console())
    assert caught.value.code == "usage"
    assert caught.value.message.startswith(f"{option}: ")
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"extra": ["B", "a", "b"]}, Parts(extras=("a", "b"))),
        ({"group": ["Type_Check"], "dev": True}, Parts(groups=("dev", "type-check"))),
        ({"no_group": ["docs"], "no_dev": True}, Parts(without_groups=("dev", "docs"))),
        ({"only_group": ["docs"], "only_dev": True}, Parts(only_groups=("dev", "docs"))),
        ({"only_group": ["docs"], "no_default_groups": True}, Parts(only_groups=("docs",), no_default_groups=True)),
        ({"only_group": ["docs"], "no_group": ["dev"]}, Parts(only_groups=("docs",), without_groups=("dev",))),
        ({"all_extras": True, "all_groups": True}, Parts(all_extras=True, all_groups=True)),
        ({"all_groups": True, "no_group": ["docs"]}, Parts(all_groups=True, without_groups=("docs",))),
        ({"group": ["docs"], "no_group": ["docs"]}, Parts(groups=("docs",), without_groups=("docs",))),
    ],
)
def test_options_name_the_parts_that_are_asked_for(given: Mapping[str, Any], parts: Parts) -> None:
    assert parts_from(given) == parts


NOTHING: dict[str, object] = {key: [] for key in PART_VALUES.values()} | dict.fromkeys(PART_FLAGS.values(), False)


@pytest.mark.parametrize("given", [{}, NOTHING, {"python": "3.12", "frozen": True}])
def test_options_that_name_no_part_leave_the_choice_to_the_command(given: Mapping[str, Any]) -> None:
    assert parts_from(given) is None


@pytest.mark.parametrize("only", [{"only_group": ["docs"]}, {"only_dev": True}])
@pytest.mark.parametrize(
    "other", [{"extra": ["x"]}, {"all_extras": True}, {"group": ["docs"]}, {"all_groups": True}, {"dev": True}]
)
def test_one_group_alone_and_something_else_contradict_each_other(
    only: Mapping[str, Any], other: Mapping[str, Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        parts_from({**only, **other})
    assert (caught.value.code, caught.value.exit_code) == ("usage", 2)
    assert caught.value.hint == "use several --only-group, or --group"


@pytest.mark.parametrize("option", [*PART_FLAGS, *PART_VALUES])
def test_every_option_of_parts_asks_for_something(option: str) -> None:
    given = {PART_FLAGS[option]: True} if option in PART_FLAGS else {PART_VALUES[option]: ["docs"]}
    assert parts_from(given) not in (None, Parts())


def test_settings_for_this_once_are_those_that_were_given() -> None:
    given = {"resolution": "lowest", "prereleases": None, "exclude_newer": "", "python": "3.12"}
    assert settings_from(given) == {"resolution": "lowest", "exclude_newer": ""}


@pytest.mark.parametrize("option", SETTING_VALUES)
def test_a_setting_for_this_once_is_one_of_the_settings_and_wins(option: str) -> None:
    value = {"resolution": "lowest", "prereleases": "allow", "exclude_newer": "2026-01-31"}[SETTING_VALUES[option]]
    settings = merge_settings([flags_layer(**settings_from({SETTING_VALUES[option]: value}))])
    changed = getattr(settings, SETTING_VALUES[option])
    assert value in (changed, getattr(changed, "text", None))
    assert changed != getattr(Settings(), SETTING_VALUES[option])
    with pytest.raises(UsageError, match=re.escape(option)):
        flags_layer(**settings_from({SETTING_VALUES[option]: "no such value"}))
