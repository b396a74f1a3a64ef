"""Wheel file names as text, held against packaging's own reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName, parse_wheel_filename

from pyvstore.lockfile.filenames import build_number, check_filename, expand_tags, parse_wheel_version, tag_triple

_PART = st.from_regex(r"[A-Za-z0-9_.]{1,6}", fullmatch=True)
_TAG = st.lists(st.from_regex(r"[a-zA-Z_][a-z0-9_]{0,4}", fullmatch=True), min_size=1, max_size=3).map(".".join)


@given(_PART, _PART, st.none() | st.from_regex(r"[0-9][a-z0-9]{0,2}", fullmatch=True), _TAG, _TAG, _TAG)
def test_what_is_accepted_is_accepted_by_packaging_with_the_same_meaning(
    name: str, version: str, build: str | None, python: str, abi: str, platform: str
) -> None:
    filename = "-".join(part for part in (name, version, build, python, abi, platform) if part is not None) + ".whl"
    normalized = NormalizedName(name.lower().replace("_", "-").replace(".", "-"))
    try:
        found = parse_wheel_version(filename, normalized)
    except ValueError:
        return
    expected_name, expected_version, expected_build, expected_tags = parse_wheel_filename(filename)
    assert (found, normalized) == (expected_version, expected_name)
    assert set(expand_tags(tag_triple(filename))) == set(map(str, expected_tags))
    assert build_number(filename) == (expected_build or (-1, ""))


@pytest.mark.parametrize(
    ("filename", "tags"),
    [
        ("foo-1.0-py2.py3-none-any.whl", {"py2-none-any", "py3-none-any"}),
        ("foo-1.0-2b-CP312-cp312-Linux_x86_64.whl", {"cp312-cp312-linux_x86_64"}),
    ],
)
def test_a_compressed_tag_stands_for_all_its_combinations(filename: str, tags: set[str]) -> None:
    assert set(expand_tags(tag_triple(filename))) == tags


@pytest.mark.parametrize(
    ("filename", "reason"),
    [
        ("foo-1.0-py3-none-any.whl/..", "characters"),
        (".foo-1.0-py3-none-any.whl", "characters"),
        ("foo-1.0-py3-none-any.whl\n", "characters"),
        ("foo-1.0-py3-none-any.zip", "is not that of a wheel"),
        ("foo-1.0-x-py3-none-any.whl", "is not that of a wheel"),
        ("f__oo-1.0-py3-none-any.whl", "is not that of a wheel"),
        ("foo-1.0-" + "py3." * 60 + "py3-none-any.whl", "longer than 255"),
        ("foo-1.0-" + ".".join(f"a{i}-b{i}-c{i}" for i in range(1)) + ".whl", "wheel of bar"),
        ("foo-1.0-3py-none-any.whl", "malformed tag"),
        (
            "bar-1.0-" + "-".join(".".join(f"{letter}{i}" for i in range(9)) for letter in "abc") + ".whl",
            "too many tags",
        ),
    ],
)
def test_what_is_no_wheel_of_the_project_is_refused(filename: str, reason: str) -> None:
    project = NormalizedName("bar" if reason in {"wheel of bar", "too many tags"} else "foo")
    with pytest.raises(ValueError, match=reason):
        parse_wheel_version(filename, project)


@given(st.text(max_size=12))
def test_an_accepted_file_name_is_one_visible_component(filename: str) -> None:
    try:
        check_filename(filename)
    except ValueError:
        return
    assert filename.isascii()
    assert filename.isprintable()
    assert filename[0] != "."
    assert not set(filename) & set("/\\: ")


def test_wheels_without_a_build_tag_sort_before_those_with_one() -> None:
    keys = [build_number(f"foo-1.0-{build}py3-none-any.whl") for build in ("", "1-", "2-", "10-", "10a-")]
    assert keys == sorted(keys)
    assert len(set(keys)) == 5
