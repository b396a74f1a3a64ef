"""Whether the wheels of an environment find in it what they themselves require.

The versions were chosen by the metadata of one file of each release, and the files of a release are assumed to agree.
Here is the wheel that is really installed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement
from packaging.utils import NormalizedName

from pyvstore.model.environment import TargetEnvironment
from pyvstore.requirements.text import parse_marker
from pyvstore.resolution.lenient import lenient_specifier
from pyvstore.resolution.requirement import ParsedRequirement, concerns_another_extra, parse_requirement


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One distribution of an environment: its version, and what METADATA of its wheel says, as written there."""

    name: NormalizedName
    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmet:
    """A requirement of an installed wheel that the environment does not meet.

    Attributes:
        dependent: name and version of the distribution that requires it.
        requirement: canonical text without its marker.
        found: the version that is there instead, None where there is none.
    """

    dependent: str
    requirement: str
    found: str | None


def unmet_requirements(
    installed: Sequence[Installed], environment: TargetEnvironment, *, exempt: Collection[NormalizedName] = ()
) -> Iterator[Unmet]:
    """Yield what the wheels of one environment require there and do not find, each once, in their order.

    What extras add is not looked at, nor are requirements on ``exempt`` names, which the user replaced or dropped, and
    lines that mean nothing.
    """
    versions = {item.name: item.version for item in installed}
    python = environment.markers["python_full_version"]
    for item in installed:
        dependent = f"{item.name} {item.version}"
        if not lenient_specifier(item.requires_python or "").contains(python, prereleases=True):
            yield Unmet(dependent=dependent, requirement=f"Python {item.requires_python}", found=python)
        for line in dict.fromkeys(item.requires_dist):
            parsed = _parse_for(line, environment)
            if parsed is None or parsed.name in exempt or parsed.name == item.name:
                continue
            found = versions.get(parsed.name)
            if found is None or not (parsed.url or parsed.specifier.contains(found, prereleases=True)):
                yield Unmet(dependent=dependent, requirement=parsed.text, found=found)


def _parse_for(line: str, environment: TargetEnvironment) -> ParsedRequirement | None:
    """Return the requirement, None where it does not hold in ``environment`` without extras or means nothing."""
    if concerns_another_extra(line, ""):
        return None
    try:
        parsed = parse_requirement(line)
        if parsed.marker_text and not parse_marker(parsed.marker_text).evaluate({**environment.markers, "extra": ""}):
            return None
    except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
        return None
    return parsed
