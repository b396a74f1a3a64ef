"""The last look finds every kind of flaw that an answer can have."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from packaging.utils import NormalizedName

from pyvstore.errors import InternalError
from pyvstore.events import SILENT
from pyvstore.resolution.answer import Reach
from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.check import check_answer
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.policy import Policy
from pyvstore.resolution.requirement import parse_requirement
from pyvstore.resolution.search import Question
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published

UNIVERSE = Universe.of(Lattice(requires_python=">=3.12,<3.15", platforms=("linux-x86_64",)))
ALL = UNIVERSE.full
INDEX = {
    "a": {"1": Published(requires=["b[x]<2; python_version >= '3.13'"]), "2": Published()},
    "b": {"1": Published(extras={"x": []}), "2": Published(extras={"x": []})},
    "c": {"1": Published(requires_python=">=3.13")},
}


def judged(reach: Mapping[str, Mapping[int, Mapping[str, int]]], *roots: str, constraint: str | None = None) -> None:
    catalogue = Catalogue(source=MemorySource(INDEX), universe=UNIVERSE, policy=Policy(), reporter=SILENT)
    parsed = [parse_requirement(root) for root in roots]
    bounds = [parse_requirement(constraint)] if constraint else []
    question = Question(
        roots=tuple(Dependency(p, UNIVERSE.marker_mask(p.marker_text)) for p in parsed),
        direct=frozenset(p.name for p in parsed),
        constraints={p.name: [Dependency(p, ALL)] for p in bounds},
    )
    choices: Reach = {
        (NormalizedName(name), rank): {extra: {"": mask} for extra, mask in extras.items()}
        for name, ranks in reach.items()
        for rank, extras in ranks.items()
    }
    check_answer(catalogue, question, choices, ALL)


def test_a_sound_answer_passes() -> None:
    judged({"a": {0: {"": ALL}}, "b": {0: {"": 6, "x": 6}}}, "a<2", constraint="b<2")


@pytest.mark.parametrize(
    ("reach", "roots", "constraint", "flaw"),
    [
        ({"a": {0: {"": 1}, 1: {"": ALL}}}, ["a"], None, "two versions of a"),
        ({"a": {1: {"": ALL}}}, ["a<2"], None, "a 2 does not satisfy a<2 of the project"),
        ({"a": {1: {"": 3}}}, ["a"], None, "nothing was chosen for a of the project"),
        ({"a": {0: {"": ALL}}}, ["a"], None, r"nothing was chosen for b\[x\]<2 of a 1"),
        ({"a": {0: {"": ALL}}, "b": {0: {"": 6, "x": 2}}}, ["a"], None, r"b\[x\]<2 of a 1 misses an extra"),
        ({"c": {0: {"": ALL}}}, ["c"], None, "c 1 was chosen for a Python that it excludes"),
        ({"a": {1: {"": ALL}}}, ["a"], "a<2", "a 2 violates the constraint a<2"),
    ],
)
def test_a_flaw_is_named(
    reach: Mapping[str, Mapping[int, Mapping[str, int]]], roots: list[str], constraint: str | None, flaw: str
) -> None:
    with pytest.raises(InternalError, match=flaw) as caught:
        judged(reach, *roots, constraint=constraint)
    assert caught.value.code == "unsound-resolution"
