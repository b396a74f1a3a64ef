"""The one spelling of a requirement, a specifier and a marker that pyvstore writes.

``packaging`` sorts specifiers as text (``<2,>=1``) and quotes markers with ``"``. People write the lower bound first,
and these texts stand inside double-quoted TOML strings, so both are turned round here. Every function returns the same
text for equal values: lockfiles and input digests are made of these texts.
"""

from __future__ import annotations

from functools import lru_cache

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from pyvstore.model import foreign

_OPERATOR_ORDER = (">=", ">", "~=", "==", "===", "<", "<=", "!=")


def format_specifiers(specifiers: SpecifierSet) -> str:
    """Return ``>=1,<2,!=1.5``: lower bounds, upper bounds, exclusions; "" for no bound at all."""
    return ",".join(str(specifier) for specifier in sorted(specifiers, key=_specifier_key))


def _specifier_key(specifier: Specifier) -> tuple[int, str]:
    return _OPERATOR_ORDER.index(specifier.operator), specifier.version


def format_marker(marker: Marker) -> str:
    """Return the marker with single quotes, unless a value of it holds one itself."""
    text = str(marker)
    return text if "'" in text else text.replace('"', "'")


@lru_cache(maxsize=4096)
def parse_marker(text: str) -> Marker:
    """Return the marker; equal texts are parsed once (a lock repeats few markers often).

    Raises:
        packaging.markers.InvalidMarker: ``text`` is not a marker.
    """
    return foreign.parse_marker(text)


def format_requirement(requirement: Requirement) -> str:
    """Return ``name[extra]>=1,<2 ; marker`` with the name and the extras normalised."""
    text = str(canonicalize_name(requirement.name))
    if requirement.extras:
        text += f"[{','.join(sorted(canonicalize_name(extra) for extra in requirement.extras))}]"
    if requirement.url is not None:
        text += f" @ {requirement.url}"
    else:
        text += format_specifiers(requirement.specifier)
    if requirement.marker is not None:
        text += f" ; {format_marker(requirement.marker)}"
    return text


def printable(text: str) -> str:
    """Return ``text`` with escapes for what could move a terminal's cursor or turn the writing direction."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


def show_text(text: str) -> str:
    """Return a requirement that could not be read as a literal for messages; a URL in it may hold a password."""
    return "the entry with a URL" if "://" in text else repr(text)


def with_lower_bound(requirement: Requirement, version: Version) -> Requirement:
    """Return ``requirement`` with ``>=version`` when it bounds nothing yet; otherwise an equal one.

    The epoch and pre-, post- and development parts stay, because the version just chosen must satisfy the bound; a
    local part goes, because ``>=`` does not take one (PEP 440).
    """
    bounded = Requirement(format_requirement(requirement))
    if bounded.url is None and not bounded.specifier:
        bounded.specifier = SpecifierSet(f">={version.public}")
    return bounded
