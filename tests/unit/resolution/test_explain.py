"""Every conflict of ``fixtures/conflicts`` is told in full, and nothing else is named."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pyvstore.errors import BuildError, ResolutionError
from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Policy, RootRequirement
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.cases import FIXTURES, Case, answer, backwards, followed, read_case
from tests.unit.resolution.memory_source import MemorySource, Published


def refusal(
    projects: Mapping[str, Mapping[str, Published | Sequence[str]]],
    roots: Sequence[str],
    *,
    python: str = ">=3.12",
    policy: Policy | None = None,
    origin: str = "project.dependencies",
) -> ResolutionError:
    lattice = Lattice(requires_python=python)
    universe = Universe(lattice.points()[:1]) if python.startswith("==") else Universe.of(lattice)
    with pytest.raises(ResolutionError) as caught:
        resolve(
            [RootRequirement(requirement=Requirement(line), origin=origin) for line in roots],
            universe=universe,
            source=MemorySource(projects),
            policy=policy,
        )
    return caught.value


CASES = sorted(FIXTURES.glob("*.toml"))


def refused(case: Case) -> ResolutionError:
    with pytest.raises(ResolutionError) as caught:
        answer(case)
    return caught.value


def said(error: ResolutionError) -> str:
    return "\n".join([error.code, error.message, *error.causes, error.hint or ""])


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_conflict_names_every_requirement_of_it_and_nothing_unrelated(path: Path) -> None:
    case = read_case(path)
    error = refused(case)
    assert error.code == case["code"]
    told = "\n".join(error.causes).split("\n")
    assert sorted(told) == sorted(case["lines"])
    assert case.get("message", "") in error.message
    assert case.get("hint", "") in (error.hint or "")
    for name in set(case["packages"]) - set(case["about"]):
        assert not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", said(error)), f"{name} is unrelated"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_step_that_a_hint_names_is_a_way_out(path: Path) -> None:
    case = read_case(path)
    hint = refused(case).hint or ""
    steps = list(case.get("then", []))
    loosened = re.search(r"loosen or remove (?:one of )?((?:`[^`]*`(?: in `\w+`)?(?:, (?!or))?)+)", hint)
    # Each requirement of a smallest conflict is needed for it.
    texts = re.findall(r"`([^`]*)`", loosened[1]) if loosened else []
    steps += [{"without": text} for text in texts if text not in {"constraints", "overrides"}]
    assert steps
    for step in steps:
        words = [step[key] for key in ("toml", "without", "more", "instead") if key in step]
        words += [f'requires-python = "{step["python"]}"'] if "python" in step else []
        words += [f"{item}` out of `{key}" for key, item in step.get("taken", {}).items()]
        for text in words:
            assert f"`{text}`" in hint, f"{text} is not in: {hint}"
        answer(followed(case, step))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_order_of_nothing_changes_what_is_said(path: Path) -> None:
    case = read_case(path)
    assert said(refused(backwards(case))) == said(refused(case))


def test_the_place_of_a_requirement_is_told_when_it_is_not_the_ordinary_one() -> None:
    error = refusal({}, ["nothing"], origin="dependency-groups.dev")
    assert error.causes[0] == "your project wants nothing (in dependency-groups.dev)"


def test_versions_that_want_different_things_are_told_apart() -> None:
    error = refusal(
        {"a": {"1": ["b<1"], "2": ["b>=5"], "3": ["b>=6"], "4": ["b>=7"]}, "b": {"3": []}},
        ["a", "b"],
    )
    assert error.code == "no-version"
    assert error.causes[0] == "your project wants a, and a wants b>=7 or b>=6 or b>=5 or others"


def test_a_version_that_alone_has_the_requirement_is_named() -> None:
    error = refusal({"a": {"1": ["b>=5"], "2": ["c>=5"]}, "b": {"3": []}, "c": {"3": []}}, ["a"])
    assert error.causes[0].split("\n") == [
        "your project wants a, and a 1 wants b>=5",
        "your project wants a, and a 2 wants c>=5",
    ]


def test_packages_that_require_impossible_versions_of_each_other_are_told() -> None:
    error = refusal({"a": {"1": ["b==2"]}, "b": {"1": [], "2": ["a==2"]}}, ["a"])
    assert error.code == "no-solution"
    assert "your project wants a, a wants b==2, and b==2 wants a==2" in error.causes[0].split("\n")


def test_a_malformed_requirement_makes_its_version_unusable_and_is_quoted() -> None:
    error = refusal({"a": {"1": ["b >="]}}, ["a"])
    assert error.code == "no-usable-version"
    assert error.causes[1] == "a 1 is unusable: its requirement 'b >=' is malformed"


def test_a_direct_reference_below_makes_its_version_unusable() -> None:
    error = refusal({"a": {"1": ["b @ https://index.example/b-1.zip"]}}, ["a"])
    assert error.code == "no-usable-version"
    assert "direct references are not supported" in error.causes[1]


def test_a_version_that_needs_a_build_says_so() -> None:
    error = refusal(
        {"a": {"1": Published(failure=BuildError("its metadata needs a build", code="build-needed"))}}, ["a"]
    )
    assert error.causes[1] == "a 1 is unusable: its metadata needs a build"


def test_a_version_without_any_file_is_told() -> None:
    error = refusal({"a": {"1": Published(tags=())}}, ["a"], python="==3.12.1")
    assert (error.code, error.causes[1]) == ("no-wheel", "a 1 is without files")
    assert error.hint == "allow other versions of a, or use another Python"


SOURCE_ONLY = Published(tags=(), sdist=True, failure=BuildError("it is known only when built", code="build-required"))


@pytest.mark.parametrize(
    ("projects", "roots", "hint"),
    [
        ({"a": {"1": SOURCE_ONLY}}, ["a"], "remove a from your project"),
        (
            {"a": {"1": SOURCE_ONLY, "2": []}},
            ["a<2"],
            "let in a version that serves there: `a>=2`, or remove a from your project",
        ),
        (
            {"a": {"1": Published(extras={"x": ["b"]}), "0": []}, "b": {"1": SOURCE_ONLY}},
            ["a[x]"],
            'loosen or remove `a[x]`, or do without it by `exclude = ["b"]` in [tool.pyvstore]',
        ),
    ],
)
def test_what_would_have_to_be_built_is_named_with_the_way_out(
    projects: Mapping[str, Mapping[str, Published | Sequence[str]]], roots: list[str], hint: str
) -> None:
    error = refusal(projects, roots, policy=Policy(files_required_on=()))
    assert error.code == "no-wheel"
    assert error.causes[1].endswith(" 1 is available as a source distribution alone")
    assert error.hint == f"source distributions are not built yet: {hint}"


def test_where_wheels_do_not_count_the_missing_sdist_is_told() -> None:
    error = refusal({"a": {"1": []}}, ["a"], python="==3.12.1", policy=Policy(wheels_allowed=lambda _name: False))
    assert error.causes[1] == "a 1 is without a source distribution, and `no-binary` shuts out its wheels"


def test_a_python_bound_that_only_the_metadata_has_is_told() -> None:
    error = refusal({"a": {"1": Published(metadata_requires_python=">=3.13")}}, ["a"], python="==3.12.1")
    assert (error.code, error.causes[1]) == ("no-python", "a 1 is for Python >=3.13")


def test_an_empty_project_is_told() -> None:
    error = refusal({"a": {}}, ["a"])
    assert error.causes[1] == "a has no versions"


def test_hints_mention_working_offline() -> None:
    assert "--offline" in (refusal({}, ["a"], policy=Policy(offline=True)).hint or "")


def test_a_direct_reference_of_the_project_is_refused_by_its_own_code() -> None:
    error = refusal({}, ["a @ https://index.example/a-1.zip"])
    assert error.code == "url-requirement"


def test_no_environment_at_all_is_refused() -> None:
    error = refusal({"a": {"1": []}}, ["a"], python=">=3.99")
    assert error.code == "no-python"


def test_an_innocent_crowd_does_not_hide_the_culprits() -> None:
    crowd = {f"p{i}": {"1": [f"p{j}" for j in range(i + 1, min(i + 4, 60))]} for i in range(60)}
    projects: dict[str, Mapping[str, Published | Sequence[str]]] = {
        **crowd,
        "x": {"1": ["z<2"]},
        "y": {"1": ["z>=2"]},
        "z": {"1": [], "2": []},
        "p59": {"1": ["x"]},
    }
    error = refusal(projects, [*(f"p{i}" for i in range(0, 60, 7)), "y", "p59"])
    assert error.causes[0].split("\n") == [
        "your project wants p59, p59 wants x, and x wants z<2",
        "your project wants y, and y wants z>=2",
    ]


def test_a_conflict_that_would_take_too_long_to_reduce_is_told_with_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pyvstore.resolution.conflict.MAX_ROUNDS", 14)
    empty: list[str] = []
    projects = {"a": {"1": ["z<2"]}, "b": {"1": ["z>=2"]}, "z": {"1": empty, "2": empty}, "c": {"1": empty}}
    error = refusal(projects, ["a", "b", "c"])
    assert error.code == "no-solution"
    assert "your project wants a, and a wants z<2" in error.causes[0]
    assert "your project wants b, and b wants z>=2" in error.causes[0]
