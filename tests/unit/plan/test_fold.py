import pytest

from pyvstore.errors import FarmError
from pyvstore.model.farm import Conflict
from pyvstore.model.manifest import EntryPoint
from pyvstore.plan.fold import Fold, Shape, fold
from tests.support.entries import LAYOUT, MemoryLibrary, MemorySource, source

SITE = LAYOUT.site_packages


def folded(*sources: MemorySource) -> Fold:
    return fold([item.source for item in sources], LAYOUT, MemoryLibrary(*sources))


def shapes(result: Fold, below: str = SITE) -> dict[str, str]:
    return {
        path[len(below) + 1 :]: item.shape.value for path, item in result.items.items() if path.startswith(below + "/")
    }


def test_a_package_of_one_entry_is_one_link() -> None:
    result = folded(source("numpy", {"numpy": {"__init__.py": "", "core.py": ""}, "numpy.libs": {"a.so": ""}}))
    assert shapes(result) == {"numpy": "link", "numpy.libs": "link"}


def test_a_namespace_is_a_real_directory_even_with_one_member() -> None:
    result = folded(source("cloud", {"google/": {"cloud": {"__init__.py": ""}}}))
    assert shapes(result) == {"google": "directory", "google/cloud": "link"}


def test_a_package_that_two_entries_fill_is_unfolded_along_the_shared_path_only() -> None:
    first = source("azure-core", {"azure": {"core": {"__init__.py": "", "a": {"x.py": ""}}}})
    second = source("azure-ext", {"azure": {"core": {"tracing": {"y.py": ""}}}})
    assert shapes(folded(first, second)) == {
        "azure": "directory",
        "azure/core": "directory",
        "azure/core/__init__.py": "link",
        "azure/core/a": "link",
        "azure/core/tracing": "link",
    }


def test_the_same_content_from_two_entries_is_no_conflict() -> None:
    first = source("one", {"nvidia": {"__init__.py": "", "a": {"x.py": "1"}}})
    second = source("two", {"nvidia": {"__init__.py": "", "b": {"y.py": "2"}}})
    result = folded(first, second)
    assert result.conflicts == ()
    assert result.items[f"{SITE}/nvidia/__init__.py"].shape is Shape.LINK


def test_init_files_that_differ_in_comments_only_are_no_conflict() -> None:
    first = source("one", {"ns": {"__init__.py": "# one\n", "a.py": ""}})
    second = source("two", {"ns": {"__init__.py": "# two\n", "b.py": ""}})
    assert folded(first, second).conflicts == ()


def test_of_different_contents_the_later_source_wins_and_both_are_named() -> None:
    first = source("base", {"shared.py": "1"})
    second = source("dependent", {"shared.py": "2"})
    result = folded(first, second)
    assert result.conflicts == (Conflict(f"{SITE}/shared.py", ("base", "dependent"), "dependent"),)
    assert result.items[f"{SITE}/shared.py"].source == second.source


def test_a_readme_in_two_entries_is_nobodys_conflict() -> None:
    assert folded(source("one", {"README.md": "1"}), source("two", {"README.md": "2"})).conflicts == ()


def test_a_file_against_a_directory_is_refused_with_both_owners() -> None:
    with pytest.raises(FarmError, match=r"tests is a directory in one and a file in two") as caught:
        folded(source("one", {"tests": {"a.py": ""}}), source("two", {"tests": "file"}))
    assert caught.value.code == "overlap-kind"


def test_launchers_lie_beside_scripts_and_the_same_launcher_twice_is_fine() -> None:
    point = EntryPoint("tool", "pkg", "main", gui=False)
    result = folded(source("one", {}, scripts=(point,)), source("two", {}, scripts=(point,)))
    assert result.items["bin/tool"].launcher == point
    assert result.conflicts == ()


def test_different_launchers_of_one_name_conflict() -> None:
    first = source("one", {}, scripts=(EntryPoint("tool", "one", "main", gui=False),))
    second = source("two", {}, scripts=(EntryPoint("tool", "two", "main", gui=False),))
    assert [conflict.path for conflict in folded(first, second).conflicts] == ["bin/tool"]


def test_data_goes_to_the_prefix_and_headers_to_the_interpreters_place() -> None:
    item = source(
        "pkg",
        {"pkg": {"__init__.py": ""}},
        prefix={"share/": {"pkg": {"x": ""}}, "include/": {"pkg": {"pkg.h": ""}}, "lib/": {"libpkg.so": ""}},
    )
    result = folded(item)
    assert result.items["share/pkg"].shape is Shape.LINK
    assert result.items["include/site/python3.12/pkg"].path == "include/pkg"
    assert result.items["lib/libpkg.so"].shape is Shape.LINK
    assert result.items["lib"].shape is Shape.DIRECTORY


def test_data_that_names_the_interpreters_own_directory_merges_with_the_packages() -> None:
    first = source("one", {"pkg": {"__init__.py": ""}})
    second = source("two", {}, prefix={"lib/": {"python3.12/": {"site-packages/": {"extra": {"x.py": ""}}}}})
    assert shapes(folded(first, second)) == {"pkg": "link", "extra": "link"}


def test_names_that_share_a_prefix_are_not_confused() -> None:
    first = source("one", {"foo": {"bar": {"x.py": ""}}, "foo-bar": {"y.py": ""}})
    second = source("two", {"foo": {"baz": {"z.py": ""}}})
    assert shapes(folded(first, second)) == {
        "foo": "directory",
        "foo/bar": "link",
        "foo/baz": "link",
        "foo-bar": "link",
    }


def test_pth_files_are_copied_fresh() -> None:
    assert shapes(folded(source("cov", {"a1_coverage.pth": "import x"}))) == {"a1_coverage.pth": "fresh"}
