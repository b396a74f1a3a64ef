"""Options that several commands share: which parts of the project, and settings for this once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pyvstore.errors import UsageError
from pyvstore.model.parts import Parts

DEV = "dev"
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)

PART_FLAGS = {
    "--all-extras": "all_extras",
    "--all-groups": "all_groups",
    "--no-default-groups": "no_default_groups",
    "--dev": "dev",
    "--no-dev": "no_dev",
    "--only-dev": "only_dev",
}
PART_VALUES = {"--extra": "extra", "--group": "group", "--no-group": "no_group", "--only-group": "only_group"}
SETTING_VALUES = {"--resolution": "resolution", "--prereleases": "prereleases", "--exclude-newer": "exclude_newer"}


@dataclass(frozen=True, slots=True)
class Edit:
    """Where `add` and `remove` edit (``table`` as the lock's inputs name it), and how the environment is made."""

    table: str
    python: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lock:
    """What `lock` is asked for; ``packages`` are requirements whose versions are given up."""

    check: bool = False
    upgrade: bool = False
    packages: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)


def table_from(group: str | None, optional: str | None, *, dev: bool) -> str:
    """Return the list that options name; raises UsageError for more than one, and for a name that is none."""
    tables = [] if group is None else [f"dependency-groups.{_valid(group, '--group')}"]
    tables += [f"dependency-groups.{DEV}"] if dev else []
    tables += [] if optional is None else [f"project.optional-dependencies.{_valid(optional, '--optional')}"]
    if len(set(tables)) > 1:
        raise UsageError("--group, --dev and --optional name different lists", hint="use one of them")
    return tables[0] if tables else "project.dependencies"


def parts_from(given: Mapping[str, object]) -> Parts | None:
    """Return the parts that options ask for, by the names above; None when they ask for none.

    Raises UsageError for options that contradict each other.
    """
    extras, groups, without, only = (_names(given.get(key)) for key in PART_VALUES.values())
    groups += [DEV] if given.get("dev") else []
    without += [DEV] if given.get("no_dev") else []
    only += [DEV] if given.get("only_dev") else []
    parts = Parts(
        extras=_sorted(extras),
        all_extras=bool(given.get("all_extras")),
        groups=_sorted(groups),
        all_groups=bool(given.get("all_groups")),
        without_groups=_sorted(without),
        no_default_groups=bool(given.get("no_default_groups")),
        only_groups=_sorted(only),
    )
    if only and (extras or groups or parts.all_extras or parts.all_groups):
        raise UsageError(
            "--only-group leaves out everything else, so no extra and no other group can be asked for",
            hint="use several --only-group, or --group",
        )
    return parts if parts != Parts() else None


def settings_from(given: Mapping[str, object]) -> dict[str, str]:
    """Return the settings that options give a value, by the names above."""
    return {key: str(given[key]) for key in SETTING_VALUES.values() if given.get(key) is not None}


def _names(value: object) -> list[str]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    # As `packaging` has it (PEP 503), without its import.
    return [re.sub(r"[-_.]+", "-", str(name)).lower() for name in values]


def _valid(name: str, option: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{option}: {name[:100]!a} is not a valid name", hint="use letters, digits and `-` between them"
        )
    return _names([name])[0]


def _sorted(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
