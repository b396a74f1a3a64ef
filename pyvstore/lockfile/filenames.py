"""Wheel file names, checked and taken apart as text.

A lock for every platform names thousands of wheels, and an environment uses one in twenty. ``packaging`` builds a `Tag`
for each combination in each name; here a tag stays text, and each distinct tag triple is looked at once. What is
accepted is a subset of what ``packaging.utils.parse_wheel_filename`` accepts.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from pyvstore.model import foreign

MAXIMUM_LENGTH = 255
"""Bytes of a path component on every common filesystem."""

_MAXIMUM_TAGS = 512
_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-(?P<version>[A-Za-z0-9._+!]+)"
    r"(?:-(?P<build>[0-9][A-Za-z0-9._+!]*))?-(?P<tags>[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+)\.whl"
)
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!~-]*")
_BUILD_NUMBER = re.compile(r"[0-9]+")


def check_filename(filename: str) -> None:
    """Refuse what is not safe as one component of a path on every platform.

    Raises:
        ValueError: with a reason that goes after "the file name …".
    """
    if len(filename) > MAXIMUM_LENGTH:
        raise ValueError("is longer than 255 characters")
    if not _SAFE.fullmatch(filename):
        raise ValueError(f"{filename!r} has characters that it cannot have")


def parse_wheel_version(filename: str, name: NormalizedName) -> Version:
    """Return the version in a wheel's file name.

    Raises:
        ValueError: with a reason that goes after "the file name …"; it is not a wheel of project ``name``.
    """
    check_filename(filename)
    match = _WHEEL.fullmatch(filename)
    if match is None or "__" in match["name"]:
        raise ValueError(f"{filename!r} is not that of a wheel")
    if _normalize(match["name"]) != name:
        raise ValueError(f"{filename!r} is not that of a wheel of {name}")
    expand_tags(match["tags"])
    return parse_version(match["version"])


@lru_cache(maxsize=8192)
def expand_tags(triple: str) -> tuple[str, ...]:
    """Return the tags that a compressed triple stands for, in lower case: ``py2.py3-none-any`` are two (PEP 425).

    Raises:
        ValueError: with a reason that goes after "the file name …".
    """
    interpreters, abis, platforms = (part.split(".") for part in triple.lower().split("-"))
    if "" in interpreters or "" in abis or "" in platforms or not all(part.isidentifier() for part in interpreters):
        raise ValueError(f"has the malformed tag {triple!r}")
    if len(interpreters) * len(abis) * len(platforms) > _MAXIMUM_TAGS:
        raise ValueError("stands for too many tags")
    return tuple(f"{python}-{abi}-{platform}" for python in interpreters for abi in abis for platform in platforms)


def tag_triple(filename: str) -> str:
    """Return the tag part of a checked wheel file name, still compressed."""
    return "-".join(filename[: -len(".whl")].rsplit("-", 3)[1:])


def build_number(filename: str) -> tuple[int, str]:
    """Return the build tag of a checked wheel file name as a key that sorts; no build tag sorts before all."""
    parts = filename.split("-")
    if len(parts) != 6:
        return (-1, "")
    number = _BUILD_NUMBER.match(parts[2])
    digits = number.group() if number else "0"
    return int(digits), parts[2][len(digits) :]


@lru_cache(maxsize=4096)
def parse_version(text: str) -> Version:
    """Return the version.

    Raises:
        ValueError: with a reason that goes after "the file name …".
    """
    try:
        return foreign.parse_version(text)
    except InvalidVersion:
        raise ValueError(f"has {text!r} where a version belongs") from None


@lru_cache(maxsize=4096)
def _normalize(name: str) -> NormalizedName:
    return canonicalize_name(name)
