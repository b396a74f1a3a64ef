"""What a lock means for one target."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Environment
from packaging.pylock import Pylock
from packaging.tags import Tag
from packaging.utils import NormalizedName
from packaging.version import Version
from tomli import loads

from pyvstore.errors import BuildError, LockfileError, PyvstoreError, UsageError
from pyvstore.lockfile.document import DependencyEdge, LockDocument
from pyvstore.lockfile.freeze import FrozenNames
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.lockfile.parse import parse_lock
from pyvstore.lockfile.parts import ChosenParts
from pyvstore.lockfile.refusal import explain_refusal
from pyvstore.lockfile.select import select
from pyvstore.lockfile.write import format_lock
from pyvstore.model.environment import TargetEnvironment
from pyvstore.model.parts import DEFAULT_PARTS, Parts
from pyvstore.model.selection import Selection
from tests.unit.lockfile.samples import FILES, LINUX, WINDOWS, artifact, frozen, lock, sha


def _names(selection: Selection) -> list[str]:
    return [pin.name for pin in selection.pins]


def _refusal(document: LockDocument, environment: TargetEnvironment = LINUX) -> PyvstoreError:
    with pytest.raises(PyvstoreError) as caught:
        select(document, environment)
    return caught.value


def test_a_pin_says_what_to_fetch_and_how_to_check_it() -> None:
    filename = "foo-1.0-py3-none-any.whl"
    document = lock(frozen("foo", artifacts=(artifact(filename, size_bytes=7),)), requirements=["foo"])
    (pin,) = select(document, LINUX).pins
    assert (pin.name, pin.version, pin.filename, pin.url) == ("foo", "1.0", filename, FILES + filename)
    assert (pin.sha256, pin.size_bytes, pin.dependencies, pin.direct) == (sha(filename), 7, (), True)
    assert pin.key.version == "1.0"


def test_an_empty_lock_selects_nothing() -> None:
    assert select(lock(), LINUX) == Selection(pins=())


def test_the_wheel_with_the_best_tag_of_the_target_is_taken() -> None:
    tags = ("py3-none-any", "cp312-abi3-linux_x86_64", "cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-win_amd64")
    document = lock(frozen("foo", artifacts=tuple(artifact(f"foo-1.0-{tag}.whl") for tag in tags)))
    assert select(document, LINUX).pins[0].filename == "foo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    assert select(document, WINDOWS).pins[0].filename == "foo-1.0-cp312-cp312-win_amd64.whl"


def test_the_highest_build_decides_between_equal_tags() -> None:
    builds = ("2-", "10-", "")
    document = lock(frozen("foo", artifacts=tuple(artifact(f"foo-1.0-{build}py3-none-any.whl") for build in builds)))
    assert select(document, LINUX).pins[0].filename == "foo-1.0-10-py3-none-any.whl"


def test_markers_are_those_of_the_target() -> None:
    document = lock(
        frozen("foo", "1.0", marker="sys_platform == 'win32'"), frozen("foo", "2.0", marker="sys_platform != 'win32'")
    )
    assert [pin.version for pin in select(document, LINUX).pins] == ["2.0"]
    assert [pin.version for pin in select(document, WINDOWS).pins] == ["1.0"]


def test_dependencies_come_before_their_dependents() -> None:
    document = lock(
        frozen("app", dependencies=["web", "data"]),
        frozen("data", dependencies=["zlib"]),
        frozen("web", dependencies=["data"]),
        frozen("zlib"),
    )
    selection = select(document, LINUX)
    assert _names(selection) == ["zlib", "data", "web", "app"]
    assert selection.pins[-1].dependencies == ("data", "web")


def test_the_order_is_that_of_pip_so_that_the_same_of_two_overlapping_distributions_wins() -> None:
    document = lock(
        frozen("opencv-contrib", dependencies=["arrays"]),
        frozen("opencv-plain", dependencies=["arrays"]),
        frozen("arrays"),
        frozen("images", dependencies=["opencv-plain"]),
        frozen("zero"),
    )
    # Shortest chain of dependencies below first; among equals, names backwards.
    assert _names(select(document, LINUX)) == ["zero", "arrays", "opencv-plain", "opencv-contrib", "images"]


def test_a_cycle_is_broken_by_name() -> None:
    document = lock(
        frozen("b", dependencies=["c"]), frozen("a", dependencies=["b"]), frozen("c", dependencies=["a", "c"])
    )
    assert _names(select(document, LINUX)) == ["c", "b", "a"]


def test_a_long_chain_needs_no_deep_stack() -> None:
    names = [f"p{index:05}" for index in range(3000)]
    packages = [frozen(name, dependencies=[following]) for name, following in pairwise(names)]
    assert _names(select(lock(*packages, frozen(names[-1])), LINUX)) == names[::-1]


def test_an_edge_counts_only_where_it_holds() -> None:
    document = lock(
        frozen(
            "app",
            dependencies=[
                DependencyEdge(name=NormalizedName("color"), marker="sys_platform == 'win32'"),
                DependencyEdge(name=NormalizedName("old"), version=Version("1.0")),
                DependencyEdge(name=NormalizedName("new"), version=Version("2.0")),
            ],
        ),
        frozen("color"),
        frozen("new", "1.0", marker="sys_platform == 'win32'"),
        frozen("new", "2.0", marker="sys_platform != 'win32'"),
        frozen("old", "1.0", marker="sys_platform == 'win32'"),
        frozen("old", "2.0", marker="sys_platform != 'win32'"),
    )
    for lock_read in (document, parse_lock(format_lock(document))):
        (on_linux,) = (pin for pin in select(lock_read, LINUX).pins if pin.name == "app")
        assert on_linux.dependencies == ("new",)
        (on_windows,) = (pin for pin in select(lock_read, WINDOWS).pins if pin.name == "app")
        assert on_windows.dependencies == ("color", "old")


def test_what_the_project_names_itself_is_direct() -> None:
    inputs = LockInputs(
        requirements=(
            ("dependency-groups.dev", "c"),
            ("project.dependencies", "a>=1"),
            ("project.dependencies", "b ; sys_platform == 'win32'"),
            ("project.dependencies", "not a requirement"),
            ("project.optional-dependencies.x", "d"),
        )
    )
    names = FrozenNames(extras=["x"], dependency_groups=["dev"])
    document = lock(
        frozen("a"),
        frozen("b"),
        frozen("c", without_project="'dev' in dependency_groups"),
        frozen("d"),
        frozen("e"),
        inputs=inputs,
        names=names,
    )

    def direct(environment: TargetEnvironment, parts: Parts = DEFAULT_PARTS) -> list[str]:
        selection = select(document, environment, parts)
        return sorted(pin.name for pin in selection.pins if pin.direct)

    assert direct(LINUX) == ["a"]
    assert direct(WINDOWS, Parts(extras=("x",))) == ["a", "b", "d"]
    assert direct(LINUX, Parts(groups=("dev",))) == ["a", "c"]
    assert direct(LINUX, Parts(only_groups=("dev",))) == ["c"]


def test_in_a_lock_of_another_tool_what_nobody_depends_on_is_direct() -> None:
    document = replace(lock(frozen("a", dependencies=["b"]), frozen("b"), frozen("c")), inputs=None)
    assert {pin.name for pin in select(document, LINUX).pins if pin.direct} == {"a", "c"}


def test_extras_and_groups_choose_packages() -> None:
    document = lock(
        frozen("base"),
        frozen("fast", marker="'speed-up' in extras"),
        frozen("mypy", marker="'dev' in dependency_groups"),
        frozen("docs", marker="'docs' in dependency_groups"),
        names=FrozenNames(extras=["speed-up"], dependency_groups=["dev", "docs"], default_groups=["dev"]),
    )
    assert _names(select(document, LINUX)) == ["mypy", "base"]
    assert _names(select(document, LINUX, Parts(no_default_groups=True))) == ["base"]
    without_default = Parts(extras=("SPEED.up",), groups=("docs",), no_default_groups=True)
    assert _names(select(document, LINUX, without_default)) == ["fast", "docs", "base"]


def test_an_unknown_extra_or_group_is_refused() -> None:
    document = lock(names=FrozenNames(extras=["x"]))
    with pytest.raises(UsageError, match="no extra 'y'") as caught:
        select(document, LINUX, Parts(extras=("y",)))
    assert (caught.value.code, caught.value.hint) == ("extra-unknown", "it has x")
    with pytest.raises(UsageError, match="no group 'dev'") as caught:
        select(document, LINUX, Parts(groups=("dev",)))
    assert (caught.value.code, caught.value.hint) == ("group-unknown", "it has no groups at all")


def test_no_wheel_for_the_target_names_what_is_locked() -> None:
    wheels = tuple(artifact(f"foo-1.0-cp3{minor}-cp3{minor}-win_amd64.whl") for minor in range(10, 20))
    error = _refusal(lock(frozen("foo", artifacts=wheels)))
    assert isinstance(error, LockfileError)
    assert error.code == "no-wheel"
    assert error.message == "foo 1.0 has no wheel for CPython 3.12.1 on linux x86_64"
    assert "cp310-cp310-win_amd64, cp311-cp311-win_amd64" in error.causes[0]
    assert error.causes[0].endswith("and 2 more")
    assert "foo" in str(error.hint)


def test_a_package_that_is_not_wanted_needs_no_wheel() -> None:
    windows = frozen("foo", artifacts=(artifact("foo-1.0-cp312-cp312-win_amd64.whl"),), marker="os_name == 'nt'")
    assert _names(select(lock(windows, frozen("bar")), LINUX)) == ["bar"]


@pytest.mark.parametrize("wheels", [(), (artifact("foo-1.0-cp312-cp312-win_amd64.whl"),)])
def test_a_source_distribution_is_not_built(wheels: tuple[object, ...]) -> None:
    error = _refusal(lock(frozen("foo", artifacts=(*wheels, artifact("foo-1.0.tar.gz")))))
    assert isinstance(error, BuildError)
    assert error.code == "build-required"
    assert error.message.startswith("foo 1.0 would have to be built from source")
    assert error.causes == ("builds are not supported yet",)


def test_a_wheel_is_preferred_to_the_source_distribution() -> None:
    document = lock(frozen("foo", artifacts=(artifact("foo-1.0.tar.gz"), artifact("foo-1.0-py3-none-any.whl"))))
    assert select(document, LINUX).pins[0].filename == "foo-1.0-py3-none-any.whl"


def test_a_python_that_the_lock_is_not_for_is_refused() -> None:
    error = _refusal(lock(frozen("foo"), requires_python=">=3.13,<4"))
    assert error.code == "lock-requires-python"
    assert error.message == "pylock.toml is for Python >=3.13,<4, and this is CPython 3.12.1 on linux x86_64"


def test_a_python_that_a_package_is_not_for_is_refused() -> None:
    error = _refusal(lock(frozen("bar"), frozen("foo", requires_python="<3.12")))
    assert error.code == "lock-requires-python"
    assert error.message.startswith("foo 1.0 is for Python <3.12, and this is ")


@pytest.mark.parametrize("full", ["3.14.0rc1", "3.14.0a7+", "3.14.1+"])
def test_unreleased_and_patched_pythons_are_pythons(full: str) -> None:
    markers = {**LINUX.markers, "python_full_version": full, "python_version": "3.14"}
    environment = replace(LINUX, markers=markers)
    document = lock(frozen("foo", requires_python=">=3.8"), requires_python=">=3.10")
    assert _names(select(document, environment)) == ["foo"]
    assert _refusal(lock(requires_python="<3"), environment).code == "lock-requires-python"


def test_an_environment_that_the_lock_does_not_cover_is_refused() -> None:
    document = lock(frozen("foo"), environments=["sys_platform == 'win32'", "sys_platform == 'darwin'"])
    error = _refusal(document)
    assert error.code == "lock-environment"
    assert error.message == "pylock.toml does not cover CPython 3.12.1 on linux x86_64"
    assert error.causes == ("it covers sys_platform == 'win32'", "it covers sys_platform == 'darwin'")
    assert "pyvstore lock" in str(error.hint)
    assert _names(select(document, WINDOWS)) == ["foo"]


def test_two_versions_for_one_environment_are_refused() -> None:
    document = lock(
        frozen("foo", "1.0", marker="os_name == 'posix'"), frozen("foo", "2.0", marker="sys_platform == 'linux'")
    )
    error = _refusal(document)
    assert error.code == "lock-ambiguous"
    assert error.message.startswith("pylock.toml has both foo 1.0 and 2.0 for ")


def test_an_entry_from_elsewhere_is_refused_when_it_is_wanted() -> None:
    text = 'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "foo"\ndirectory = { path = "." }\n'
    error = _refusal(parse_lock(text))
    assert (error.code, error.message) == ("lock-source", "foo is locked as a directory, which is not supported yet")
    assert select(parse_lock(text + "marker = \"os_name == 'nt'\""), LINUX).pins == ()


@pytest.mark.parametrize("marker", ["extra == 'x'", "extras == 'x'", "dependency_groups != 'x'"])
def test_a_marker_without_meaning_is_refused(marker: str) -> None:
    error = _refusal(lock(frozen("foo", marker=marker)))
    assert (error.code, error.exit_code) == ("lock-invalid", 1)
    assert all(cause.isprintable() for cause in error.causes)


def test_the_refusal_looks_no_further_than_the_rules_did() -> None:
    document = lock(frozen("aaa", requires_python="<3"), frozen("foo", marker="extra == 'x'"))
    assert _refusal(document).code == "lock-requires-python"


def test_a_refusal_for_a_reason_unknown_to_us_is_passed_on() -> None:
    error = explain_refusal(lock(frozen("foo")), LINUX, ChosenParts(), "a new\x1b rule")
    assert (error.code, error.causes) == ("lock", ("'a new\\x1b rule'",))


_MARKERS = st.sampled_from(
    [None, None, "sys_platform == 'win32'", "sys_platform != 'win32'", "python_version < '3.13'"]
)
_TAGS = st.lists(
    st.sampled_from(
        ["py3-none-any", "py2.py3-none-any", "cp312-cp312-win_amd64", "cp312-abi3-linux_x86_64.manylinux_2_28_x86_64"]
    ),
    unique=True,
    min_size=1,
)
_PACKAGES = st.lists(
    st.builds(
        lambda name, version, marker, tags, python: frozen(
            name,
            version,
            marker=marker,
            requires_python=python,
            artifacts=tuple(artifact(f"{name}-{version}-{tag}.whl") for tag in tags),
        ),
        st.sampled_from("abc"),
        st.sampled_from(["1.0", "2.0"]),
        _MARKERS,
        _TAGS,
        st.sampled_from([None, ">=3.8", "<3.12"]),
    ),
    max_size=4,
    unique_by=lambda package: (package.name, package.marker),
)


@settings(max_examples=150)
@given(_PACKAGES, st.sampled_from([LINUX, WINDOWS]))
def test_the_selection_is_that_of_packaging(packages: list[object], environment: TargetEnvironment) -> None:
    document = lock(*packages)  # type: ignore[arg-type]
    pylock = Pylock.from_dict(loads(format_lock(document)))
    markers: Environment = {**environment.markers}  # type: ignore[typeddict-item]
    try:
        chosen = pylock.select(environment=markers, tags=[Tag(*tag.split("-")) for tag in environment.tags])
        expected = {(package.name, source.filename) for package, source in chosen}  # type: ignore[union-attr]
    except Exception:  # noqa: BLE001 - any refusal of theirs must be a refusal of ours
        assert _refusal(document, environment).code in {"no-wheel", "lock-ambiguous", "lock-requires-python"}
    else:
        assert {(pin.name, pin.filename) for pin in select(document, environment).pins} == expected
