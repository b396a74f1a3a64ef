from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.errors import UsageError
from pyvstore.interpreter.request import may_contain, parse_request, parse_version_request


@pytest.mark.parametrize(
    ("text", "specifier", "implementation"),
    [
        ("3", "==3.*", None),
        ("3.12", "==3.12.*", None),
        ("3.12.1", "==3.12.1", None),
        ("python3.12", "==3.12.*", None),
        ("cpython3.12", "==3.12.*", "CPython"),
        ("cpython@3.12", "==3.12.*", "CPython"),
        ("CPython-3.12.1", "==3.12.1", "CPython"),
        ("pypy", "", "PyPy"),
        ("pypy3.10", "==3.10.*", "PyPy"),
        ("3.15.0a2", "==3.15.0a2", None),
        (">=3.11", ">=3.11", None),
        ("~=3.11", "~=3.11", None),
        ("pypy>=3.9, <3.11", ">=3.9,<3.11", "PyPy"),
    ],
)
def test_versions_are_read_in_every_spelling(text: str, specifier: str, implementation: str | None) -> None:
    request = parse_request(text)
    assert (request.specifier, request.implementation) == (SpecifierSet(specifier), implementation)
    assert (request.text, request.place, request.free_threaded) == (text, None, None)


def test_a_free_threaded_build_is_asked_for_with_a_letter() -> None:
    assert parse_request("3.13t").free_threaded
    assert parse_request("3.13t").specifier == SpecifierSet("==3.13.*")


@pytest.mark.parametrize("text", ["./venv", "/usr/bin/python3", "~", ".", "3.12/bin/python", ".venv", "python3.12-dbg"])
def test_anything_else_is_a_place(text: str) -> None:
    assert parse_request(text).place == text


@pytest.mark.parametrize("text", ["", "  ", "3.12\n", "\x1b[31m", "a\0b"])
def test_what_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_request(text)
    assert caught.value.code == "python-request"
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize("text", ["", ">=", ">=x", "system", "3.12-dev", "3.12.1.1.1"])
def test_what_is_no_version_is_no_version_request(text: str) -> None:
    assert parse_version_request(text) is None


@pytest.mark.parametrize(
    ("text", "version", "allowed", "prereleases"),
    [
        ("3.15", "3.15.0a1", True, True),
        (">=3.15", "3.15.0a1", True, False),
        (">=3.15a1", "3.15.0a1", True, True),
        ("3.15.0a1", "3.15.0a1", True, True),
        ("3.15.0a1", "3.15.0a2", False, True),
        ("3.15.0", "3.15.0a2", True, True),
    ],
)
def test_prereleases_count_as_what_they_precede(text: str, version: str, allowed: bool, prereleases: bool) -> None:
    request = parse_request(text)
    assert (request.allows(Version(version)), request.prereleases) == (allowed, prereleases)


@pytest.mark.parametrize(
    ("specifier", "minor", "expected"),
    [
        (">=3.12.4", (3, 12), True),
        ("<3.12.4", (3, 12), True),
        ("==3.12.4", (3, 12), True),
        ("==3.12.*", (3, 13), False),
        (">=3.8,<3.10", (3, 10), False),
        ("!=3.12.0", (3, 12), True),
        ("!=3.12.*", (3, 12), False),
        ("", (3, 9), True),
    ],
)
def test_a_series_is_ruled_out_only_as_a_whole(specifier: str, minor: tuple[int, int], expected: bool) -> None:
    assert may_contain(SpecifierSet(specifier), minor) is expected


CLAUSES = st.builds(
    lambda operator, minor, patch: f"{operator}3.{minor}.{patch}",
    st.sampled_from([">=", "<", "<=", ">", "==", "!=", "~="]),
    st.integers(11, 13),
    st.integers(0, 6),
)


@given(st.lists(CLAUSES, max_size=3), st.integers(11, 13))
def test_a_series_is_ruled_out_exactly_when_none_of_its_versions_fits(clauses: list[str], minor: int) -> None:
    specifier = SpecifierSet(",".join(clauses))
    fits = any(specifier.contains(f"3.{minor}.{patch}") for patch in range(12))
    assert may_contain(specifier, (3, minor)) is fits
