"""Whether a lock still answers the project."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pyvstore.lockfile.freshness import explain_stale, lock_inputs, preferences
from pyvstore.lockfile.inputs import LockInputs, digest
from pyvstore.lockfile.parse import parse_lock
from pyvstore.lockfile.write import format_lock
from pyvstore.requirements.project import parse_project
from pyvstore.requirements.settings import Settings, flags_layer, merge_settings, project_layer
from tests.unit.lockfile.samples import INDEX, frozen, lock

_OLD = LockInputs(
    requirements=(("project.dependencies", "numpy>=2"), ("project.dependencies", "rich")),
    requires_python=">=3.11",
    index_urls=(INDEX,),
)


def test_the_inputs_are_what_the_project_and_the_settings_say() -> None:
    project = parse_project(
        {
            "project": {
                "name": "x",
                "requires-python": "<4,>=3.11",
                "dependencies": ["Rich", "numpy >=2", "rich"],
                "optional-dependencies": {"Fast_Math": ["numba"]},
            },
            "dependency-groups": {"dev": ["mypy", {"include-group": "Test"}], "test": ["pytest;os_name=='nt'"]},
        }
    )
    layers = [
        flags_layer(index_url="https://me:secret@index.example/simple", resolution="lowest"),
        project_layer({"tool": {"pyvstore": {"environments": ['os_name=="posix"']}}}),
    ]
    settings = merge_settings(layers)
    inputs = lock_inputs(project, settings)
    assert inputs == LockInputs(
        requirements=(
            ("dependency-groups.dev", "mypy"),
            ("dependency-groups.dev", "pytest ; os_name == 'nt'"),
            ("dependency-groups.test", "pytest ; os_name == 'nt'"),
            ("project.dependencies", "numpy>=2"),
            ("project.dependencies", "rich"),
            ("project.optional-dependencies.fast-math", "numba"),
        ),
        requires_python=">=3.11,<4",
        index_urls=(INDEX,),
        settings=(("resolution", "lowest"),),
        environments=("os_name == 'posix'",),
    )


def test_a_project_that_asks_for_nothing_has_inputs_too() -> None:
    inputs = lock_inputs(parse_project({"project": {"name": "x"}}), merge_settings([]))
    assert (inputs.requirements, inputs.requires_python, inputs.settings, len(inputs.index_urls)) == ((), "", (), 1)


def test_the_digest_never_changes_for_the_same_inputs() -> None:
    assert digest(_OLD) == "sha256:b0b33542bd40a93efc020368dd3733fe6ec17dc777858a04ac5fde02868dfea8"


@pytest.mark.parametrize(
    "change",
    [
        {"requirements": ()},
        {"requires_python": ">=3.12"},
        {"index_urls": ()},
        {"settings": (("resolution", "lowest"),)},
        {"environments": ("os_name == 'nt'",)},
    ],
)
def test_every_input_changes_the_digest_and_is_explained(change: dict[str, Any]) -> None:
    new = replace(_OLD, **change)
    assert digest(new) != digest(_OLD)
    assert explain_stale(lock(inputs=_OLD), new)


def test_a_lock_of_the_same_inputs_is_fresh_also_after_writing_and_reading() -> None:
    document = lock(frozen("numpy", "2.5"), frozen("rich"), inputs=_OLD)
    assert explain_stale(document, _OLD) == ()
    assert explain_stale(parse_lock(format_lock(document)), _OLD) == ()


def test_each_change_is_a_sentence() -> None:
    new = LockInputs(
        requirements=(
            ("dependency-groups.dev", "pytest"),
            ("project.dependencies", "numpy>=2.1"),
            ("project.dependencies", "polars"),
        ),
        requires_python=">=3.12",
        index_urls=("https://other.example/simple/",),
        settings=(("resolution", "lowest"),),
        environments=("os_name == 'posix'",),
    )
    assert explain_stale(lock(inputs=_OLD), new) == (
        "pytest was added to dependency-groups.dev",
        "numpy>=2 became numpy>=2.1 in project.dependencies",
        "polars was added to project.dependencies",
        "rich was removed from project.dependencies",
        "requires-python changed from >=3.11 to >=3.12",
        "the index changed from https://index.example/simple/ to https://other.example/simple/",
        "the list of environments changed from none to os_name == 'posix'",
        "the setting resolution changed from the default to lowest",
    )
    assert explain_stale(lock(inputs=new), replace(new, requires_python="", settings=())) == (
        "requires-python changed from >=3.12 to any Python",
        "the setting resolution changed from lowest to the default",
    )


def test_no_default_groups_at_all_is_a_change_of_the_setting() -> None:
    project = parse_project({"project": {"name": "x"}, "dependency-groups": {"dev": [], "none": []}})

    def inputs(*groups: str) -> LockInputs:
        return lock_inputs(project, Settings(default_groups=groups))

    unset = lock_inputs(project, Settings())
    assert explain_stale(lock(inputs=unset), inputs()) == ("the setting default-groups changed from the default to []",)
    assert explain_stale(lock(inputs=inputs()), unset) == ("the setting default-groups changed from [] to the default",)
    assert explain_stale(lock(inputs=inputs()), inputs("none")) == (
        "the setting default-groups changed from [] to none",
    )


def test_what_a_project_that_names_itself_asks_for_is_recorded() -> None:
    table = {"name": "app", "dependencies": ["base"]}
    table["optional-dependencies"] = {"docs": ["sphinx"], "all": ["app[docs]; sys_platform == 'win32'"]}  # type: ignore[assignment]
    found = lock_inputs(
        parse_project({"project": table, "dependency-groups": {"dev": ["app[docs]"]}}), Settings()
    ).requirements
    assert found == (
        ("dependency-groups.dev", "base"),
        ("dependency-groups.dev", "sphinx"),
        ("project.dependencies", "base"),
        ("project.optional-dependencies.all", "sphinx ; sys_platform == 'win32'"),
        ("project.optional-dependencies.docs", "sphinx"),
    )


def test_a_lock_of_another_tool_is_stale() -> None:
    document = replace(lock(), inputs=None, input_digest=None, created_by="some\x1btool")
    assert explain_stale(document, _OLD) == (
        "it was written by 'some\\x1btool' and does not say what it was made from",
    )


@pytest.mark.parametrize("digest_text", [None, "sha256:0"])
def test_inputs_whose_digest_does_not_fit_are_an_edit_by_hand(digest_text: str | None) -> None:
    document = replace(lock(inputs=_OLD), input_digest=digest_text)
    (reason,) = explain_stale(document, _OLD)
    assert "changed by hand or by a merge" in reason


def test_inputs_in_another_order_are_an_edit_by_hand() -> None:
    document = lock(inputs=replace(_OLD, requirements=_OLD.requirements[::-1]))
    (reason,) = explain_stale(document, _OLD)
    assert "changed by hand or by a merge" in reason


def test_a_record_that_cannot_be_read_as_a_requirement_is_shown_as_it_is() -> None:
    document = lock(inputs=replace(_OLD, requirements=(("project.dependencies", "?"), *_OLD.requirements)))
    assert explain_stale(document, _OLD) == ("? was removed from project.dependencies",)


def test_entries_with_different_markers_are_different_entries() -> None:
    old = LockInputs(requirements=(("project.dependencies", "a ; os_name == 'nt'"),))
    new = LockInputs(requirements=(("project.dependencies", "a"),))
    assert explain_stale(lock(inputs=old), new) == (
        "a was added to project.dependencies",
        "a ; os_name == 'nt' was removed from project.dependencies",
    )
    broken = LockInputs(requirements=(("project.dependencies", "a !"),))
    assert explain_stale(lock(inputs=broken), new) == (
        "a was added to project.dependencies",
        "a ! was removed from project.dependencies",
    )


def test_the_next_lock_prefers_what_is_locked() -> None:
    document = lock(
        frozen("a"), frozen("b", "1.9", marker="os_name == 'nt'"), frozen("b", "1.10", marker="os_name != 'nt'")
    )
    assert preferences(document) == {
        "a": ((Version("1.0"), None),),
        "b": ((Version("1.10"), "os_name != 'nt'"), (Version("1.9"), "os_name == 'nt'")),
    }


def test_an_entry_without_a_version_is_no_preference() -> None:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "foo"\ndirectory = { path = "." }\n'
    assert preferences(parse_lock(text)) == {}


_TEXTS = st.lists(st.sampled_from(["a", "a>=1", "b", "b ; os_name == 'nt'", "c<2"]), unique=True)
_INPUTS = st.builds(
    lambda main, dev, python: LockInputs(
        requirements=tuple(
            sorted(
                [("project.dependencies", text) for text in main] + [("dependency-groups.dev", text) for text in dev]
            )
        ),
        requires_python=python,
    ),
    _TEXTS,
    _TEXTS,
    st.sampled_from(["", ">=3.12"]),
)


@given(_INPUTS, _INPUTS)
def test_a_lock_is_fresh_exactly_for_the_inputs_it_was_made_from(old: LockInputs, new: LockInputs) -> None:
    assert (explain_stale(lock(inputs=old), new) == ()) == (old == new)
