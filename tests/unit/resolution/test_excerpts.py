"""A failure is proved with few versions, few searches and no requests; the proof is as good as with all versions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from pyvstore.errors import ResolutionError
from pyvstore.events import SILENT
from pyvstore.resolution import conflict as reduction
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.conflict import _Reduction
from pyvstore.resolution.engine import _Run, resolve
from pyvstore.resolution.excerpt import Excerpt, Excerpts
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import Policy, RootRequirement
from pyvstore.resolution.requirement import ParsedRequirement
from pyvstore.resolution.search import Effort
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published
from tests.unit.resolution.test_properties import LATTICE, Index, indexes, root_lists


def roots_of(lines: Iterable[str]) -> list[RootRequirement]:
    return [RootRequirement(requirement=Requirement(line)) for line in lines]


def begun(index: Index, lines: Sequence[str]) -> _Reduction:
    """Return a reduction that knows all there is to know of a project on its first point, failing there or not."""
    universe = Universe.of(LATTICE)
    catalogue = Catalogue(source=MemorySource(index), universe=universe, policy=Policy(), reporter=SILENT)
    run = _Run(roots_of(lines), catalogue, {}, ())
    reduction = _Reduction(catalogue, run.question, run.inclinations)
    reduction.settle_on(universe.full)
    return reduction


def with_all_versions(
    _self: Excerpts, _roots: Iterable[ParsedRequirement], links: Collection[tuple[str, str]]
) -> Excerpt:
    return Excerpt(frozenset(links))


@given(indexes, root_lists, st.randoms())
@settings(max_examples=100, deadline=None)
def test_one_version_of_each_kind_proves_what_all_of_them_prove(index: Index, lines: list[str], random: Random) -> None:
    trial = begun(index, lines)
    links = sorted(trial._links)
    some = random.sample(links, random.randint(0, len(links)))
    roots = random.sample(range(len(lines)), random.randint(1, len(lines)))
    few = trial._fails(roots, some, trial._point)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Excerpts, "of", with_all_versions)
        every = trial._fails(roots, some, trial._point)
    assert (few is None) == (every is None)


def text_of(index: Index, lines: Sequence[str]) -> str:
    try:
        resolve(roots_of(lines), universe=Universe.of(LATTICE), source=MemorySource(index))
    except ResolutionError as error:
        return "\n".join([error.code, error.message, *error.causes, error.hint or ""])
    return ""


@given(indexes, root_lists, st.randoms())
@settings(max_examples=60, deadline=None)
def test_a_refusal_reads_the_same_whatever_the_order_of_what_it_is_about(
    index: Index, lines: list[str], random: Random
) -> None:
    shuffled = {
        name: {
            version: Published(
                requires=random.sample(list(one.requires), len(one.requires)),
                extras=one.extras,
                requires_python=one.requires_python,
            )
            for version, one in random.sample(sorted(versions.items()), len(versions))
        }
        for name, versions in random.sample(sorted(index.items()), len(index))
    }
    assert text_of(shuffled, random.sample(lines, len(lines))) == text_of(index, lines)


# ── what it costs ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def efforts(monkeypatch: pytest.MonkeyPatch) -> list[Effort]:
    """The work of every reduction in the test."""
    found: list[Effort] = []

    def counted() -> Effort:
        found.append(Effort())
        return found[-1]

    monkeypatch.setattr(reduction, "Effort", counted)
    return found


MANY = 60
"""Versions of both sides of a contradiction: all pairs would be 3,600."""


def crowd(size: int) -> dict[str, Mapping[str, Published | Sequence[str]]]:
    """Return a contradiction between many versions, and ``size`` bystanders that everybody wants."""
    idle = {f"idle{n}": {"1": [f"idle{m}" for m in range(n + 1, min(n + 4, size))]} for n in range(size)}
    return {
        **idle,
        "frame": {f"{n}": ["theme>=30", "idle0"] for n in range(1, MANY)},
        "theme": {f"{n}": ["idle1"] for n in range(1, MANY)},
        "tool": {"1": ["frame", "idle2"]},
    }


@pytest.mark.parametrize("size", [4, 40])
def test_the_work_of_an_explanation_grows_with_the_conflict_and_hardly_with_what_stands_by(
    efforts: list[Effort], size: int
) -> None:
    source = MemorySource(crowd(size))
    with pytest.raises(ResolutionError) as caught:
        resolve(
            roots_of([f"idle{n}" for n in range(3, size)] + ["tool", "theme<30"]),
            universe=Universe.of(Lattice(requires_python=">=3.11")),
            source=source,
        )
    assert caught.value.causes[0].split("\n") == [
        "your project wants tool, tool wants frame, and frame wants theme>=30",
        "your project wants theme<30",
    ]
    (effort,) = efforts
    # A dozen to take things away in halves, and one for each of the 20 environments.
    assert effort.searches < 60
    # A search may look at all that stands by; it never tries one version of a kind after another.
    assert effort.rounds < 100 + 50 * size


def test_nothing_is_asked_for_while_a_conflict_is_reduced(monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource(crowd(10))
    asked: list[tuple[int, int]] = []
    run = _Reduction.run

    def watched(self: _Reduction) -> object:
        before = len(source.listed), len(source.read)
        found = run(self)
        asked.append((len(source.listed) - before[0], len(source.read) - before[1]))
        return found

    monkeypatch.setattr(_Reduction, "run", watched)
    with pytest.raises(ResolutionError):
        resolve(roots_of(["tool", "theme<30"]), universe=Universe.of(Lattice(requires_python=">=3.11")), source=source)
    assert asked == [(0, 0)]


def test_points_that_fail_only_together_are_explained_together() -> None:
    lattice = Lattice(requires_python=">=3.12,<3.15", platforms=("linux-x86_64", "linux-x86_64-musl"))
    source = MemorySource(
        {
            "split": {
                "1": Published(tags=["py3-none-manylinux_2_17_x86_64"]),
                "2": Published(tags=["py3-none-musllinux_1_1_x86_64"]),
            }
        }
    )
    with pytest.raises(ResolutionError) as caught:
        resolve(roots_of(["split"]), universe=Universe.of(lattice), source=source)
    assert caught.value.code == "no-wheel"
    assert caught.value.causes[1].split("\n") == [
        "split 1 is without a wheel for Python 3.12\N{EN DASH}3.14 on linux-x86_64-musl",
        "split 2 is without a wheel for Python 3.12\N{EN DASH}3.14 on linux-x86_64",
    ]


def test_a_search_that_gave_up_is_not_repeated_at_every_point(
    efforts: list[Effort], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reduction, "MAX_ROUNDS_PER_TRIAL", 2)
    source = MemorySource(crowd(4))
    with pytest.raises(ResolutionError, match="the search was given up"):
        resolve(roots_of(["tool", "theme<30"]), universe=Universe.of(Lattice(requires_python=">=3.11")), source=source)
    (effort,) = efforts
    assert effort.searches <= 2
