"""Adding to and removing from dependency lists."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pyvstore.errors import ProjectError, UsageError
from pyvstore.requirements.edits import EditAction, apply_edits, closest_name, plan_add, plan_remove

_NAMES = st.lists(st.from_regex(r"[a-z]{1,3}(-[a-z]{1,2})?", fullmatch=True), unique=True, max_size=6)


def _added(existing: Sequence[object], text: str) -> tuple[object, ...]:
    return apply_edits(existing, [plan_add(existing, Requirement(text))])


@pytest.mark.parametrize(
    ("existing", "new", "after"),
    [
        ([], "numpy", ["numpy"]),
        (["attrs", "rich"], "numpy>=2", ["attrs", "numpy>=2", "rich"]),
        (["attrs", "rich"], "zope.event", ["attrs", "rich", "zope-event"]),
        (["Attrs>=1", "Rich"], "numpy", ["Attrs>=1", "numpy", "Rich"]),
        (["rich", "attrs"], "numpy", ["rich", "attrs", "numpy"]),
        (["numpy>=1"], "NumPy<3", ["numpy<3"]),
        (["NumPy >=1"], "numpy", ["NumPy >=1"]),
        (["numpy>=1"], "numpy[test]", ["numpy[test]>=1"]),
        (["numpy[a]>=1"], "numpy[b]", ["numpy[a,b]>=1"]),
        (["numpy[a]>=1"], "numpy>=2", ["numpy[a]>=2"]),
        (["foo ; os_name == 'nt'"], "foo>=2", ["foo ; os_name == 'nt'", "foo>=2"]),
        (["foo>=1 ; os_name=='nt'"], 'foo>=2; os_name == "nt"', ["foo>=2 ; os_name == 'nt'"]),
    ],
)
def test_adding_replaces_the_same_entry_or_keeps_the_order(existing: list[object], new: str, after: list[str]) -> None:
    assert list(_added(existing, new)) == after


def test_an_entry_that_already_says_it_is_left_as_the_user_wrote_it() -> None:
    edit = plan_add(["NumPy  >= 2"], Requirement("numpy>=2"))
    assert (edit.action, edit.text) == (EditAction.KEEP, "NumPy  >= 2")


def test_includes_in_a_group_keep_their_places() -> None:
    include = {"include-group": "test"}
    assert _added([include, "attrs", "rich"], "mypy") == (include, "attrs", "mypy", "rich")
    assert _added(["attrs", include], "mypy") == ("attrs", "mypy", include)
    assert _added([include], "mypy") == (include, "mypy")


def test_an_entry_that_stands_twice_is_not_guessed_about() -> None:
    with pytest.raises(ProjectError, match="numpy stands in the list 2 times") as caught:
        plan_add(["numpy>=1", "NumPy<3"], Requirement("numpy"))
    assert caught.value.code == "pyproject"


@pytest.mark.parametrize("existing", [["attrs", "foo=1"], ["foo @ https://me:secret@h/ x"]])
def test_an_entry_that_cannot_be_read_is_named_by_its_index(existing: list[object]) -> None:
    for plan in (lambda: plan_add(existing, Requirement("rich")), lambda: plan_remove(existing, "attrs")):
        with pytest.raises(ProjectError, match=f"entry {len(existing) - 1} of the list") as caught:
            plan()
        assert "secret" not in caught.value.message


def test_removing_takes_every_entry_of_the_name() -> None:
    existing = ["foo>=1 ; os_name == 'nt'", "rich", "Foo>=2 ; os_name != 'nt'", {"include-group": "foo"}]
    edits = plan_remove(existing, "FOO")
    assert [edit.index for edit in edits] == [2, 0]
    assert apply_edits(existing, edits) == ("rich", {"include-group": "foo"})


def test_removing_an_unknown_name_offers_one_that_is_spelled_alike() -> None:
    with pytest.raises(UsageError, match="does not require 'nunpy'") as caught:
        plan_remove(["numpy>=2", "rich"], "nunpy")
    assert (caught.value.code, caught.value.hint) == ("requirement-unknown", "did you mean `numpy`?")


def test_removing_a_name_unlike_all_others_says_what_is_there() -> None:
    with pytest.raises(UsageError) as caught:
        plan_remove(["rich>=13", "attrs"], "numpy")
    assert caught.value.hint == "it requires rich, attrs"
    with pytest.raises(UsageError) as caught:
        plan_remove([], "numpy")
    assert caught.value.hint == "it requires nothing"
    assert closest_name("numpy", ["rich"]) is None


@given(_NAMES, st.from_regex(r"[a-z]{1,3}(-[a-z]{1,2})?", fullmatch=True))
def test_a_sorted_list_stays_sorted(names: list[str], new: str) -> None:
    after = _added(sorted(names), new)
    assert list(after) == sorted({*names, new})


@given(_NAMES, st.from_regex(r"[A-Z][a-z]{3}", fullmatch=True))
def test_adding_and_removing_again_gives_the_list_back(names: list[str], new: str) -> None:
    added = _added(list(names), new)
    assert apply_edits(added, plan_remove(added, new)) == tuple(names)
