"""Parts that exclude each other multiply the points of a lattice."""

from __future__ import annotations

import pytest

from pyvstore.errors import UsageError
from pyvstore.resolution.lattice import MOST_COMBINATIONS, Lattice
from pyvstore.resolution.universe import Universe


def sets_of_two(count: int) -> tuple[tuple[str, ...], ...]:
    return tuple((f"extra:a{number}", f"extra:b{number}") for number in range(count))


def one_set(size: int) -> tuple[tuple[str, ...], ...]:
    return (tuple(f"extra:x{number:02}" for number in range(size)),)


@pytest.mark.parametrize(
    ("conflicts", "count"),
    [((), 1), (one_set(2), 3), (one_set(99), 100), (sets_of_two(1), 3), (sets_of_two(4), 81)],
)
def test_each_set_has_none_of_its_members_active_or_one(conflicts: tuple[tuple[str, ...], ...], count: int) -> None:
    found = Lattice(conflicts=conflicts).assignments()
    assert len(set(found)) == len(found) == count
    assert found[0] == frozenset()
    assert all(len(active.intersection(members)) <= 1 for active in found for members in conflicts)


@pytest.mark.parametrize("conflicts", [sets_of_two(5), sets_of_two(20), one_set(100), one_set(5000)])
def test_more_combinations_than_can_be_answered_are_refused_before_they_are_counted(
    conflicts: tuple[tuple[str, ...], ...],
) -> None:
    with pytest.raises(UsageError, match=f"more than {MOST_COMBINATIONS} combinations") as caught:
        Universe.of(Lattice(conflicts=conflicts))
    assert caught.value.code == "conflicts-too-many"
    assert caught.value.hint


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("'x03' in extras", None),
        ("'x03' not in extras", None),
        ("'x03' not in extras and 'x07' not in extras and 'x11' not in extras", None),
        ("'x03' in extras and sys_platform == 'win32'", "sys_platform == 'win32' and 'x03' in extras"),
        ("'x03' in extras or 'x04' in extras or 'x05' in extras", None),
        (" and ".join(f"'x{number:02}' not in extras" for number in range(20)), None),
    ],
)
def test_markers_of_many_parts_that_exclude_each_other_are_short_and_no_work(wanted: str, text: str | None) -> None:
    universe = Universe.of(Lattice(requires_python=">=3.12", conflicts=one_set(20)))
    assert universe.marker_for(universe.lock_marker_mask(wanted)) == (text or wanted)
