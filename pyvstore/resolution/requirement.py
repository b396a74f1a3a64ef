"""A parsed requirement line, a requirement with the mask under which it holds, and a candidate.

The last two are the currency of the search and exist in the tens of thousands, hence slots and identity semantics.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from pyvstore.model import foreign
from pyvstore.resolution.source import OfferedRelease

EVERY = -1
"""All bits set: a specifier that bounds nothing."""

LONGEST_NAME = 255
"""Of a project, in characters: no index can have a longer one."""

_EXTRA_EQUALS = re.compile(r"""\bextra\s*==\s*["']([^"']*)["']""")
_OR = re.compile(r"\bor\b")


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedRequirement:
    """One requirement, normalised.

    Attributes:
        name: normalised project name.
        extras: normalised, sorted.
        specifier: version specifiers; ``specifier_text`` is their canonical text and the key of caches.
        marker_text: the marker's canonical text, "" for none.
        url: a direct reference, or None.
        text: canonical text without the marker, for sentences: ``numpy[test]>=1.26``.
        is_pinned: whether exactly one public version is named.
        is_capped: whether new versions are shut out (a pin included).
    """

    name: NormalizedName
    extras: tuple[NormalizedName, ...]
    specifier: SpecifierSet
    specifier_text: str
    marker_text: str
    url: str | None
    text: str
    is_pinned: bool
    is_capped: bool


@lru_cache(maxsize=1 << 16)
def parse_requirement(line: str) -> ParsedRequirement:
    """Parse one ``Requires-Dist`` line (PEP 508).

    Raises:
        packaging.requirements.InvalidRequirement: the line is malformed, or its name longer than `LONGEST_NAME`.
    """
    parsed = foreign.parse_requirement(line)
    if len(parsed.name) > LONGEST_NAME:
        raise InvalidRequirement(f"the name has {len(parsed.name)} characters")
    return normalise(parsed)


def normalise(requirement: Requirement) -> ParsedRequirement:
    """Return ``requirement`` with normalised names and canonical texts."""
    name = canonicalize_name(requirement.name)
    extras = tuple(sorted({canonicalize_name(extra) for extra in requirement.extras}))
    specifier_text = str(requirement.specifier)
    shown = name + (f"[{','.join(extras)}]" if extras else "") + specifier_text
    return ParsedRequirement(
        name=name,
        extras=extras,
        specifier=requirement.specifier,
        specifier_text=specifier_text,
        marker_text=str(requirement.marker) if requirement.marker else "",
        url=requirement.url,
        text=f"{shown} @ {requirement.url}" if requirement.url else shown,
        is_pinned=any(s.operator in {"==", "==="} and not s.version.endswith(".*") for s in requirement.specifier),
        is_capped=any(s.operator in {"==", "===", "<", "<=", "~="} for s in requirement.specifier),
    )


def concerns_another_extra(line: str, extra: str) -> bool:
    """Tell from the text alone that ``line`` can only hold for an extra other than ``extra``.

    Most lines of packages with many extras are thereby never parsed. Lines with an ``or`` are left to the parser.
    """
    _, separator, marker = line.partition(";")
    if not separator or "extra" not in marker or _OR.search(marker):
        return False
    named = _EXTRA_EQUALS.findall(marker)
    return bool(named) and any(canonicalize_name(found) != extra for found in named)


class MaskedRequirement:
    """A requirement as the search sees it.

    Attributes:
        name: the project that it is about; for impossible requirements a text that is no project's name.
        mask: the points where it holds.
        parsed: what it was made from; None marks the *impossible* requirement of an unusable release: nothing
            satisfies it, and so it rejects the release that requires it.
        allowed: the versions that satisfy its specifier, as a mask over the project's releases (oldest = bit 0);
            `EVERY` until the releases are known.
    """

    __slots__ = ("allowed", "mask", "name", "parsed")

    def __init__(self, name: str, mask: int, parsed: ParsedRequirement | None) -> None:
        self.name = name
        self.mask = mask
        self.parsed = parsed
        self.allowed = EVERY


class Candidate:
    """A release that might be chosen for its project.

    Attributes:
        rank: position among the project's releases, oldest = 0; ``bit`` is ``1 << rank``.
        mask: the points that it was chosen to serve; what it requires is required there at most.
        extras: the extras that it was chosen with, and where each is wanted.
    """

    __slots__ = ("bit", "extras", "mask", "name", "rank", "release")

    def __init__(self, rank: int, release: OfferedRelease, mask: int, extras: Mapping[str, int]) -> None:
        self.name: str = release.name
        self.rank = rank
        self.bit = 1 << rank
        self.release = release
        self.mask = mask
        self.extras = extras
