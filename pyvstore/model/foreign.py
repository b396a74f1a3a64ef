"""Versions, specifiers, markers and requirements as strangers write them, parsed by ``packaging``.

Python refuses to turn a number of some thousand digits into an integer, with an error that is none of ``packaging``'s
and that comes late: a specifier or a marker is taken apart only when it is compared. So a number that no version has is
refused here, before anything is parsed, in the words that ``packaging`` has for it.
"""

from __future__ import annotations

import re

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

MAXIMUM_DIGITS = 200
"""No number in a version has more; dates and hashes have far fewer."""

_long_number = re.compile(rf"[0-9]{{{MAXIMUM_DIGITS + 1}}}").search
_WHY = f"it has a number of more than {MAXIMUM_DIGITS} digits"


def has_long_number(text: str) -> bool:
    """Tell whether ``text`` has a number that no version has."""
    return len(text) > MAXIMUM_DIGITS and _long_number(text) is not None


def parse_version(text: str) -> Version:
    """Return the version (PEP 440); raises InvalidVersion."""
    if has_long_number(text):
        raise InvalidVersion(_WHY)
    return Version(text)


def parse_specifiers(text: str) -> SpecifierSet:
    """Return the specifiers (PEP 440); raises InvalidSpecifier."""
    if has_long_number(text):
        raise InvalidSpecifier(_WHY)
    return SpecifierSet(text)


def parse_marker(text: str) -> Marker:
    """Return the marker (PEP 508); raises InvalidMarker."""
    if has_long_number(text):
        raise InvalidMarker(_WHY)
    return Marker(text)


def require_meaning(marker: Marker) -> None:
    """Raise InvalidMarker for a marker that no environment gives a meaning.

    That is one that speaks of a lockfile's extras and groups, or compares what cannot be compared so.
    """
    try:
        marker.evaluate(context="requirement")  # for the tool's own environment; the answer is of no interest
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise InvalidMarker(f"{str(marker)!r} has no meaning for an environment") from error


def parse_requirement(text: str) -> Requirement:
    """Return the requirement (PEP 508); raises InvalidRequirement."""
    if has_long_number(text):
        raise InvalidRequirement(_WHY)
    return Requirement(text)
