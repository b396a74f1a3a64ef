"""When a region must be answered in parts."""

from __future__ import annotations

from collections.abc import Sequence


class Split(Exception):  # noqa: N818 - control flow, not an error
    """The region must be answered in two parts: inside ``mask`` and outside of it."""

    def __init__(self, mask: int) -> None:
        super().__init__(mask)
        self.mask = mask


class Reconsider(Exception):  # noqa: N818 - control flow, not an error
    """The region must be answered again: what the catalogue knows has changed."""


def split_by_rule(rules: Sequence[tuple[int, int]], usable: int, need: int) -> None:
    """Raise `Split` when some part of ``need`` has versions although the whole has none.

    ``rules`` are (allowed versions, where). Where every part is without a version nothing is gained by splitting, and
    the search goes on to other versions of whoever asked.
    """
    cells = [(need, usable)]
    for allowed, mask in rules:
        parts = (
            (where & inside, versions & rule)
            for where, versions in cells
            for inside, rule in ((mask, allowed), (~mask, -1))
        )
        cells = [cell for cell in parts if cell[0]]
    cutting = [mask for _, mask in rules if need & mask and need & ~mask]
    if cutting and any(versions for _, versions in cells):
        raise Split(max(cutting, key=lambda mask: (mask.bit_count(), mask)))
