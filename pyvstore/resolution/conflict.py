"""A failure, reduced to a smallest set of requirements that still fails.

The project's requirements and the links between packages (all that one package requires of another, whatever its
version) are taken away bit by bit; what can go without making the rest solvable is not part of the reason. What is left
is minimal: every requirement in it is needed for the failure. Nothing is fetched on the way: a release that the search
never read counts as requiring nothing, and what fails even so certainly fails; where a trial comes to a project that
was never asked for, the thing taken away counts as needed. The work is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from pyvstore.resolution.catalogue import Catalogue, Unread
from pyvstore.resolution.excerpt import Excerpts
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.search import Attempt, Dead, Effort, Question, search
from pyvstore.resolution.splitting import Split

MAX_ROUNDS = 12_000
"""Of all trials together: some seconds at worst."""
MAX_ROUNDS_PER_TRIAL = 5_000
MAX_POINTS = 100
"""At which a failure is looked for. The first has it, unless it is one of several that must be answered together."""

Link = tuple[str, str]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """Requirements that cannot be met together.

    Attributes:
        roots: positions in the question's roots.
        links: (parent, child) → rank of the parent's release → what it requires of the child.
        point: one environment where it fails, or several that no marker can tell apart and that fail together.
        mask: all environments where it fails.
    """

    roots: tuple[int, ...]
    links: dict[Link, dict[int, set[str]]]
    point: int
    mask: int


def reduce_failure(
    catalogue: Catalogue, question: Question, inclinations: Inclinations, region: int
) -> Conflict | None:
    """Return a smallest conflict behind the failure of ``region``, or None when it takes too long to prove again.

    Freezes ``catalogue``.
    """
    reduction = _Reduction(catalogue, question, inclinations)
    reduction.settle_on(region)
    return reduction.run()


class _Reduction:
    def __init__(self, catalogue: Catalogue, question: Question, inclinations: Inclinations) -> None:
        self._catalogue = catalogue
        self._question = question
        self._inclinations = inclinations
        self._effort = Effort()
        self._point = 0
        self._links: dict[Link, dict[int, set[str]]] = {}
        self._excerpted: dict[int, Excerpts] = {}
        self._has_given_up = False

    def settle_on(self, region: int) -> None:
        """Choose a point of ``region`` to explain the failure for, and know all that matters there.

        The failure was found on a larger region, whose searches may have read other versions than one point needs, and
        which may have an answer at each of its points, only not one for several that no marker can tell apart.
        """
        universe = self._catalogue.universe
        points = [1 << position for position in range(region.bit_length()) if region >> position & 1]
        alike = list(dict.fromkeys(universe.inseparable_from(point) & region for point in points))
        for point in [*points[:MAX_POINTS], *(mask for mask in alike if mask & (mask - 1))]:
            self._point = point
            if self._fails(range(len(self._question.roots)), None, point) is not None:
                break
            if self._has_given_up:
                self._point = points[0]
                break
        else:
            self._point = points[0]
        self._catalogue.is_frozen = True
        self._links = self._catalogue.links(self._point)

    def run(self) -> Conflict | None:
        roots = [number for number, root in enumerate(self._question.roots) if root.mask & self._point]
        links = sorted(self._links)
        if self._fails(roots, links, self._point) is None:
            return None
        roots, links = self._narrow(roots, links)
        # What is far from the conflict is tried first, so that the shortest of several explanations is left.
        distance = self._distances(self._fails(roots, links, self._point) or (), links)
        far = len(self._links)
        roots.sort(key=lambda number: (-distance.get(self._question.roots[number].parsed.name, far), number))
        links.sort(key=lambda link: (-distance.get(link[1], far), link))
        roots = self._without(roots, lambda kept: (kept, links))
        links = self._reachable(roots, links)
        roots, links = self._narrow(roots, links)
        links = self._without(links, lambda kept: (roots, kept))
        links = self._reachable(roots, links)
        return Conflict(
            roots=tuple(sorted(roots)),
            links={link: self._links[link] for link in sorted(links)},
            point=self._point,
            mask=self._extent(roots, links),
        )

    def _extent(self, roots: list[int], links: list[Link]) -> int:
        """Return all points where these requirements fail as they do where they were found to."""
        universe = self._catalogue.universe
        is_single = not self._point & (self._point - 1)
        mask = self._point
        left = universe.full & ~mask
        while left:
            lowest = left & -left
            point = lowest if is_single else universe.inseparable_from(lowest) & left
            left &= ~point
            if self._fails(roots, links, point) is not None:
                mask |= point
        return mask

    def _narrow(self, roots: list[int], links: list[Link]) -> tuple[list[int], list[Link]]:
        """Keep what leads to the names that the search last failed on, as long as that still fails."""
        names = self._fails(roots, links, self._point)
        while names:
            leading = self._distances(names, links)
            kept_roots = [number for number in roots if self._question.roots[number].parsed.name in leading]
            kept_links = [link for link in links if link[1] in leading]
            if (kept_roots, kept_links) == (roots, links):
                break
            names = self._fails(kept_roots, kept_links, self._point)
            if names is not None:
                roots, links = kept_roots, kept_links
        return roots, links

    def _without(self, items: list[T], arrange: Callable[[list[T]], tuple[list[int], list[Link]]]) -> list[T]:
        """Take away as many of ``items`` as possible, in ever smaller pieces."""
        size = max(1, len(items) // 2)
        while items:
            position = 0
            while position < len(items):
                kept = items[:position] + items[position + size :]
                if self._fails(*arrange(kept), self._point) is not None:
                    items = kept
                else:
                    position += size
            if size == 1:
                break
            size = max(1, size // 2)
        return items

    def _fails(self, roots: Sequence[int], links: Iterable[Link] | None, point: int) -> frozenset[str] | None:
        """Return the names of the last conflict when these requirements certainly fail on ``point``, else None.

        ``links`` None means all that there are.
        """
        rounds = min(MAX_ROUNDS_PER_TRIAL, MAX_ROUNDS - self._effort.rounds)
        if rounds <= 0:
            self._has_given_up = True
            return None
        wanted = [self._question.roots[number] for number in sorted(roots)]
        question = replace(self._question, roots=tuple(root for root in wanted if root.mask & point))
        links = None if links is None else list(links)
        try:
            search(
                self._catalogue,
                question,
                region=point,
                inclinations=self._inclinations,
                effort=self._effort,
                attempts=(Attempt(rounds),),
                kept=None
                if links is None
                else self._excerpts(point).of([root.parsed for root in question.roots], links),
            )
        except Dead as dead:
            self._has_given_up = not dead.is_certain
            return frozenset(dead.names) if dead.is_certain else None
        except (Unread, Split):
            return None
        return None

    def _excerpts(self, point: int) -> Excerpts:
        found = self._excerpted.get(point)
        if found is None:
            constraints = self._question.constraints
            found = self._excerpted[point] = Excerpts(self._catalogue, self._inclinations, constraints, point)
        return found

    def _distances(self, names: Iterable[str], links: Sequence[Link]) -> dict[str, int]:
        """Return how many links each name is away from ``names``."""
        parents: dict[str, list[str]] = {}
        for parent, child in links:
            parents.setdefault(child, []).append(parent)
        distances = dict.fromkeys(sorted(names), 0)
        pending = list(distances)
        for name in pending:
            for parent in parents.get(name, ()):
                if parent not in distances:
                    distances[parent] = distances[name] + 1
                    pending.append(parent)
        return distances

    def _reachable(self, roots: Sequence[int], links: Sequence[Link]) -> list[Link]:
        reached = {str(self._question.roots[number].parsed.name) for number in roots}
        size = 0
        while size != len(reached):
            size = len(reached)
            reached.update(child for parent, child in links if parent in reached)
        return [link for link in links if link[0] in reached]
