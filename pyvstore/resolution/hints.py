"""What to do about a refusal: exact requirements, settings and bounds, the least change first.

Every step that is named works: tests follow each of them. Where several will do, they are offered as alternatives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from packaging.utils import NormalizedName
from packaging.version import Version

from pyvstore.resolution.catalogue import Catalogue
from pyvstore.resolution.conflict import Conflict
from pyvstore.resolution.diagnosis import Diagnosis, ranks_of
from pyvstore.resolution.narrowing import way_without
from pyvstore.resolution.policy import Builds

_PART_TABLES = (("project.optional-dependencies.", "extra"), ("dependency-groups.", "group"))


_SETTINGS = "in [tool.pyvstore]"


class Hints:
    """Finds the next steps for one conflict."""

    def __init__(self, catalogue: Catalogue, conflict: Conflict, diagnosis: Diagnosis) -> None:
        self._catalogue = catalogue
        self._universe = catalogue.universe
        self._policy = catalogue.policy
        self._rewriting = catalogue.rewriting
        self._conflict = conflict
        self._diagnosis = diagnosis
        self._sink = NormalizedName(diagnosis.sinks[0])
        self._offering = catalogue.offering(self._sink)
        self._matching = diagnosis.matching[self._sink]

    def hint(self, code: str) -> str:
        """Return the next steps for a refusal with this code, as one phrase."""
        if self._policy.offline and code in {"no-such-project", "no-version", "no-usable-version"}:
            return "only what earlier commands have fetched was looked at; try again without `--offline`"
        steps = {
            "no-such-project": self._for_no_project,
            "no-version": self._for_no_version,
            "no-python": self._for_no_python,
            "no-wheel": self._for_no_wheel,
            "no-unyanked": self._for_no_unyanked,
            "no-final": self._for_no_final,
            "no-old-version": self._for_no_old_version,
            "no-usable-version": self._for_no_usable_version,
        }
        return ", or ".join(steps.get(code, self._for_no_solution)())

    # --- one project has nothing to offer -----------------------------------------------------------------------

    def _for_no_project(self) -> list[str]:
        if {str(parsed.name) for parsed, _ in self._diagnosis.roots}.issuperset(self._diagnosis.sinks):
            return ["check the spelling, and the indexes in [[tool.pyvstore.index]]"]
        names = " and ".join(self._diagnosis.sinks)
        return [f"see that an index in [[tool.pyvstore.index]] has {names}", self._loosen()]

    def _for_no_version(self) -> list[str]:
        newest = self._pick(self._finals, lowest=False)
        if newest is None or not self._is_direct:
            return [self._other_versions()]
        return [f"ask for a version that exists, such as `{self._sink}=={newest}`"]

    def _for_no_python(self) -> list[str]:
        steps = [*self._neighbours(), *self._leave_out()]
        wanted = {text for text in self._bounds() if text} if not steps else set()
        if len(wanted) == 1:
            return [f'set `requires-python = "{wanted.pop()}"` in [project]']
        return steps or [f"use a Python that {self._sink} accepts", self._other_versions()]

    def _for_no_wheel(self) -> list[str]:
        unblocked = list(self._unblocked())
        if unblocked:
            return [*unblocked, *self._leave_out()]
        if self._is_source_only:
            return self._without_it()
        return [
            *(self._neighbours() or [f"{self._other_versions()}{self._unbuilt()}"]),
            *(self._leave_out() or ["use another Python"]),
        ]

    def _without_it(self) -> list[str]:
        """Offer to do without what could only be built."""
        assert self._offering is not None  # noqa: S101 - some of its versions match
        ways = self._neighbours()
        if not self._is_direct:
            ways = [self._loosen()]
        elif not ways and any(release.wheels for release in self._offering.releases):
            ways = [self._other_versions()]
        if self._is_direct:
            ways.append(f"remove {self._sink} from your project")
        elif all(parsed.name != self._sink for parsed, _ in self._diagnosis.roots):
            ways.append(f'do without it by `exclude = ["{self._sink}"]` {_SETTINGS}')
        return [f"source distributions are not built yet: {ways[0]}", *ways[1:]]

    def _for_no_unyanked(self) -> list[str]:
        assert self._offering is not None  # noqa: S101 - some of its versions match
        newest = self._offering.releases[self._matching.bit_length() - 1].version
        return [f"to use a yanked version all the same, name it exactly: `{self._sink}=={newest}`"]

    def _for_no_final(self) -> list[str]:
        return [f'set `prereleases = "if-necessary"` {_SETTINGS}']

    def _for_no_old_version(self) -> list[str]:
        return self._let_in_newer([self._sink])

    def _for_no_usable_version(self) -> list[str]:
        return [self._other_versions()]

    # --- requirements contradict each other ---------------------------------------------------------------------

    def _for_no_solution(self) -> list[str]:
        too_new = [
            NormalizedName(name)
            for name in self._diagnosis.names
            if any(ruling.code == "no-old-version" for ruling in self._diagnosis.rulings[name])
        ]
        return [self._loosen(), *self._declare(), *self._let_in_newer(too_new), *self._leave_out()]

    def _loosen(self) -> str:
        loosened = [
            f"`{parsed.text}`" for parsed, _ in self._diagnosis.roots if not self._rewriting.overrides_of(parsed.name)
        ]
        loosened += [f"`{text}` in `overrides`" for text in self._overrides()]
        loosened += [f"`{text}` in `constraints`" for text in self._constraints()]
        several = "one of " if len(loosened) > 1 else ""
        return f"loosen or remove {several}{', '.join(dict.fromkeys(loosened))}"

    def _overrides(self) -> Iterator[str]:
        for name in self._diagnosis.names:
            for override in self._rewriting.overrides_of(NormalizedName(name)):
                if override.specifier_text and self._universe.marker_mask(override.marker_text) & self._conflict.point:
                    yield override.text

    def _constraints(self) -> list[str]:
        found = []
        for name in self._diagnosis.names:
            offering = self._catalogue.offering(NormalizedName(name))
            if offering is not None:
                matching = ranks_of(self._diagnosis.matching[name])
                found += [self._diagnosis.constraint_against(offering, rank) for rank in matching]
        return list(dict.fromkeys(text for text in found if text))

    def _declare(self) -> list[str]:
        """Offer to declare parts of the project as never installed together, where that is what contradicts itself."""
        parts = sorted({part for _, origin in self._diagnosis.roots if (part := _part(origin)) is not None})
        lattice = self._universe.lattice
        if len(parts) < 2 or lattice is None:
            return []
        known = [[_part_of_scope(scope) for scope in members] for members in lattice.conflicts]
        sets = ", ".join(
            f"[{', '.join(f'{{ {kind} = {json.dumps(name)} }}' for kind, name in members)}]"
            for members in [*known, parts]
        )
        return [f"if they are never installed together, declare that: `conflicts = [{sets}]` {_SETTINGS}"]

    # --- steps --------------------------------------------------------------------------------------------------

    def _leave_out(self) -> list[str]:
        way = way_without(self._universe, self._conflict.mask)
        return [] if way is None else [way]

    def _let_in_newer(self, names: Sequence[NormalizedName]) -> list[str]:
        """Offer the earliest day that lets in a version that matches; none is known without upload times."""
        days = {name: next(iter(self._diagnosis.days_of_upload(name)), None) for name in names}
        if not days:
            return []
        values = ", ".join(f"{name} = {json.dumps(day) if day else 'false'}" for name, day in days.items())
        alone = f"let them in for {' and '.join(names)} alone: `exclude-newer-package = {{ {values} }}` {_SETTINGS}"
        known = [day for day in days.values() if day]
        if len(known) < len(days):
            return [alone]
        return [f'set `exclude-newer = "{max(known)}"` or later (it is {self._policy.exclude_newer})', alone]

    def _unblocked(self) -> Iterator[str]:
        """Offer to lift the settings that shut out files of versions that match."""
        releases = [self._offering.releases[rank] for rank in ranks_of(self._matching)] if self._offering else []
        if self._policy.builds(self._sink) is Builds.NEVER and any(release.sdist for release in releases):
            yield f"take `{self._sink}` out of `no-build` {_SETTINGS}"
        if not self._policy.wheels_allowed(self._sink) and any(release.wheels for release in releases):
            yield f"take `{self._sink}` out of `no-binary` {_SETTINGS}"
        for marker in self._policy.files_required_on or ():
            if self._universe.marker_mask(marker) & self._conflict.point:
                yield f"take `{marker}` out of `required-environments` {_SETTINGS}"

    def _neighbours(self) -> list[str]:
        """Offer bounds that let in the nearest version that serves where this fails."""
        if self._offering is None or not self._is_direct or not self._matching:
            return []
        serving = self._serving(self._conflict.mask) or self._serving(self._conflict.point)
        newer = self._pick(serving >> self._matching.bit_length() << self._matching.bit_length(), lowest=True)
        if newer is not None:
            return [f"let in a version that serves there: `{self._sink}>={newer}`"]
        older = self._pick(serving & ((self._matching & -self._matching) - 1), lowest=False)
        if older is None:
            return []
        top = self._offering.releases[self._matching.bit_length() - 1].version
        return [f"let in a version that serves there: `{self._sink}>={older},<={top}`"]

    def _serving(self, mask: int) -> int:
        """Return the versions without a flaw that have files for all of ``mask``, and do not match."""
        assert self._offering is not None  # noqa: S101 - some of its versions match
        return sum(
            1 << rank
            for rank in ranks_of(self._finals & ~self._matching)
            if not mask & ~self._catalogue.appraise(self._offering, rank).files
        )

    # --- facts --------------------------------------------------------------------------------------------------

    @property
    def _is_direct(self) -> bool:
        """Whether nobody but the project wants the project in question, and once."""
        roots = [parsed for parsed, _ in self._diagnosis.roots if parsed.name == self._sink]
        return len(roots) == 1 == len(self._diagnosis.incoming(self._sink)) and not self._rewriting.overrides_of(
            self._sink
        )

    @property
    def _finals(self) -> int:
        """The versions of the project in question that nothing speaks against by themselves."""
        if self._offering is None:
            return 0
        return sum(
            1 << rank
            for rank in ranks_of(self._offering.finals)
            if self._offering.releases[rank].excluded is None and self._offering.releases[rank].yanked is None
        )

    @property
    def _is_source_only(self) -> bool:
        """Whether every version that matches would have to be built."""
        releases = [self._offering.releases[rank] for rank in ranks_of(self._matching)] if self._offering else []
        return bool(releases) and all(release.sdist and not release.wheels for release in releases)

    def _pick(self, versions: int, *, lowest: bool) -> Version | None:
        if not versions or self._offering is None:
            return None
        rank = (versions & -versions if lowest else versions).bit_length() - 1
        return self._offering.releases[rank].version

    def _bounds(self) -> list[str | None]:
        offering = self._offering
        if offering is None:
            return []
        return [self._diagnosis.python_bound(offering, rank) for rank in ranks_of(self._matching)]

    def _other_versions(self) -> str:
        return f"allow other versions of {self._sink}" if self._is_direct else self._loosen()

    def _unbuilt(self) -> str:
        """Say that a matching version could only be built, where that is so."""
        releases = [self._offering.releases[rank] for rank in ranks_of(self._matching)] if self._offering else []
        return " (its source distributions are not built yet)" if any(release.sdist for release in releases) else ""


def _part(origin: str) -> tuple[str, str] | None:
    """Return the extra or group whose table ``origin`` is; None for the project's own."""
    for table, kind in _PART_TABLES:
        if origin.startswith(table):
            return kind, origin.removeprefix(table)
    return None


def _part_of_scope(scope: str) -> tuple[str, str]:
    kind, _, name = scope.partition(":")
    return kind, name
