"""What is wrong with the projects of a conflict: which versions would match, and why each of them cannot be used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.conflict import Conflict
from pyvstore.resolution.extras import lost_extras
from pyvstore.resolution.offering import Offering
from pyvstore.resolution.policy import Builds, Prereleases
from pyvstore.resolution.preferences import Inclinations
from pyvstore.resolution.requirement import ParsedRequirement, parse_requirement
from pyvstore.resolution.search import Question
from pyvstore.resolution.wording import spans

_CPYTHON = re.compile(r"cp(\d)(\d+)")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Why versions that match cannot be used: a code, and a phrase to follow their names."""

    code: str
    phrase: str


class Diagnosis:
    """Looks at the projects that a conflict names.

    Attributes:
        roots: the project's requirements in the conflict, each with its origin.
        names: every project in the conflict, those that the project names first.
        sinks: those of them that require nothing more in it: there it ends.
        matching: the versions of each that satisfy everybody in the conflict.
        rulings: why matching versions of each cannot be used, and their ranks.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        question: Question,
        inclinations: Inclinations,
        roots: Sequence[tuple[ParsedRequirement, str]],
        conflict: Conflict,
    ) -> None:
        self._catalogue = catalogue
        self._question = question
        self._inclinations = inclinations
        self._conflict = conflict
        self.roots = tuple(roots)
        parents = {parent for parent, _ in conflict.links}
        named = [str(parsed.name) for parsed, _ in self.roots] + [child for _, child in conflict.links]
        self.names = tuple(dict.fromkeys(named))
        self.sinks = tuple(name for name in self.names if name not in parents) or self.names[-1:]
        self.matching: dict[str, int] = {}
        for name in self.names:
            self._match(name)
        self.rulings = {name: self._rule(name) for name in self.names}

    def incoming(self, name: str) -> list[list[ParsedRequirement]]:
        """Return the requirements on ``name``, one list of alternatives for each who asks."""
        roots = [[parsed] for parsed, _ in self.roots if parsed.name == name]
        links = [
            [
                parse_requirement(text)
                for text in sorted({text for rank in self.relevant(*link) for text in ranks[rank]})
            ]
            for link, ranks in self._conflict.links.items()
            if link[1] == name
        ]
        return roots + links

    def relevant(self, parent: str, child: str) -> list[int]:
        """Return the versions of ``parent`` that want ``child`` and that this is about: those that match, oldest first.

        What was read beside them says nothing of this conflict. All of them where none matches.
        """
        ranks = sorted(self._conflict.links[parent, child])
        matching = self._match(parent)
        return [rank for rank in ranks if matching >> rank & 1] or ranks

    def _match(self, name: str) -> int:
        known = self.matching.get(name)
        if known is None:
            offering = self._catalogue.offering(NormalizedName(name))
            # Packages that want each other in a circle: whatever it is taken from, all its versions count at first.
            self.matching[name] = 0 if offering is None else offering.full
            known = self.matching[name] = self._allowed_by_all(name)
        return known

    def _allowed_by_all(self, name: str) -> int:
        offering = self._catalogue.offering(NormalizedName(name))
        if offering is None:
            return 0
        versions = offering.full
        for alternatives in self.incoming(name):
            allowed = 0
            for parsed in alternatives:
                allowed |= offering.allowed(parsed.specifier, parsed.specifier_text)
            versions &= allowed
        return versions

    def _rule(self, name: str) -> dict[Ruling, list[int]]:
        """Return why versions of ``name`` that match cannot be used, and which."""
        offering = self._catalogue.offering(NormalizedName(name))
        found: dict[Ruling, list[int]] = {}
        for rank in ranks_of(self.matching[name]) if offering else ():
            assert offering is not None  # noqa: S101 - else there is nothing to loop over
            ruling = self._ruling(offering, rank)
            if ruling is not None:
                found.setdefault(ruling, []).append(rank)
        return found

    def _ruling(self, offering: Offering, rank: int) -> Ruling | None:
        release = offering.releases[rank]
        appraisal = self._catalogue.appraise(offering, rank)
        point = self._conflict.point
        defect = self._catalogue.defects.get((offering.name, rank))
        disallowed = self._catalogue.policy.prereleases is Prereleases.DISALLOW and release.version.is_prerelease
        ruling: Ruling | None = None
        if release.excluded is not None:
            ruling = Ruling("no-old-version", release.excluded)
        elif self.constraint_against(offering, rank) is not None:
            ruling = Ruling("no-solution", f"outside the constraint {self.constraint_against(offering, rank)}")
        elif not release.wheels and release.sdist is None:
            ruling = Ruling("no-wheel", "without files")
        elif point & ~appraisal.pythons:
            wanted = self.python_bound(offering, rank)
            ruling = Ruling("no-python", f"for Python {wanted}" if wanted else "for another Python")
        elif not release.wheels and self._catalogue.is_source_only(offering, rank) and point & ~appraisal.files:
            ruling = Ruling("no-wheel", "available as a source distribution alone")
        elif point & ~appraisal.files:
            ruling = Ruling("no-wheel", self._without_files(offering, rank, self._conflict.mask & ~appraisal.files))
        elif release.yanked is not None and not self._inclinations.permitted(offering) >> rank & 1:
            ruling = Ruling("no-unyanked", f"yanked{f' ({release.yanked})' if release.yanked else ''}")
        elif disallowed:
            ruling = Ruling("no-final", "a pre-release")
        elif defect is not None:
            ruling = Ruling("no-usable-version", f"unusable: {defect.reason}")
        elif lost := self._lost_extras(offering, rank):
            ruling = Ruling("no-version", f"without the extra {', '.join(lost)}")
        return ruling

    def _without_files(self, offering: Offering, rank: int, where: int) -> str:
        policy, release = self._catalogue.policy, offering.releases[rank]
        if not policy.wheels_allowed(offering.name):
            return "without a source distribution, and `no-binary` shuts out its wheels"
        place = f"without a wheel for {self._catalogue.universe.describe(where)}"
        if release.sdist is not None and policy.builds(offering.name) is Builds.NEVER:
            return f"{place}, and `no-build` shuts out its source distribution"
        return place

    def python_bound(self, offering: Offering, rank: int) -> str | None:
        """Return which Pythons a release wants, by the page or by its metadata."""
        release = offering.releases[rank]
        if release.requires_python:
            return release.requires_python
        if (offering.name, rank) in self._catalogue.misfits:
            metadata = self._catalogue.metadata(offering, rank)
            return metadata.requires_python if metadata else None
        return next((file.requires_python for file in release.wheels), None)

    def days_of_upload(self, name: str) -> tuple[str, ...]:
        """Return the first and the last day on which a version came that matches and is too new; () if not known."""
        offering = self._catalogue.offering(NormalizedName(name))
        if offering is None:
            return ()
        rulings = self.rulings[name].items()
        ranks = [rank for ruling, ranks in rulings if ruling.code == "no-old-version" for rank in ranks]
        moments = [moment for rank in ranks if (moment := offering.releases[rank].uploaded) is not None]
        return (f"{min(moments):%Y-%m-%d}", f"{max(moments):%Y-%m-%d}") if moments else ()

    def made_for(self, offering: Offering, rank: int) -> str | None:
        """Return which Pythons the wheels of a release are for: ``Python 3.10-3.11``; None where that is no reason."""
        found: set[tuple[int, ...]] = set()
        for wheel in offering.releases[rank].wheels:
            pythons, abi, _ = wheel.filename.removesuffix(".whl").rsplit("-", 3)[1:]
            minors = [_CPYTHON.fullmatch(python) for python in pythons.split(".")]
            if abi.endswith("abi3") or None in minors:
                return None
            found.update((int(minor[1]), int(minor[2])) for minor in minors if minor is not None)
        failing = {
            point.python_full_version.release[:2] for point in self._catalogue.universe.within(self._conflict.mask)
        }
        return f"Python {', '.join(spans(sorted(found)))}" if found and failing.isdisjoint(found) else None

    def _lost_extras(self, offering: Offering, rank: int) -> list[str]:
        asked = [parsed for alternatives in self.incoming(offering.name) for parsed in alternatives]
        return sorted({extra for parsed in asked for extra in lost_extras(self._catalogue, offering, parsed, rank)})

    def constraint_against(self, offering: Offering, rank: int) -> str | None:
        """Return the constraint that shuts out a version, if one does."""
        for constraint in self._question.constraints.get(offering.name, ()):
            parsed = constraint.parsed
            allowed = offering.allowed(parsed.specifier, parsed.specifier_text)
            if constraint.mask & self._conflict.point and not allowed >> rank & 1:
                return parsed.text
        return None

    def code(self, sink: str) -> str:
        """Return the error code that fits what is wrong with ``sink``."""
        if self._catalogue.offering(NormalizedName(sink)) is None:
            return "no-such-project"
        rulings = self.rulings[sink]
        usable = self.matching[sink] & ~sum(1 << rank for ranks in rulings.values() for rank in ranks)
        if usable:
            return "no-solution"
        if self.matching[sink]:
            newest = max(((max(ranks), ruling.code) for ruling, ranks in rulings.items()), default=(0, "no-solution"))
            return newest[1]
        return "no-version" if len(self.incoming(sink)) == 1 else "no-solution"


def ranks_of(versions: int) -> Iterator[int]:
    """Return the ranks in a mask of versions, oldest first."""
    while versions:
        lowest = versions & -versions
        yield lowest.bit_length() - 1
        versions ^= lowest
