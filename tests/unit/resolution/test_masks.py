"""Texts to masks and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.platforms import PLATFORM_CLASSES
from pyvstore.resolution.boundaries import marker_boundaries, specifier_boundaries
from pyvstore.resolution.lattice import CPYTHON, PYPY, Lattice
from pyvstore.resolution.lenient import lenient_specifier
from pyvstore.resolution.requirement import concerns_another_extra, parse_requirement
from pyvstore.resolution.universe import Universe

LATTICE = Lattice(
    requires_python=">=3.9",
    newest=(3, 14),
    platforms=("linux-x86_64", "linux-aarch64", "macos-arm64", "windows-x86_64"),
    implementations=(CPYTHON, PYPY),
    boundaries=frozenset({"3.9.7", "3.9.8", "3.11.4"}),
)
UNIVERSE = Universe.of(LATTICE)

atoms = st.one_of(
    st.builds(
        "sys_platform {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(["linux", "darwin", "win32"])
    ),
    st.builds("platform_machine {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(["x86_64", "arm64"])),
    st.builds(
        "python_version {} '{}'".format,
        st.sampled_from(["<", ">=", "=="]),
        st.sampled_from(["3.9", "3.10", "3.11", "3.14"]),
    ),
    st.builds(
        "python_full_version {} '{}'".format, st.sampled_from(["<", ">=", "!="]), st.sampled_from(["3.9.7", "3.11.4"])
    ),
    st.just("implementation_name == 'pypy'"),
    st.just("os_name == 'nt'"),
    st.just("'linux' in sys_platform"),
)
markers = st.recursive(
    atoms, lambda inner: st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or"]), inner), max_leaves=5
)
masks = st.builds(lambda texts: _either(texts), st.lists(markers, min_size=1, max_size=4))


def _either(texts: list[str]) -> int:
    mask = 0
    for text in texts:
        mask |= UNIVERSE.marker_mask(text)
    return mask


def _holds(text: str, point: TargetEnvironment) -> bool:
    return Marker(text).evaluate(dict(point.markers))


# --- universe ---------------------------------------------------------------------------------------------------


@given(markers)
@settings(max_examples=150, deadline=None)
def test_a_mask_agrees_with_its_marker_at_every_point(text: str) -> None:
    mask = UNIVERSE.marker_mask(text)
    for position, point in enumerate(UNIVERSE.points):
        assert bool(mask >> position & 1) == _holds(text, point)


@given(masks, masks)
@settings(max_examples=150, deadline=None)
def test_a_mask_becomes_a_marker_that_agrees_with_it_wherever_it_matters(mask: int, care: int) -> None:
    if not mask & care:
        return
    text = UNIVERSE.marker_for(mask, care)
    if text is None:
        assert mask & care == care
        return
    for position, point in enumerate(UNIVERSE.points):
        if care >> position & 1:
            assert _holds(text, point) == bool(mask >> position & 1)


def test_markers_are_as_short_as_the_supported_environments_allow() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.10"))
    for text in (
        "sys_platform == 'win32'",
        "sys_platform != 'linux'",
        "python_version < '3.12'",
        "python_version == '3.12'",
        "python_version >= '3.11' and python_version < '3.13'",
        "python_version < '3.11' and sys_platform == 'linux' and platform_machine == 'aarch64'",
    ):
        mask = universe.marker_mask(text)
        found = universe.marker_for(mask)
        assert found is not None
        assert len(found) <= len(text)
        assert universe.marker_mask(found) == mask


def test_a_marker_that_separates_nothing_is_not_written() -> None:
    assert UNIVERSE.marker_for(UNIVERSE.full) is None
    assert Universe(UNIVERSE.points[:1]).marker_for(1) is None


def test_what_no_marker_can_say_is_refused() -> None:
    twins = Universe.of(Lattice(requires_python="==3.12.1", platforms=("linux-x86_64", "linux-x86_64-musl")))
    with pytest.raises(ValueError, match="no marker"):
        twins.marker_for(1)
    assert twins.inseparable(1) == 0
    assert twins.inseparable(3) == 3


def test_a_patch_cut_puts_release_candidates_on_its_upper_side() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.11,<3.12", boundaries=frozenset({"3.11.4"})))
    below = universe.marker_for(universe.marker_mask("python_full_version < '3.11.4'"))
    above = universe.marker_for(universe.marker_mask("python_full_version >= '3.11.4'"))
    assert (below, above) == ("python_full_version < '3.11.4.dev0'", "python_full_version >= '3.11.4.dev0'")
    candidate = {**universe.points[0].markers, "python_full_version": "3.11.4rc1"}
    assert [Marker(text or "").evaluate(candidate) for text in (below, above)] == [False, True]


def test_an_extra_is_a_context_and_not_a_place() -> None:
    text = "extra == 'Fast_Mode' and sys_platform == 'linux'"
    assert UNIVERSE.marker_mask(text) == 0
    assert UNIVERSE.marker_mask(text, "fast-mode") == UNIVERSE.marker_mask("sys_platform == 'linux'")


@given(st.sampled_from([">=3.9.7", "!=3.9.7", "<3.11.4,>=3.10", "==3.12.*", "~=3.11.4", ">3.9", "<=3.14"]))
def test_a_python_bound_agrees_with_every_point(text: str) -> None:
    mask = UNIVERSE.requires_python_mask(text)
    for position, point in enumerate(UNIVERSE.points):
        assert bool(mask >> position & 1) == SpecifierSet(text).contains(point.python_full_version)
    assert UNIVERSE.requires_python_mask(None) == UNIVERSE.full


def test_wheel_tags_are_places() -> None:
    def where(tags: str) -> str | None:
        mask = UNIVERSE.tags_mask(tags)
        return UNIVERSE.marker_for(mask) if mask else "nowhere"

    assert where("py2.py3-none-any") is None
    assert where("py2-none-any") == "nowhere"
    assert where("py3-none-WIN_amd64") == "sys_platform == 'win32'"
    assert where("cp311-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64") == (
        "python_version >= '3.11' and platform_machine == 'x86_64' and implementation_name == 'cpython'"
    )
    assert where("pp310-pypy310_pp73-macosx_11_0_arm64") == (
        "python_version == '3.10' and sys_platform == 'darwin' and implementation_name == 'pypy'"
    )


def test_environments_are_disjoint_and_cover_what_they_should() -> None:
    covered = UNIVERSE.marker_mask("python_version >= '3.11' or sys_platform == 'linux'")
    texts = UNIVERSE.environments(covered)
    for position, point in enumerate(UNIVERSE.points):
        assert sum(_holds(text, point) for text in texts) == (covered >> position & 1)


def test_environments_of_exact_points_name_their_pythons() -> None:
    points = Lattice(requires_python=">=3.12,<3.14", platforms=("macos-arm64",)).points()
    machine = "sys_platform == 'darwin' and platform_machine == 'arm64' and implementation_name == 'cpython'"
    assert Universe(points).environments() == (f"{machine} and (python_version == '3.12' or python_version == '3.13')",)


def test_environments_with_a_hole_are_said_in_parentheses() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.10", platforms=("linux-x86_64",)))
    (text,) = universe.environments(universe.marker_mask("python_version != '3.11' and python_version != '3.13'"))
    assert text.endswith(")")
    assert universe.marker_mask(text) == universe.marker_mask("python_version != '3.11' and python_version != '3.13'")


def test_environments_are_described_in_words() -> None:
    assert UNIVERSE.describe(UNIVERSE.full) == "Python 3.9\N{EN DASH}3.14"
    some = UNIVERSE.marker_mask(
        "python_version in '3.9 3.10 3.12' and os_name == 'nt' and implementation_name != 'pypy'"
    )
    assert UNIVERSE.describe(some) == "Python 3.9\N{EN DASH}3.10, 3.12 on windows-x86_64"
    assert Universe(UNIVERSE.points[:1]).describe(1) == "Python 3.9 on linux-x86_64"
    pypy = UNIVERSE.marker_mask("implementation_name == 'pypy' and platform_machine == 'aarch64'")
    assert UNIVERSE.describe(pypy).endswith("on linux-aarch64 (pypy)")


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (
            "python_version >= '3.13' or (python_version >= '3.12' and sys_platform == 'darwin')",
            "Python 3.12-3.13 on macos-arm64 and Python 3.13 on linux-x86_64, windows-x86_64",
        ),
        (
            "(python_version < '3.12' and os_name == 'nt') or (python_version >= '3.12' and sys_platform == 'linux')",
            "Python 3.11 on windows-x86_64 and Python 3.12-3.13 on linux-x86_64",
        ),
        ("sys_platform != 'linux'", "Python 3.11-3.13 on macos-arm64, windows-x86_64"),
        ("python_version != '3.12'", "Python 3.11, 3.13"),
    ],
)
def test_machines_with_different_pythons_are_described_apart(marker: str, words: str) -> None:
    platforms = ("linux-x86_64", "macos-arm64", "windows-x86_64")
    universe = Universe.of(Lattice(requires_python=">=3.11,<3.14", platforms=platforms))
    described = universe.describe(universe.marker_mask(marker))
    assert described.replace("\N{EN DASH}", "-") == words


def test_texts_that_would_cut_an_interval_are_remembered_and_cut_it() -> None:
    universe = Universe.of(Lattice(requires_python=">=3.10"))
    universe.marker_mask("python_full_version < '3.9.2' or python_version < '3.11.2' or python_full_version < '3.12'")
    assert universe.wanted == set()
    universe.marker_mask("python_full_version < '3.11.2'")
    universe.requires_python_mask("!=3.12.5,>=2.7.9,<4.0.1")
    assert universe.wanted == {"3.11.2", "3.12.5", "3.12.6"}
    finer = universe.refined()
    assert len(finer.points) == len(universe.points) + 3 * 5
    finer.marker_mask("python_full_version < '3.11.2'")
    assert finer.wanted == set()


def test_exact_points_want_no_cuts() -> None:
    universe = Universe(UNIVERSE.points[:1])
    universe.marker_mask("python_full_version < '3.11.2'")
    assert universe.wanted == set()
    assert universe.refined() is universe


# --- lattice ----------------------------------------------------------------------------------------------------


def test_a_lattice_has_a_point_for_each_platform_and_python() -> None:
    points = Lattice(requires_python=">=3.12", newest=(3, 14)).points()
    assert len(points) == 15
    assert {point.python_minor for point in points} == {"3.12", "3.13", "3.14"}
    assert all(point.tags for point in points)


def test_requires_python_cuts_where_it_names_a_patch_release() -> None:
    assert list(map(str, Lattice(requires_python=">=3.10.1,!=3.11.4,<3.13").pythons())) == [
        "3.10.1",
        "3.11.0",
        "3.11.5",
        "3.12.0",
    ]
    assert list(map(str, Lattice(requires_python="==3.12.1").pythons())) == ["3.12.1"]
    assert Lattice(requires_python=">=3.99").points() == ()


def test_environment_markers_narrow_a_lattice_and_cut_it() -> None:
    lattice = Lattice(
        requires_python=">=3.13",
        newest=(3, 14),
        environments=("sys_platform == 'linux' and python_full_version < '3.13.2'", "sys_platform == 'win32'"),
    )
    found = {(p.markers["platform_machine"], p.markers["python_full_version"]) for p in lattice.points()}
    assert found == {
        ("x86_64", "3.13.0"),
        ("aarch64", "3.13.0"),
        ("AMD64", "3.13.0"),
        ("AMD64", "3.13.2"),
        ("AMD64", "3.14.0"),
    }


def test_a_project_without_a_lower_bound_is_open_below() -> None:
    assert Lattice().is_open_below
    assert Lattice(requires_python=">=0").is_open_below
    assert not Lattice(requires_python=">=3.8").is_open_below


@pytest.mark.parametrize("name", sorted(PLATFORM_CLASSES))
def test_every_platform_class_runs_its_own_wheels(name: str) -> None:
    (point,) = Lattice(requires_python="==3.12.1", platforms=(name,)).points()
    assert any(tag.startswith("cp312-cp312-") for tag in point.tags)
    assert "py3-none-any" in point.tags
    assert len(point.markers) == 11


# --- boundaries -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">=3.9.2", {"3.9.2"}),
        ("<3.9.2", {"3.9.2"}),
        ("~=3.9.2", {"3.9.2"}),
        (">3.9.2", {"3.9.3"}),
        ("<=3.9.2", {"3.9.3"}),
        ("==3.9.2", {"3.9.2", "3.9.3"}),
        ("!=3.9.2.*", {"3.9.2", "3.9.3"}),
        (">=3.9", set()),
        ("==3.9.*", set()),
        ("<3.11.0a7", set()),
        ("<=3.11.4rc1", {"3.11.4"}),
        (">=3.8.1, <4.0, != 3.9.7", {"3.8.1", "3.9.7", "3.9.8"}),
        (">=x.y.z", set()),
    ],
)
def test_boundaries_of_a_specifier(text: str, expected: set[str]) -> None:
    assert specifier_boundaries(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('python_full_version < "3.11.3"', {"3.11.3"}),
        ("'3.11.3' < python_full_version", {"3.11.4"}),
        ("'3.11.3' >= python_full_version", {"3.11.4"}),
        ("python_full_version in '3.9.1, 3.9.4'", {"3.9.1", "3.9.2", "3.9.4", "3.9.5"}),
        ("implementation_version >= '3.10.2' and python_version < '3.11.3'", {"3.10.2"}),
        ("python_version >= '3.8.1'", set()),
    ],
)
def test_boundaries_of_a_marker(text: str, expected: set[str]) -> None:
    assert marker_boundaries(text) == expected


@given(
    st.sampled_from([">=", "<", "~=", ">", "<=", "==", "!="]),
    st.integers(0, 9),
    st.sampled_from(["", "rc1", "a2"]),
    st.integers(0, 30),
)
def test_a_specifier_is_constant_between_its_boundaries(operator: str, patch: int, suffix: str, probe: int) -> None:
    text = f"{operator}3.10.{patch}{suffix}"
    cuts = sorted(map(Version, specifier_boundaries(text)))
    version = Version(f"3.10.{probe}")
    start = max([Version("3.10.0"), *(cut for cut in cuts if cut <= version)])
    specifier = SpecifierSet(text)
    assert specifier.contains(version, prereleases=True) == specifier.contains(start, prereleases=True)


# --- texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=3.6.*", "3.6.1", "3.5"),
        (">= 3.6.*, <4", "3.9", "4.1"),
        (">=3.7,nonsense", "3.7", "3.6"),
        ("<3.*", "2.7", "3.1"),
    ],
)
def test_old_python_bounds_are_understood_as_far_as_possible(text: str, inside: str, outside: str) -> None:
    assert lenient_specifier(text).contains(inside)
    assert not lenient_specifier(text).contains(outside)


def test_requirements_are_normalised() -> None:
    parsed = parse_requirement("My.Thing[B_b,a] >=1 , <2 ; python_version<'3.12'")
    assert parsed.text == "my-thing[a,b-b]<2,>=1"
    assert parsed.marker_text == 'python_version < "3.12"'
    assert (parsed.is_pinned, parsed.is_capped) == (False, True)
    assert parse_requirement("x==1").is_pinned
    assert not parse_requirement("x==1.*").is_pinned
    assert parse_requirement("x @ https://index.example/x.zip").text == "x @ https://index.example/x.zip"


@pytest.mark.parametrize(
    ("line", "extra", "expected"),
    [
        ("a; extra == 'x'", "", True),
        ("a; extra == 'x'", "x", False),
        ('a; python_version < "3" and extra == "X_y"', "x-y", False),
        ("a; extra == 'x' or os_name == 'nt'", "", False),
        ("a; extra != 'x'", "", False),
        ("a; python_version < '3'", "", False),
        ("extra-thing", "", False),
    ],
)
def test_lines_of_other_extras_are_known_by_their_text(line: str, extra: str, expected: bool) -> None:
    assert concerns_another_extra(line, extra) is expected


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("python_full_version < '3.12.4'", "Python 3.12 before 3.12.4"),
        ("python_full_version == '3.12.4'", "Python 3.12.4"),
        ("python_full_version >= '3.12.4' and python_version < '3.13'", "Python 3.12 from 3.12.4 on"),
        ("python_full_version >= '3.12.4' and python_full_version < '3.12.7'", "Python 3.12.4\N{EN DASH}3.12.6"),
        ("python_full_version >= '3.12.4'", "Python 3.13, 3.12 from 3.12.4 on"),
        (
            "python_full_version < '3.12.4' or python_full_version >= '3.12.7'",
            "Python 3.13, 3.12 before 3.12.4, 3.12 from 3.12.7 on",
        ),
        ("python_version == '3.12'", "Python 3.12"),
        ("python_version > '3'", "Python 3.12\N{EN DASH}3.13"),
    ],
)
def test_a_part_of_a_minor_version_is_named_by_its_patch_releases(marker: str, words: str) -> None:
    lattice = Lattice(requires_python=">=3.12,<3.14", platforms=("linux-x86_64", "macos-arm64"))
    universe = Universe.of(lattice.refined({"3.12.4", "3.12.5", "3.12.7"}))
    assert universe.describe(universe.marker_mask(marker)) == words
