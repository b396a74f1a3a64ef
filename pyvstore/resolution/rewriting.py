"""What the user puts in the place of requirements: exclusions and overrides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from packaging.utils import NormalizedName

from pyvstore.resolution.offering import Dependency
from pyvstore.resolution.policy import Policy
from pyvstore.resolution.requirement import ParsedRequirement, normalise
from pyvstore.resolution.universe import Universe


class Rewriting:
    """The exclusions and overrides of one policy, over one universe."""

    def __init__(self, universe: Universe, policy: Policy) -> None:
        self._universe = universe
        self._excluded = policy.excluded
        self._overrides: dict[NormalizedName, list[ParsedRequirement]] = {}
        for override in map(normalise, policy.overrides):
            self._overrides.setdefault(override.name, []).append(override)

    def overrides_of(self, name: NormalizedName) -> Sequence[ParsedRequirement]:
        """Return what replaces every requirement on ``name``; nothing where they stand as they are."""
        return self._overrides.get(name, ())

    def applied(self, parsed: ParsedRequirement, mask: int) -> Iterator[Dependency]:
        """Yield what stands for one requirement that holds on ``mask``."""
        if not mask or parsed.name in self._excluded:
            return
        overrides = self._overrides.get(parsed.name)
        if not overrides:
            yield Dependency(parsed, mask)
            return
        for override in overrides:
            where = mask & self._universe.marker_mask(override.marker_text)
            if where:
                yield Dependency(_with_extras(override, parsed.extras), where)


def _with_extras(override: ParsedRequirement, extras: tuple[NormalizedName, ...]) -> ParsedRequirement:
    merged = tuple(sorted({*override.extras, *extras}))
    if merged == override.extras:
        return override
    return replace(override, extras=merged, text=f"{override.name}[{','.join(merged)}]{override.specifier_text}")
