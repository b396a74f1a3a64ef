"""Conjunctions of marker atoms as masks over the points, and the cheapest way to put a mask together from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """Atoms that hold together, and the points where they do."""

    mask: int
    atoms: tuple[str, ...]

    @property
    def text(self) -> str:
        """The term as a marker."""
        return " and ".join(self.atoms)

    @property
    def cost(self) -> tuple[int, int, int, str]:
        """What it is sorted by: the less, the better it reads."""
        # What says where something is reads better than what says where it is not.
        return len(self.atoms), self.text.count("!="), len(self.text), self.text


def joined(terms: Iterable[Term]) -> Term:
    """Return the term of all atoms of at least one term."""
    first, *others = terms
    for other in others:
        first = Term(first.mask & other.mask, first.atoms + other.atoms)
    return first


def both(left: Sequence[Term], right: Sequence[Term]) -> Iterator[Term]:
    """Yield every term of ``left`` together with every one of ``right``."""
    return (Term(one.mask & other.mask, one.atoms + other.atoms) for other in right for one in left)


def cheapest(terms: Iterable[Term]) -> list[Term]:
    """Return one term, the cheapest, for each mask that holds anywhere."""
    best: dict[int, Term] = {}
    for term in terms:
        known = best.get(term.mask)
        if term.mask and (known is None or term.cost < known.cost):
            best[term.mask] = term
    return list(best.values())


def cover(usable: Sequence[Term], mask: int) -> list[Term]:
    """Cover ``mask`` with ``usable`` terms (cheapest first): the largest gain first, of equals the cheapest."""
    chosen: list[Term] = []
    left = mask
    while left:
        best = max(usable, key=lambda term: (term.mask & left).bit_count(), default=None)
        if best is None or not best.mask & left:
            raise ValueError("no marker tells these environments apart")
        chosen.append(best)
        left &= ~best.mask
    return _without_redundant(chosen, mask)


def _without_redundant(chosen: list[Term], mask: int) -> list[Term]:
    for term in sorted(chosen, key=lambda term: term.cost, reverse=True):
        rest = [other for other in chosen if other is not term]
        covered = 0
        for other in rest:
            covered |= other.mask
        if rest and not mask & ~covered:
            chosen = rest
    return sorted(chosen, key=lambda term: term.cost)


def written(terms: Sequence[Term]) -> str:
    """Return the marker that holds where any of ``terms`` does."""
    if len(terms) == 1:
        return terms[0].text
    return " or ".join(f"({term.text})" if len(term.atoms) > 1 else term.text for term in terms)


def positions(mask: int) -> Iterator[int]:
    """Yield the positions of the bits, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
