"""The spellings that are written into pyproject.toml and pylock.toml."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.requirements.text import (
    format_marker,
    format_requirement,
    format_specifiers,
    parse_marker,
    show_text,
    with_lower_bound,
)

_VERSIONS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "1!"]),
    st.lists(st.integers(0, 99), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts))),
    st.sampled_from(["", "a1", "rc2"]),
    st.sampled_from(["", ".post3", ".dev4", ".post1.dev2"]),
).map(Version)
_SPECIFIERS = st.lists(
    st.builds("{}{}".format, st.sampled_from([">=", ">", "<", "<=", "==", "!="]), _VERSIONS), max_size=4
).map(lambda parts: SpecifierSet(",".join(parts)))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("numpy", "numpy"),
        ("Foo.Bar_baz", "foo-bar-baz"),
        ("foo <2, >=1", "foo>=1,<2"),
        ("foo!=1.5,<2,>=1", "foo>=1,<2,!=1.5"),
        ("foo (==1.*)", "foo==1.*"),
        ("foo[Zed,a_b]", "foo[a-b,zed]"),
        ('foo>=1;python_version<"3.11"', "foo>=1 ; python_version < '3.11'"),
        ('foo ; os_name == "it\'s"', 'foo ; os_name == "it\'s"'),
        (
            "foo @ https://files.example/foo.whl ; os_name == 'nt'",
            "foo @ https://files.example/foo.whl ; os_name == 'nt'",
        ),
    ],
)
def test_a_requirement_has_one_spelling(text: str, canonical: str) -> None:
    assert format_requirement(Requirement(text)) == canonical
    assert format_requirement(Requirement(canonical)) == canonical


@given(_SPECIFIERS)
def test_a_written_specifier_reads_back_as_the_same_bounds(specifiers: SpecifierSet) -> None:
    assert SpecifierSet(format_specifiers(specifiers)) == specifiers


@pytest.mark.parametrize("text", ["'x' in extras and os_name == 'nt'", 'os_name == "it\'s"', "os_name == 'say \"no\"'"])
def test_a_written_marker_reads_back_as_the_same_marker(text: str) -> None:
    assert Marker(format_marker(Marker(text))) == Marker(text)


def test_equal_marker_texts_are_parsed_once() -> None:
    assert parse_marker("os_name == 'nt'") is parse_marker("os_name == 'nt'")


@pytest.mark.parametrize(
    ("version", "bound"),
    [
        ("2.5.5", ">=2.5.5"),
        ("1!2.0rc1", ">=1!2.0rc1"),
        ("2.0+cpu", ">=2.0"),
        ("2.0.post1", ">=2.0.post1"),
        ("2.0.dev3", ">=2.0.dev3"),
    ],
)
def test_a_bare_requirement_gets_the_chosen_version_as_its_lower_bound(version: str, bound: str) -> None:
    bounded = with_lower_bound(Requirement("torch[opt] ; os_name == 'nt'"), Version(version))
    assert format_requirement(bounded) == f"torch[opt]{bound} ; os_name == 'nt'"


@pytest.mark.parametrize("text", ["numpy<3", "numpy==2.*", "numpy @ https://files.example/numpy.whl"])
def test_a_requirement_that_bounds_something_stays_as_it_is(text: str) -> None:
    assert with_lower_bound(Requirement(text), Version("2.5")) == Requirement(text)


@given(_VERSIONS)
def test_the_chosen_version_always_satisfies_its_own_lower_bound(version: Version) -> None:
    bounded = with_lower_bound(Requirement("foo"), version)
    assert bounded.specifier.contains(version, prereleases=True)


def test_bounding_does_not_change_its_argument() -> None:
    requirement = Requirement("numpy")
    with_lower_bound(requirement, Version("2"))
    assert str(requirement) == "numpy"


def test_a_text_with_a_url_is_not_shown() -> None:
    assert "secret" not in show_text("foo @ https://user:secret@files.example/x y")
    assert show_text("foo\x1b") == "'foo\\x1b'"
