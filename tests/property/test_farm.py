"""Laws of the farm, on random entries and a real disk."""

import os
import tempfile
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from pyvstore.errors import FarmError
from pyvstore.farm.apply import apply_plan
from pyvstore.farm.observe import observe
from pyvstore.model.farm import Directory, Image, Item, Link, Made
from pyvstore.model.manifest import SITE_PACKAGES
from pyvstore.plan.fold import Fold, Shape, fold
from pyvstore.plan.sync import plan_sync
from tests.support.entries import LAYOUT, MemoryLibrary, MemorySource, Tree, source

NAMES = st.sampled_from(["a", "b", "c", "a-b", "nvidia", "x.libs"])
FILES = st.sampled_from(["__init__.py", "m.py", "n.so", "data.txt"])
CONTENT = st.sampled_from(["", "1", "2"])
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(FILES, CONTENT, min_size=1, max_size=3),
    lambda inner: st.dictionaries(st.one_of(NAMES, NAMES.map(lambda name: name + "/")), inner, min_size=1, max_size=3),
    max_leaves=6,
)
SITES = st.lists(st.dictionaries(st.one_of(NAMES, NAMES.map("{}/".format)), TREES, max_size=3), min_size=1, max_size=4)


def one_name_once(tree: Tree) -> bool:
    names = [name.rstrip("/") for name in tree]
    return len(set(names)) == len(names) and all(
        isinstance(below, str) or one_name_once(below) for below in tree.values()
    )


def made_entries(sites: list[Tree]) -> list[MemorySource]:
    return [source(f"dist{number}", site) for number, site in enumerate(sites) if one_name_once(site)]


def try_fold(entries: list[MemorySource]) -> Fold | None:
    try:
        return fold([entry.source for entry in entries], LAYOUT, MemoryLibrary(*entries))
    except FarmError:
        return None


def farm_path(path: str) -> str:
    return LAYOUT.site_packages + path[len(SITE_PACKAGES) :]


def reached(result: Fold, entries: list[MemorySource]) -> Iterator[tuple[str, str]]:
    """Every (farm path, content) that the fold shows."""
    files = {entry.source.root: entry.files for entry in entries}
    for path, item in result.items.items():
        if item.shape is Shape.DIRECTORY or item.source is None:
            continue
        for inner, data in files[item.source.root].items():
            if inner == item.path:
                yield path, data.decode()
            elif inner.startswith(item.path + "/"):
                yield path + inner[len(item.path) :], data.decode()


@given(SITES)
def test_every_file_of_every_entry_is_shown_exactly_once_with_the_winners_content(sites: list[Tree]) -> None:
    entries = made_entries(sites)
    result = try_fold(entries)
    if result is None:
        return
    shown = list(reached(result, entries))
    assert len({path for path, _ in shown}) == len(shown)
    expected: dict[str, set[str]] = {}
    last: dict[str, str] = {}
    for entry in entries:
        for path, data in entry.files.items():
            expected.setdefault(farm_path(path), set()).add(data.decode())
            last[farm_path(path)] = data.decode()
    assert {path for path, _ in shown} == set(expected)
    conflicting = {conflict.path for conflict in result.conflicts}
    for path, content in shown:
        if len(expected[path]) > 1:
            assert content == last[path]
            assert path in conflicting
        else:
            assert path not in conflicting


@given(SITES)
def test_no_directory_that_two_entries_fill_is_a_link(sites: list[Tree]) -> None:
    entries = made_entries(sites)
    result = try_fold(entries)
    if result is None:
        return
    for path, item in result.items.items():
        if item.shape is not Shape.LINK:
            continue
        owners = {
            entry.source.root
            for entry in entries
            for file in entry.files
            if farm_path(file) == path or farm_path(file).startswith(path + "/")
        }
        is_file = any(farm_path(file) == path for entry in entries for file in entry.files)
        assert is_file or owners == {item.source.root if item.source else ""}


def image_of(result: Fold) -> Image:
    image: dict[str, Item] = {}
    for path, item in result.items.items():
        if item.source is None:
            image[path] = Directory()
        else:
            image[path] = Link(f"{item.source.root}/{item.path}")
    return image


def made_of(image: Image) -> dict[str, Made]:
    return {path: Made(target=item.target) if isinstance(item, Link) else Made() for path, item in image.items()}


@settings(deadline=None, max_examples=60)
@given(SITES, SITES)
def test_planning_after_applying_is_empty_and_one_farm_turns_into_any_other(
    before: list[Tree], after: list[Tree]
) -> None:
    with tempfile.TemporaryDirectory() as prefix:
        made: dict[str, Made] = {}
        for sites in (before, after):
            result = try_fold(made_entries(sites))
            if result is None:
                continue
            image = image_of(result)
            plan = plan_sync(image, observe(prefix, {*image, *made}), made, site_packages=[LAYOUT.site_packages])
            assert apply_plan(plan, prefix) is None
            made = made_of(image)
            again = plan_sync(image, observe(prefix, image), made, site_packages=[LAYOUT.site_packages])
            assert again.is_empty
            assert again.foreign == ()
            there = {
                os.path.relpath(os.path.join(place, name), prefix).replace(os.sep, "/")
                for place, directories, files in os.walk(prefix)
                for name in (*directories, *files)
            }
            assert there == set(image)
