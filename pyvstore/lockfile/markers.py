"""Where an entry of the lock is installed: which parts of the project want it where → markers (PEP 751).

What the project's own dependencies want carries no name of an extra or a group; what only optional parts want carries
theirs. So installers that know nothing of pyvstore install the project's dependencies always, and the rest when asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from pyvstore.model.parts import DEFAULT_GROUP
from pyvstore.resolution.policy import MAIN_SCOPE
from pyvstore.resolution.universe import Universe

EXTRA = "extra:"
GROUP = "group:"
NOWHERE = "python_version < '3'"
"""A marker that never holds: no lock is for such a Python."""
_GROUP = re.compile(r"'([^']+)' (not )?in dependency_groups")


class ScopeMarkers:
    """Writes markers for masks by scope.

    Args:
        universe: over which the masks are.
        covered: the points that the lock is for; nobody cares about others.
        default_groups: groups that are installed without asking.
    """

    def __init__(self, universe: Universe, covered: int, default_groups: Collection[str] = ()) -> None:
        self._universe = universe
        self._covered = covered
        self._default_groups = default_groups

    def marker(self, scopes: Mapping[str, int]) -> str | None:
        """Return where any of ``scopes`` (scope → where it wants the package) does; None for everywhere."""
        main = scopes.get(MAIN_SCOPE, 0) & self._covered
        if main == self._covered:
            return None
        terms = [self._text(main, self._covered)] if main else []
        terms += self._optional(scopes, self._covered & ~main)
        return " or ".join(filter(None, terms))

    def without_project(self, scopes: Mapping[str, int]) -> str | None:
        """Return where optional parts want what the project's own dependencies want; None where `marker` tells.

        It tells where the two never meet, and whether somebody asks for the project is not mixed up with which optional
        parts are asked for. Otherwise the text holds over all that is covered, and `NOWHERE` says that no optional part
        wants it.
        """
        main = scopes.get(MAIN_SCOPE, 0) & self._covered
        meets = any(scope != MAIN_SCOPE and mask & main for scope, mask in scopes.items())
        if not meets and not self._names_parts(main):
            return None
        return " or ".join(self._optional(scopes, self._covered)) or NOWHERE

    def spoken(self, marker: str | None) -> str | None:
        """Return ``marker`` with what stands for default groups that exclude others beside the groups themselves."""
        return None if marker is None else _GROUP.sub(self._with_default, marker)

    def _with_default(self, found: re.Match[str]) -> str:
        if found[1] not in self._default_groups:
            return found[0]
        if found[2]:
            return f"{found[0]} and '{DEFAULT_GROUP}' not in dependency_groups"
        return f"({found[0]} or '{DEFAULT_GROUP}' in dependency_groups)"

    def _text(self, mask: int, care: int) -> str | None:
        return self.spoken(self._universe.marker_for(mask, care))

    def _names_parts(self, main: int) -> bool:
        text = self._text(main, self._covered) if main else None
        return text is not None and (" in extras" in text or " in dependency_groups" in text)

    def _optional(self, scopes: Mapping[str, int], care: int) -> list[str]:
        """Return one term for each mask that optional scopes have within ``care``."""
        by_term: dict[str, list[str]] = {}
        for scope in sorted(scopes):
            if scope == MAIN_SCOPE:
                continue
            own = care & self._universe.scope_mask(scope)
            wanted = scopes[scope] & own
            if wanted:
                by_term.setdefault(self._text(wanted, own) or "", []).append(scope)
        return [_term(self._conditions(found), where) for where, found in by_term.items()]

    def _conditions(self, scopes: Sequence[str]) -> list[str]:
        conditions = []
        for scope in scopes:
            if scope.startswith(EXTRA):
                conditions.append(f"'{scope.removeprefix(EXTRA)}' in extras")
            else:
                conditions.append(f"'{scope.removeprefix(GROUP)}' in dependency_groups")
        if any(scope.removeprefix(GROUP) in self._default_groups for scope in scopes if scope.startswith(GROUP)):
            conditions.append(f"'{DEFAULT_GROUP}' in dependency_groups")
        return conditions


def _term(conditions: Sequence[str], where: str) -> str:
    named = " or ".join(conditions)
    if not where:
        return named
    named = f"({named})" if len(conditions) > 1 else named
    return f"{named} and ({where})" if " or " in where else f"{named} and {where}"
