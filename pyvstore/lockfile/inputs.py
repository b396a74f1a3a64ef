"""What a lock is made from: everything outside the index that can change the answer.

The inputs are written into the lock as they are, so that a stale lock can say what changed, and as a digest over them,
so that an edit or a merge by hand, which joins the lines of two branches but cannot join two digests, is noticed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

DEPENDENCIES_TABLE = "project.dependencies"
_DIGEST_FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class LockInputs:
    """The inputs of one lock; equal inputs are equal values.

    Attributes:
        requirements: (table, canonical requirement), sorted; the table is ``project.dependencies``,
            ``project.optional-dependencies.<extra>`` or ``dependency-groups.<group>``.
        requires_python: canonical specifier text; "" when the project does not say.
        index_urls: in the order in which they are asked, without credentials.
        settings: (key, value) of the settings that change the answer and differ from the default, sorted.
        environments: declared environment markers, canonical, in order.
    """

    requirements: tuple[tuple[str, str], ...] = ()
    requires_python: str = ""
    index_urls: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    environments: tuple[str, ...] = ()


def optional_table(extra: str) -> str:
    """Return the table path of an extra's requirements."""
    return f"project.optional-dependencies.{extra}"


def group_table(group: str) -> str:
    """Return the table path of a dependency group's requirements."""
    return f"dependency-groups.{group}"


def scope_of(table: str) -> str:
    """Return the scope whose requirements stand in ``table``: ``extra:<name>``, ``group:<name>``, or ""."""
    for prefix, kind in ((optional_table(""), "extra"), (group_table(""), "group")):
        if table.startswith(prefix):
            return f"{kind}:{table.removeprefix(prefix)}"
    return ""


def digest(inputs: LockInputs) -> str:
    """Return ``sha256:<hex>`` of the inputs; the same on every machine and Python."""
    value = [
        _DIGEST_FORMAT,
        inputs.requirements,
        inputs.requires_python,
        inputs.index_urls,
        inputs.settings,
        inputs.environments,
    ]
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode('ascii')).hexdigest()}"
