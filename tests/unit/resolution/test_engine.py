"""What the user's choices do to an answer, and what the engine asks of its source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from typing_extensions import override

from pyvstore.errors import BuildError, FetchError, InternalError, ResolutionError, WheelError
from pyvstore.events import Event, Resolving, Warned
from pyvstore.resolution.answer import Resolution
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Builds, Policy, Preference, Prereleases, RootRequirement, Strategy
from pyvstore.resolution.search import Attempt
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published, chosen

Projects = Mapping[str, Mapping[str, Any]]
ONE = Lattice(requires_python="==3.12.1", platforms=("linux-x86_64",))
MANY = Lattice(requires_python=">=3.12", newest=(3, 14))


class Listener:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        self.events.append(event)


def answer(projects: Projects | MemorySource, *lines: str, lattice: Lattice = ONE, **rest: Any) -> Resolution:
    policy = {key: rest.pop(key) for key in list(rest) if key in Policy.__slots__}
    return resolve(
        [RootRequirement(requirement=Requirement(line)) for line in lines],
        universe=Universe.of(lattice),
        source=projects if isinstance(projects, MemorySource) else MemorySource(projects),
        policy=Policy(**policy),
        **rest,
    )


def pins(projects: Projects | MemorySource, *lines: str, lattice: Lattice = ONE, **rest: Any) -> dict[str, str]:
    return chosen(answer(projects, *lines, lattice=lattice, **rest).packages)


def requirements(*lines: str) -> tuple[Requirement, ...]:
    return tuple(map(Requirement, lines))


# --- versions ---------------------------------------------------------------------------------------------------


def test_the_newest_final_release_is_chosen() -> None:
    assert pins({"a": {"1": [], "2": [], "3a1": []}}, "a") == {"a": "2"}


def test_a_prerelease_is_chosen_where_nothing_else_will_do() -> None:
    assert pins({"a": {"1": [], "3a1": []}}, "a>1") == {"a": "3a1"}


def test_prereleases_can_be_treated_like_any_version() -> None:
    assert pins({"a": {"1": [], "3a1": []}}, "a", prereleases=Prereleases.ALLOW) == {"a": "3a1"}


def test_prereleases_can_be_shut_out_even_from_old_pins() -> None:
    projects: Projects = {"a": {"1": [], "3a1": []}}
    found = pins(projects, "a", prereleases=Prereleases.DISALLOW, preferences={NormalizedName("a"): ("3a1",)})
    assert found == {"a": "1"}


def test_the_lowest_versions_can_be_asked_for() -> None:
    projects: Projects = {"a": {"1": ["b"], "2": ["b"]}, "b": {"1": [], "2": []}}
    assert pins(projects, "a", strategy=Strategy.LOWEST) == {"a": "1", "b": "1"}
    assert pins(projects, "a", strategy=Strategy.LOWEST_DIRECT) == {"a": "1", "b": "2"}


def test_the_lowest_version_is_one_for_all_where_one_will_do() -> None:
    projects: Projects = {"a": {"1": Published(requires_python="<3.13"), "2": Published()}}
    assert pins(projects, "a", lattice=MANY, strategy=Strategy.LOWEST) == {"a": "2"}


def test_old_pins_stay_where_they_still_will_do() -> None:
    projects: Projects = {"a": {"1": [], "2": [], "3": []}, "b": {"1": ["a>=2"], "2": ["a>=2"]}}
    assert pins(projects, "a", preferences={NormalizedName("a"): ("1", "not a version", "9")}) == {"a": "1"}
    assert pins(projects, "a", "b", preferences={NormalizedName("a"): ("1",)}) == {"a": "3", "b": "2"}


def test_an_old_pin_is_kept_where_it_was_used() -> None:
    old = {
        NormalizedName("a"): (Preference("1", "sys_platform == 'win32'"), Preference("2", "sys_platform != 'win32'"))
    }
    projects: Projects = {"a": {"1": [], "2": [], "3": []}}
    result = answer(projects, "a", lattice=MANY, preferences=old, regions=("sys_platform == 'win32'",))
    assert {p.version: p.marker for p in result.packages} == {
        "1": "sys_platform == 'win32'",
        "2": "sys_platform != 'win32'",
    }
    assert result.regions == ("sys_platform == 'win32'", "sys_platform != 'win32'")


def test_a_yanked_version_is_passed_over() -> None:
    assert pins({"a": {"1": [], "2": Published(yanked=True)}}, "a") == {"a": "1"}


@pytest.mark.parametrize("options", [{}, {"constraints": requirements("a==2")}])
def test_a_yanked_version_is_used_when_the_project_names_it_exactly(options: dict[str, Any]) -> None:
    projects: Projects = {"a": {"1": [], "2": Published(yanked=True)}, "b": {"1": ["a==2"]}}
    assert pins(projects, "a" if options else "a==2", "b", **options) == {"a": "2", "b": "1"}


def test_a_yanked_version_is_kept_when_it_was_locked() -> None:
    projects: Projects = {"a": {"1": [], "2": Published(yanked=True)}}
    assert pins(projects, "a", preferences={NormalizedName("a"): ("2",)}) == {"a": "2"}


def test_constraints_bound_without_requiring() -> None:
    projects: Projects = {"a": {"1": ["b"]}, "b": {"1": [], "2": []}, "c": {"1": []}}
    assert pins(projects, "a", constraints=requirements("b<2", "c==1")) == {"a": "1", "b": "1"}


def test_a_constraint_with_a_marker_splits_where_it_must() -> None:
    projects: Projects = {"a": {"1": Published(), "2": Published()}}
    result = answer(
        projects,
        "a",
        "a>=2; sys_platform != 'win32'",
        lattice=MANY,
        constraints=requirements("a<2; sys_platform == 'win32'"),
    )
    assert {p.version: p.marker for p in result.packages} == {
        "1": "sys_platform == 'win32'",
        "2": "sys_platform != 'win32'",
    }


def test_a_constraint_that_does_not_concern_an_environment_is_ignored_there() -> None:
    assert pins({"a": {"1": [], "2": []}}, "a", constraints=requirements("a<2; sys_platform == 'win32'")) == {"a": "2"}


def test_overrides_replace_every_requirement_on_their_name() -> None:
    projects: Projects = {"a": {"1": ["b[x]<2"]}, "b": {"1": [], "3": Published(extras={"x": ["c"]})}, "c": {"1": []}}
    found = pins(projects, "a", "b<2", overrides=requirements("b>=3", "b>=9; sys_platform == 'win32'"))
    assert found == {"a": "1", "b": "3", "c": "1"}


def test_excluded_projects_are_dropped_wherever_they_are_required() -> None:
    projects: Projects = {"a": {"1": ["b", "c"]}, "c": {"1": []}}
    assert pins(projects, "a", "b", excluded=frozenset({NormalizedName("b")})) == {"a": "1", "c": "1"}


# --- files ------------------------------------------------------------------------------------------------------


def test_a_version_without_a_usable_wheel_is_no_candidate() -> None:
    projects: Projects = {"a": {"1": [], "2": Published(tags=("cp312-cp312-win_amd64",), sdist=True)}}
    assert pins(projects, "a") == {"a": "1"}


def test_a_source_distribution_counts_where_builds_are_allowed() -> None:
    projects: Projects = {"a": {"1": [], "2": Published(tags=(), sdist=True)}}
    result = answer(projects, "a", builds=lambda name: Builds.ALLOWED if name == "a" else Builds.LAST)
    assert chosen(result.packages) == {"a": "2"}
    assert result.packages[0].sdist is not None


def test_only_the_wheels_that_serve_are_listed() -> None:
    tags = ("cp312-cp312-win_amd64", "cp312-cp312-manylinux_2_17_x86_64", "py3-none-any")
    result = answer({"a": {"1": Published(tags=tags, sdist=True)}}, "a", builds=lambda _name: Builds.NEVER)
    assert [wheel.filename for wheel in result.packages[0].wheels] == [
        "a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "a-1-py3-none-any.whl",
    ]
    assert result.packages[0].sdist is None


def test_wheels_do_not_count_where_the_user_forbids_them() -> None:
    projects: Projects = {"a": {"1": Published(sdist=True), "2": Published()}}
    found = pins(projects, "a", builds=lambda _name: Builds.ALLOWED, wheels_allowed=lambda _name: False)
    assert found == {"a": "1"}


def test_where_files_are_a_preference_a_lock_goes_on_without_and_tells() -> None:
    projects: Projects = {"a": {"1": Published(tags=("py3-none-win_amd64",))}}
    result = answer(projects, "a", lattice=MANY, files_required_on=("sys_platform == 'win32'",))
    ((package, mask),) = result.without_wheels
    assert package.version == "1"
    assert result.universe.marker_for(mask) == "sys_platform != 'win32'"


LEFT_BEHIND: Projects = {
    "vision": {
        "1": Published(requires=["torch==1"], tags=("py3-none-macosx_11_0_x86_64", "py3-none-win_amd64")),
        "2": Published(requires=["torch==2"], tags=("py3-none-win_amd64",)),
    },
    "torch": {
        "1": Published(tags=("py3-none-macosx_11_0_x86_64", "py3-none-win_amd64")),
        "2": Published(tags=("py3-none-win_amd64",)),
    },
}
"""Releases that newer ones left behind on one kind of machine."""


def test_old_files_that_lead_nowhere_do_not_keep_a_machine_from_a_lock() -> None:
    lattice = Lattice(requires_python=">=3.12", platforms=("windows-x86_64", "macos-x86_64"))
    result = answer(LEFT_BEHIND, "torch>=2", "vision", lattice=lattice, files_required_on=())
    assert chosen(result.packages) == {"torch": "2", "vision": "2"}
    assert {result.universe.marker_for(mask) for _, mask in result.without_wheels} == {"sys_platform == 'darwin'"}


def test_old_files_that_serve_are_taken_before_none() -> None:
    lattice = Lattice(requires_python=">=3.12", platforms=("windows-x86_64", "macos-x86_64"))
    result = answer(LEFT_BEHIND, "vision", lattice=lattice, files_required_on=())
    assert {(package.name, package.version) for package in result.packages} == {
        ("torch", "1"),
        ("torch", "2"),
        ("vision", "1"),
        ("vision", "2"),
    }
    assert not result.without_wheels


def test_old_files_that_lead_nowhere_are_an_error_where_files_are_required() -> None:
    lattice = Lattice(requires_python=">=3.12", platforms=("windows-x86_64", "macos-x86_64"))
    with pytest.raises(ResolutionError, match="macos"):
        answer(LEFT_BEHIND, "torch>=2", "vision", lattice=lattice, files_required_on=("sys_platform == 'darwin'",))


def test_where_files_are_required_on_some_machines_only_those_are_strict() -> None:
    projects: Projects = {"a": {"1": Published(tags=("py3-none-win_amd64",))}}
    with pytest.raises(ResolutionError, match="usable file"):
        answer(projects, "a", lattice=MANY, files_required_on=("sys_platform == 'linux'",))


def test_where_files_are_required_a_project_that_never_had_a_wheel_may_give_its_source() -> None:
    projects: Projects = {"a": {"1": Published(tags=(), sdist=True)}}
    result = answer(projects, "a", lattice=MANY, files_required_on=("sys_platform == 'linux'",))
    (package,) = result.packages
    assert (package.version, package.without_wheels) == ("1", result.universe.full)


def test_where_files_are_required_a_version_for_others_needs_a_source_of_its_own() -> None:
    projects: Projects = {
        "a": {"1": Published(tags=("py3-none-win_amd64",)), "0": Published(tags=("py3-none-win_amd64",), sdist=True)}
    }
    strict = answer(projects, "a", lattice=MANY, files_required_on=("sys_platform == 'linux'",))
    assert "0" in {package.version for package in strict.packages}
    linux = strict.universe.marker_mask("sys_platform == 'linux'")
    assert [package.version for package in strict.packages if package.mask & linux] == ["0"]


@pytest.mark.parametrize(
    ("published", "without"),
    [
        (Published(tags=("py3-none-win_amd64",), sdist=True), "sys_platform != 'win32'"),
        (Published(tags=("py3-none-win_amd64",)), "sys_platform != 'win32'"),
        (Published(tags=("py3-none-win_amd64", "py3-none-any")), None),
        (Published(sdist=True), None),
    ],
)
def test_it_is_told_where_no_wheel_serves(published: Published, without: str | None) -> None:
    result = answer({"a": {"1": published}}, "a", lattice=MANY, files_required_on=())
    mask = result.packages[0].without_wheels
    assert (result.universe.marker_for(mask) if mask else None) == without


def test_machines_that_no_marker_tells_apart_share_one_version() -> None:
    lattice = Lattice(requires_python="==3.12.1", platforms=("linux-x86_64", "linux-x86_64-musl"))
    glibc, both = "py3-none-manylinux2014_x86_64", "py3-none-musllinux_1_1_x86_64"
    projects: Projects = {"a": {"1": Published(tags=(glibc, both)), "2": Published(tags=(glibc,))}}
    assert pins(projects, "a", lattice=lattice) == {"a": "1"}


# --- metadata ---------------------------------------------------------------------------------------------------


def test_a_python_bound_that_only_the_metadata_has_is_respected() -> None:
    projects: Projects = {"a": {"1": [], "2": Published(metadata_requires_python=">=3.13")}}
    assert pins(projects, "a") == {"a": "1"}
    result = answer(projects, "a", lattice=MANY)
    assert {p.version: p.marker for p in result.packages} == {
        "1": "python_version < '3.13'",
        "2": "python_version >= '3.13'",
    }


@pytest.mark.parametrize(
    "bad",
    [
        Published(requires=["c >="]),
        Published(requires=["c; os_name ~= '1'"]),
        Published(requires=["c @ https://index.example/c.zip"]),
        Published(failure=WheelError("the archive is broken", code="bad-archive")),
        Published(failure=BuildError("it would need a build", code="build-needed")),
    ],
)
def test_a_version_with_unusable_metadata_is_passed_over(bad: Published) -> None:
    assert pins({"a": {"1": [], "2": bad}}, "a") == {"a": "1"}


def test_a_malformed_requirement_of_an_extra_that_nobody_wants_does_no_harm() -> None:
    assert pins({"a": {"1": [], "2": ["c >=; extra == 'x'"]}}, "a") == {"a": "2"}


def test_a_failing_index_ends_the_resolution() -> None:
    with pytest.raises(FetchError, match="timed out"):
        answer({"a": {"1": Published(failure=FetchError("timed out", code="timeout"))}}, "a")


def test_a_failing_page_ends_the_resolution() -> None:
    class Failing(MemorySource):
        @override
        def releases(self, name: NormalizedName) -> Any:
            raise FetchError(f"no page for {name}", code="timeout")

    with pytest.raises(FetchError, match="no page"):
        answer(Failing({}), "a")


def test_an_extra_that_does_not_exist_is_a_warning() -> None:
    listener = Listener()
    assert pins({"a": {"1": []}}, "a[Nope_x]", reporter=listener) == {"a": "1"}
    assert [event for event in listener.events if isinstance(event, Warned)] == [
        Warned("unknown-extra", "a 1 has no extra named nope-x")
    ]
    assert Resolving("a", 1) in listener.events


LOSES_AN_EXTRA: Projects = {
    "a": {
        "1": [],
        "2": Published(extras={"x": ["b>=1"]}),
        "3": Published(extras={"x": ["b>=2"]}),
    },
    "b": {"1": []},
}


def test_stepping_back_keeps_an_extra() -> None:
    assert pins(LOSES_AN_EXTRA, "a[x]") == {"a": "2", "b": "1"}
    with pytest.raises(ResolutionError) as caught:
        pins({**LOSES_AN_EXTRA, "b": {"0": []}}, "a[x]")
    assert caught.value.code == "no-version"
    assert caught.value.causes[0] == "your project wants a[x], and a[x] wants b>=2 or b>=1"


def test_an_old_pin_without_an_extra_that_is_asked_for_now_moves() -> None:
    assert pins(LOSES_AN_EXTRA, "a[x]", preferences={NormalizedName("a"): ("1",)}) == {"a": "2", "b": "1"}
    assert pins(LOSES_AN_EXTRA, "a", preferences={NormalizedName("a"): ("1",)}) == {"a": "1"}


def test_an_extra_that_no_allowed_version_has_is_no_reason_to_refuse() -> None:
    assert pins(LOSES_AN_EXTRA, "a[x]<2") == {"a": "1"}
    bad = Published(failure=WheelError("broken", code="metadata"))
    assert pins({"a": {"1": [], "2": [], "3": bad}}, "a[x]") == {"a": "2"}


def test_an_extra_that_asks_for_another_version_of_its_own_package_moves_it() -> None:
    projects: Projects = {"a": {"1": Published(extras={"x": []}), "2": Published(extras={"x": ["a<2"]})}}
    assert pins(projects, "a[x]") == {"a": "1"}


def test_extras_come_with_names_as_people_spell_them() -> None:
    projects: Projects = {
        "Some_Thing": {"1": Published(extras={"Fast-Mode": ["Other.Thing"]})},
        "other-thing": {"1": []},
    }
    result = answer(projects, "some.thing[FAST_mode]")
    assert chosen(result.packages) == {"some-thing": "1", "other-thing": "1"}
    assert result.packages[1].extras == ("fast-mode",)


# --- the answer -------------------------------------------------------------------------------------------------


def test_an_answer_tells_which_scope_reaches_what() -> None:
    projects: Projects = {"a": {"1": ["c"]}, "b": {"1": ["c"]}, "c": {"1": []}}
    result = resolve(
        [
            RootRequirement(requirement=Requirement("a; sys_platform == 'win32'")),
            RootRequirement(requirement=Requirement("b"), origin="dependency-groups.dev", scope="group:dev"),
        ],
        universe=Universe.of(MANY),
        source=MemorySource(projects),
    )
    windows = result.universe.marker_mask("sys_platform == 'win32'")
    assert {p.name: dict(p.scopes) for p in result.packages} == {
        "a": {"": windows},
        "b": {"group:dev": result.universe.full},
        "c": {"": windows, "group:dev": result.universe.full},
    }
    assert [(scope, [edge.name for edge in edges]) for scope, edges in result.roots] == [
        ("", ["a"]),
        ("group:dev", ["b"]),
    ]


def test_a_project_without_requirements_has_an_empty_answer() -> None:
    result = answer({}, lattice=MANY)
    assert result.packages == ()
    assert len(result.environments) == 5


def test_edges_carry_markers_relative_to_their_package() -> None:
    projects: Projects = {"a": {"1": ["b; python_version < '3.13'", "c[x]"]}, "b": {"1": []}, "c": {"1": []}}
    result = answer(projects, "a; python_version < '3.13'", lattice=MANY)
    edges = result.packages[0].dependencies
    assert [(edge.name, edge.marker, edge.extras) for edge in edges] == [("b", None, ()), ("c", None, ("x",))]


def test_one_exact_point_needs_no_lattice() -> None:
    (point,) = ONE.points()
    result = resolve(
        [RootRequirement(requirement=Requirement("a"))],
        universe=Universe([point]),
        source=MemorySource(
            {"a": {"1": ["b; python_full_version < '3.12.1'"], "2": Published(requires_python=">3.12.1")}}
        ),
    )
    assert chosen(result.packages) == {"a": "1"}
    assert result.packages[0].marker is None
    machine = "sys_platform == 'linux' and platform_machine == 'x86_64' and implementation_name == 'cpython'"
    assert result.environments == (f"{machine} and python_version == '3.12'",)


def test_environments_that_nobody_named_are_left_out_where_they_have_no_answer() -> None:
    projects: Projects = {"a": {"1": Published(requires_python=">=3.11")}}
    lattice = Lattice(requires_python="", newest=(3, 14))
    assert lattice.is_open_below
    result = answer(projects, "a", lattice=lattice, may_leave_out=("python_version >= '3'",))
    assert result.packages[0].marker is None
    assert result.universe.describe(result.covered) == "Python 3.11\N{EN DASH}3.14"
    assert all("python_version >= '3.11'" in marker for marker in result.environments)
    with pytest.raises(ResolutionError, match="no matching version of a"):
        answer({"a": {"1": Published(requires_python="<3")}}, "a", lattice=lattice, may_leave_out=("os_name != ''",))


def test_a_flawed_answer_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyvstore.resolution.engine.reach_of_region", lambda *_: {})
    with pytest.raises(InternalError, match="nothing was chosen for a of the project") as caught:
        answer({"a": {"1": []}}, "a")
    assert caught.value.code == "unsound-resolution"


# --- what the source is asked -----------------------------------------------------------------------------------


def test_only_what_is_looked_at_is_read() -> None:
    source = MemorySource({"a": {str(n): ["b"] for n in range(50)}, "b": {str(n): [] for n in range(50)}})
    pins(source, "a", preferences={NormalizedName("elsewhere"): ("1",)})
    assert source.read == ["a 49", "b 49"]
    assert sorted(source.listed) == ["a", "b"]


def test_refining_the_lattice_asks_for_nothing_again() -> None:
    source = MemorySource({"a": {"1": ["b; python_full_version >= '3.12.4'"]}, "b": {"1": []}})
    result = answer(source, "a", lattice=MANY)
    assert len(result.universe.points) == 20
    assert source.read == ["a 1", "b 1"]
    assert sorted(source.listed) == ["a", "b"]


def test_the_next_projects_are_hinted_at() -> None:
    source = MemorySource({"a": {"1": ["b", "c"]}, "b": {"1": []}, "c": {"1": []}})
    pins(source, "a")
    assert source.hinted == {"a", "b", "c"}


def test_after_some_rejections_the_next_releases_are_hinted_at() -> None:
    versions: dict[str, Sequence[str]] = {f"{n}": ["b<1"] for n in range(2, 30)}
    source = MemorySource({"a": {**versions, "1": []}, "b": {"0": [], "1": []}})
    assert pins(source, "a", "b>=1") == {"a": "1", "b": "1"}
    assert source.hinted_releases[:2] == ["a 26", "a 25"]


def test_a_search_that_takes_too_long_is_given_up_with_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = (Attempt(1), Attempt(2, is_optimistic=True), Attempt(3))
    monkeypatch.setattr("pyvstore.resolution.search.ATTEMPTS", attempts)
    monkeypatch.setattr("pyvstore.resolution.conflict.MAX_ROUNDS_PER_TRIAL", 2)
    chain: Projects = {f"p{n}": {"1": [f"p{n + 1}"]} for n in range(9)}
    with pytest.raises(ResolutionError, match="given up") as caught:
        answer({**chain, "p9": {"1": []}}, "p0")
    assert caught.value.code == "no-solution"


def lagging(versions: int) -> dict[str, dict[str, list[str]]]:
    """Return an index where the answer lies hundreds of versions back, on two packages in lockstep."""
    return {
        "cloud": {f"1.{n}": [f"cloud-core>=1.{n},<1.{n + 1}", "transfer"] for n in range(versions)},
        "cloud-core": {f"1.{n}": ["http<2"] if n > 10 else [] for n in range(versions)},
        "transfer": {"1": ["cloud-core"]},
        "http": {"1": [], "2": []},
        "web": {"1": ["http>=2"]},
    }


def test_an_answer_far_back_is_found() -> None:
    found = pins(lagging(400), "cloud", "web")
    assert (found["cloud"], found["cloud-core"], found["http"]) == ("1.10", "1.10", "2")


def test_an_optimistic_failure_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = (Attempt(2), Attempt(1_000, is_optimistic=True), Attempt(10_000))
    monkeypatch.setattr("pyvstore.resolution.search.ATTEMPTS", attempts)
    assert pins(lagging(400), "cloud", "web")["http"] == "2"
