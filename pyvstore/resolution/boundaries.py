"""The Python versions at which a text changes its mind.

A Python interval of the lattice stands for all its patch releases. Where a text tells two of them apart the interval
must be cut. A *boundary* is the text of the first final release on the upper side, ``3.11.4``; cuts at a minor release
are there from the start and are not reported.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.version import InvalidVersion

from pyvstore.model.foreign import parse_version

_CLAUSE = re.compile(r"(===|==|~=|!=|<=|>=|<|>)\s*([^\s,;)]+)")
_FULL = r"(?:python_full_version|implementation_version)"
_OPERATOR = r"(===|==|~=|!=|<=|>=|<|>|not\s+in|in)"
_FORWARD = re.compile(_FULL + r"\s*" + _OPERATOR + r"""\s*["']([^"']*)["']""")
_REVERSED = re.compile(r"""["']([^"']*)["']\s*""" + _OPERATOR + r"\s*" + _FULL)
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@lru_cache(maxsize=1 << 14)
def specifier_boundaries(text: str) -> frozenset[str]:
    """Return the boundaries that a ``requires-python`` text names."""
    found: set[str] = set()
    for operator, version in _CLAUSE.findall(text):
        found.update(_boundaries(operator, version))
    return frozenset(found)


@lru_cache(maxsize=1 << 14)
def marker_boundaries(text: str) -> frozenset[str]:
    """Return the boundaries that a marker names through ``python_full_version`` or ``implementation_version``."""
    found: set[str] = set()
    for operator, version in _FORWARD.findall(text):
        for one in re.split(r"[\s,]+", version):
            found.update(_boundaries(operator, one))
    for version, operator in _REVERSED.findall(text):
        found.update(_boundaries(_FLIPPED.get(operator, operator), version))
    return frozenset(found)


def _boundaries(operator: str, text: str) -> set[str]:
    if text.endswith(".*"):
        text = text[:-2]
        if text.count(".") < 2:
            return set()
    try:
        version = parse_version(text)
    except InvalidVersion:
        return set()
    first = (version.major, version.minor, version.micro)
    after = (*first[:2], first[2] + 1)
    # A pre-release of X.Y.Z lies between the final releases X.Y.(Z-1) and X.Y.Z: every operator cuts at the latter.
    if version.is_prerelease or operator in {">=", "<", "~="}:
        cuts = {first}
    elif operator in {">", "<="}:
        cuts = {after}
    else:
        cuts = {first, after}
    return {".".join(map(str, cut)) for cut in cuts if cut[2]}
