"""What a resolution costs: bounds that a search has to keep."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from pyvstore.resolution.engine import resolve
from pyvstore.resolution.lattice import Lattice
from pyvstore.resolution.policy import RootRequirement
from pyvstore.resolution.provider import Provider
from pyvstore.resolution.requirement import Candidate, MaskedRequirement
from pyvstore.resolution.search import search
from pyvstore.resolution.universe import Universe
from tests.unit.resolution.memory_source import MemorySource, Published


def test_a_settled_name_is_not_judged_again_for_every_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = 0
    original = Provider.is_satisfied_by

    def counting(self: Provider, requirement: MaskedRequirement, candidate: Candidate) -> bool:
        nonlocal judged
        judged += 1
        return original(self, requirement, candidate)

    monkeypatch.setattr(Provider, "is_satisfied_by", counting)
    projects = {f"p{n}": {"1": [f"p{n + 1}", "shared"]} for n in range(100)} | {"p100": {"1": []}, "shared": {"1": []}}
    resolve(
        [RootRequirement(requirement=Requirement("p0"))],
        universe=Universe.of(Lattice(requires_python=">=3.12")),
        source=MemorySource(projects),
    )
    # Each name once when it is pinned and once after, and what all of them share as often as somebody new asks for it.
    assert judged < 100 * 100


def test_a_finer_lattice_is_cut_at_once_where_the_coarser_had_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def counting(*arguments: object, **options: object) -> object:
        tried.append(1)
        return search(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("pyvstore.resolution.engine.search", counting)
    source = MemorySource(
        {
            "a": {"1": Published(), "2": Published(requires_python=">=3.13")},
            "b": {"1": ["c; python_full_version >= '3.12.4'"]},
            "c": {"1": []},
        }
    )
    answer = resolve(
        [RootRequirement(requirement=Requirement(name)) for name in ("a", "b")],
        universe=Universe.of(Lattice(requires_python=">=3.12")),
        source=source,
    )
    assert len(answer.regions) == 2
    # The whole and its halves; then the halves again.
    assert len(tried) == 5
