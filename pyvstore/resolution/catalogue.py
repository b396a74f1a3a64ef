"""What the source offers, looked at once and remembered for one resolution.

What a release can serve is a mask over the universe. Only releases that the search looks at are judged: sorting a
project's versions reads no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.utils import NormalizedName

from pyvstore.errors import BuildError, FetchError, WheelError
from pyvstore.events import Reporter, Resolving
from pyvstore.model.artifact import Artifact
from pyvstore.model.release import ReleaseMetadata
from pyvstore.resolution.lineage import lineage
from pyvstore.resolution.newcomers import Newcomers
from pyvstore.resolution.offering import Appraisal, Defect, Dependency, Offering
from pyvstore.resolution.policy import Builds, Policy
from pyvstore.resolution.requirement import EVERY, ParsedRequirement, concerns_another_extra, parse_requirement
from pyvstore.resolution.rewriting import Rewriting
from pyvstore.resolution.source import CandidateSource, OfferedRelease
from pyvstore.resolution.universe import Universe
from pyvstore.wheel.names import shown

MOST_REQUIREMENTS = 10_000
"""Of one release, or of one of its extras: what has more means no good, and the search is not linear in them."""


class Unread(Exception):  # noqa: N818 - control flow, not an error
    """A frozen catalogue was asked for a project that it never saw."""


class Catalogue:
    """Remembers offerings, appraisals and requirements of one resolution over one universe.

    Args:
        source, policy, reporter: of the resolution.
        universe: over which everything is judged.
        predecessor: a catalogue of the same resolution over a coarser universe; what it read is not asked for again.
    """

    def __init__(
        self,
        *,
        source: CandidateSource,
        universe: Universe,
        policy: Policy,
        reporter: Reporter,
        predecessor: Catalogue | None = None,
    ) -> None:
        self.universe = universe
        self.policy = policy
        self.is_frozen = False
        self.defects: dict[tuple[NormalizedName, int], Defect] = {}
        self.misfits: dict[tuple[NormalizedName, int], int] = {}
        self._source = source
        self._reporter = reporter
        self._offerings: dict[NormalizedName, Offering | None] = predecessor._offerings if predecessor else {}
        self._appraisals: dict[tuple[NormalizedName, int], Appraisal] = {}
        self._caps: dict[tuple[NormalizedName, int], int] = {}
        self._metadata: dict[tuple[NormalizedName, int], ReleaseMetadata] = {}
        self._read: dict[tuple[NormalizedName, int], ReleaseMetadata] = predecessor._read if predecessor else {}
        self._dependencies: dict[tuple[NormalizedName, int, str], tuple[Dependency, ...]] = {}
        self.rewriting = Rewriting(universe, policy)
        self._required = universe.full
        if policy.files_required_on is not None:
            self._required = 0
            for marker in policy.files_required_on:
                self._required |= universe.marker_mask(marker)
        explicit = self._required if policy.files_required_on is not None else 0
        self._newcomers = Newcomers(universe, policy.newcomers, policy.may_leave_out_newer, explicit)

    # --- projects -----------------------------------------------------------------------------------------------

    def offering(self, name: NormalizedName) -> Offering | None:
        """Return the releases of ``name``, or None when no index has the project.

        Raises:
            FetchError: any failure other than ``no-such-project``.
            Unread: ``is_frozen`` and it was never asked for.
        """
        try:
            return self._offerings[name]
        except KeyError:
            pass
        if self.is_frozen:
            raise Unread
        found: Offering | None = None
        try:
            found = Offering(name, self._source.releases(name))
        except FetchError as error:
            if error.code != "no-such-project":
                way = lineage(name, self._dependencies, self._offerings)
                error.causes += () if way is None else (way,)
                raise
        self._offerings[name] = found
        return found

    def prefetch(self, names: Sequence[NormalizedName]) -> None:
        """Pass the hint on for projects that were not asked for yet."""
        unknown = [name for name in names if name not in self._offerings and not self.is_frozen]
        if unknown:
            self._source.prefetch(unknown)

    def prefetch_metadata(self, offering: Offering, ranks: Sequence[int]) -> None:
        """Pass the hint on for releases that were not read yet."""
        unknown = [offering.releases[rank] for rank in ranks if (offering.name, rank) not in self._read]
        if unknown and not self.is_frozen:
            self._source.prefetch_metadata(unknown)

    # --- releases -----------------------------------------------------------------------------------------------

    def appraise(self, offering: Offering, rank: int) -> Appraisal:
        """Judge one release by its files' tags and ``requires-python``, and by its metadata where that is known."""
        key = (offering.name, rank)
        appraisal = self._appraisals.get(key)
        if appraisal is None:
            judged, capped = self._judge(offering.name, offering.releases[rank]), self.capped(offering)
            appraisal = Appraisal(judged.pythons & ~capped, judged.files & ~capped) if capped else judged
            self._appraisals[key] = appraisal
        misfit = self.misfits.get(key)
        if misfit:
            return Appraisal(appraisal.pythons & ~misfit, appraisal.files & ~misfit)
        return appraisal

    def capped(self, offering: Offering, versions: int = EVERY) -> int:
        """Return the new Pythons that nobody named and the newest of ``versions`` excludes."""
        ranks = (rank for rank in reversed(range(len(offering.releases))) if versions >> rank & 1)
        newest = next((rank for rank in ranks if _is_final(offering.releases[rank])), -1)
        key = (offering.name, newest)
        known = self._caps.get(key)
        if known is None:
            pythons = self._pythons(offering.releases[newest]) if newest >= 0 else 0
            known = self._caps[key] = self._newcomers.capped(pythons)
        return known

    def hopeless(self, offering: Offering, versions: int, need: int, *, resigned: bool = False) -> tuple[int, int]:
        """Return where in ``need`` none of ``versions`` has a file, and which of them may be used there all the same.

        Those with files for others, where files are only a preference; or, when there is none, those with a source
        distribution, which is good enough where files are required, too. ``resigned``: where files are a preference,
        it does not matter that some version has them.
        """
        left = need
        filed = sources = 0
        pending = versions
        while pending and left:
            rank = pending.bit_length() - 1
            pending ^= 1 << rank
            files = self.appraise(offering, rank).files
            left &= ~files | (~self._required if resigned else 0)
            if files:
                filed |= 1 << rank
            elif self.is_source_only(offering, rank):
                sources |= 1 << rank
        return (left & ~self._required, filed) if filed else (left, sources)

    def is_source_only(self, offering: Offering, rank: int) -> bool:
        """Tell whether a release would have to be built, and may be."""
        release = offering.releases[rank]
        return release.sdist is not None and self.policy.builds(offering.name) is not Builds.NEVER

    def _pythons(self, release: OfferedRelease) -> int:
        """Return the points whose Python any file of a release accepts."""
        pythons = 0
        for file in release.wheels if release.sdist is None else (*release.wheels, release.sdist):
            pythons |= self._accepts(release, file)
        return pythons

    def _judge(self, name: NormalizedName, release: OfferedRelease) -> Appraisal:
        full = self.universe.full
        pythons = files = 0
        for wheel in release.wheels:
            pythons |= self._accepts(release, wheel)
            files |= self.wheel_mask(release, wheel)
            if files == full:
                return Appraisal(full, full)
        if release.sdist is not None:
            accepts = self._accepts(release, release.sdist)
            pythons |= accepts
            builds = self.policy.builds(name)
            if builds is Builds.ALLOWED or (builds is Builds.LAST and files):
                files |= accepts
        return Appraisal(pythons, self._newcomers.served(files, pythons))

    def wheel_mask(self, release: OfferedRelease, wheel: Artifact) -> int:
        """Return the points that can use ``wheel``; none when the project's wheels do not count."""
        if not self.policy.wheels_allowed(release.name):
            return 0
        tags = "-".join(wheel.filename[:-4].rsplit("-", 3)[1:])
        return self._accepts(release, wheel) & self.universe.tags_mask(tags)

    def _accepts(self, release: OfferedRelease, file: Artifact) -> int:
        if file.yanked is not None and release.yanked is None:
            return 0
        return self.universe.requires_python_mask(file.requires_python or release.requires_python)

    # --- metadata -----------------------------------------------------------------------------------------------

    def metadata(self, offering: Offering, rank: int) -> ReleaseMetadata | None:
        """Return the metadata of one release; None when it is unusable, which `defects` then explains.

        A ``Requires-Python`` that excludes points which the index's page does not is noted in `misfits`.

        Raises:
            FetchError: the source failed.
        """
        key = (offering.name, rank)
        if key in self.defects:
            return None
        known = self._metadata.get(key)
        if known is not None:
            return known
        metadata = self._read.get(key)
        if metadata is None:
            self._reporter.emit(Resolving(offering.name, len(self._read) + 1))
            try:
                metadata = self._read[key] = self._source.metadata(offering.releases[rank])
            except (WheelError, BuildError) as error:
                reason = f"{error.message}: {error.causes[0]}" if error.causes else error.message
                self._reject(offering, rank, error.code, reason)
                return None
        self._metadata[key] = metadata
        misfit = self.universe.full & ~self.universe.requires_python_mask(metadata.requires_python)
        if misfit & self.appraise(offering, rank).pythons:
            self.misfits[key] = misfit
        return metadata

    def was_read(self, offering: Offering, rank: int) -> bool:
        """Tell whether the metadata of one release was asked for and understood."""
        return (offering.name, rank) in self._read

    def dependencies(self, offering: Offering, rank: int, extra: str) -> tuple[Dependency, ...] | None:
        """Return what one release requires, or what ``extra`` adds to that; None when the release is unusable.

        While ``is_frozen``, a release that was never read requires nothing: what fails all the same certainly fails.
        """
        key = (offering.name, rank, extra)
        known = self._dependencies.get(key)
        if known is not None:
            return known
        if self.is_frozen and (offering.name, rank) not in self._read:
            return None if (offering.name, rank) in self.defects else ()
        metadata = self.metadata(offering, rank)
        if metadata is None:
            return None
        found: list[Dependency] = []
        lines = {line for line in metadata.requires_dist if not concerns_another_extra(line, extra)}
        if len(lines) > MOST_REQUIREMENTS:
            self._reject(offering, rank, "too-many-requirements", f"it has {len(lines):,} requirements")
            return None
        for line in sorted(lines):  # their order in the file must not decide anything
            try:
                parsed = parse_requirement(line)
                mask = self.universe.marker_mask(parsed.marker_text, extra)
                if extra:
                    mask &= ~self.universe.marker_mask(parsed.marker_text)
            except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
                self._reject(offering, rank, "malformed-requirement", f"its requirement {shown(line)} is malformed")
                return None
            found += self.rewritten(parsed, mask)
        if any(dependency.parsed.url for dependency in found):
            name = next(dependency.parsed.name for dependency in found if dependency.parsed.url)
            self._reject(
                offering,
                rank,
                "url-requirement",
                f"it requires {name} from a URL, and direct references are not supported",
            )
            return None
        self._dependencies[key] = tuple(found)
        return self._dependencies[key]

    def all_dependencies(
        self, offering: Offering, rank: int, mask: int, extras: Mapping[str, int]
    ) -> list[Dependency] | None:
        """Return what one release requires within ``mask`` and with ``extras`` (each where it is wanted).

        Extras that the release asks of itself (``all = ["this[docs]"]``) are followed here and do not appear, unless
        they ask for another version of it. None when the release is unusable.
        """
        found: list[Dependency] = []
        wanted = {"": mask, **extras}
        pending = sorted(wanted)
        while pending:
            extra = pending.pop(0)
            dependencies = self.dependencies(offering, rank, extra)
            if dependencies is None:
                return None
            for dependency in dependencies:
                parsed, where = dependency.parsed, dependency.mask & wanted[extra]
                if not where:
                    continue
                if (
                    parsed.name == offering.name
                    and offering.allowed(parsed.specifier, parsed.specifier_text) >> rank & 1
                ):
                    for other in parsed.extras:
                        if where & ~wanted.get(other, 0):
                            wanted[other] = wanted.get(other, 0) | where
                            pending.append(other)
                    continue
                found.append(Dependency(parsed, where))
        return found

    def known(self, name: NormalizedName) -> Offering | None:
        """Return the releases of ``name`` if they were asked for, and there are any."""
        return self._offerings.get(name)

    def wishes(self, point: int) -> dict[str, dict[int, list[tuple[str, ParsedRequirement]]]]:
        """Return what is known of requirements on ``point``: name → rank → (extra, requirement)."""
        found: dict[str, dict[int, list[tuple[str, ParsedRequirement]]]] = {}
        for (name, rank, extra), dependencies in self._dependencies.items():
            wishes = found.setdefault(name, {}).setdefault(rank, [])
            wishes += [(extra, dependency.parsed) for dependency in dependencies if dependency.mask & point]
        return found

    def links(self, point: int) -> dict[tuple[str, str], dict[int, set[str]]]:
        """Return what is known of who requires whom on ``point``: (parent, child) → parent's rank → requirements."""
        found: dict[tuple[str, str], dict[int, set[str]]] = {}
        for (name, rank, _), dependencies in sorted(self._dependencies.items()):
            for dependency in dependencies:
                if dependency.mask & point:
                    link = found.setdefault((name, dependency.parsed.name), {})
                    link.setdefault(rank, set()).add(dependency.parsed.text)
        return found

    def rewritten(self, parsed: ParsedRequirement, mask: int) -> Iterator[Dependency]:
        """Apply exclusions and overrides to one requirement that holds on ``mask``."""
        return self.rewriting.applied(parsed, mask)

    def _reject(self, offering: Offering, rank: int, code: str, reason: str) -> None:
        self.defects[offering.name, rank] = Defect(code, reason)
        offering.defective |= 1 << rank


def _is_final(release: OfferedRelease) -> bool:
    return not release.version.is_prerelease and release.yanked is None and release.excluded is None
