"""``requires-python`` texts as they are found, not as they should be.

Old releases carry texts like ``>=3.6.*`` that PEP 440 does not allow. Refusing the release over it would be as wrong as
ignoring the bound, so what can be understood is understood, clause by clause.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pyvstore.model.foreign import parse_specifiers

_ORDERED_WILDCARD = re.compile(r"^(>=|<=|>|<|~=)(.*?)(?:\.\*)+$")


@lru_cache(maxsize=1 << 14)
def lenient_specifier(text: str) -> SpecifierSet:
    """Parse ``text``; clauses beyond understanding bound nothing."""
    try:
        return parse_specifiers(text)
    except InvalidSpecifier:
        pass
    understood = []
    for clause in text.split(","):
        cleaned = _ORDERED_WILDCARD.sub(r"\1\2", re.sub(r"\s+", "", clause))
        try:
            parse_specifiers(cleaned)
        except InvalidSpecifier:
            continue
        understood.append(cleaned)
    return SpecifierSet(",".join(understood))
