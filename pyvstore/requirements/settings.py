"""Settings from the user's file, ``[tool.pyvstore]``, ``PYVSTORE_*`` variables and flags → one `Settings`.

Each source becomes a `SettingsLayer` on its own, so that an error names the source; `merge_settings` lets later layers
win key by key. A key that is misspelled, or that this version does not act on, is refused: a setting that is accepted
and ignored is worse than none.

What a repository may say is less than what its user may: it cannot put credentials into URLs and cannot choose where
the store is. An ``index`` list replaces the list of the layers below it; a bare index URL (variable or flag) replaces
only the default index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from packaging.utils import NormalizedName

from pyvstore.errors import UsageError
from pyvstore.model.platforms import DEFAULT_PLATFORMS
from pyvstore.requirements.cutoff import CutOff
from pyvstore.requirements.indexes import PUBLIC_INDEX, IndexSetting, parse_default_index, parse_indexes
from pyvstore.requirements.setting_values import (
    Part,
    alike,
    choice_of,
    parse_bounds,
    parse_conflicts,
    parse_cut_off_setting,
    parse_default_groups,
    parse_flag,
    parse_markers,
    parse_names,
    parse_package_cut_offs,
    parse_package_list,
    parse_platforms,
    wrong_type,
)
from pyvstore.requirements.text import printable

_PARSERS: Mapping[str, Callable[[object, str], object]] = {
    "conflicts": parse_conflicts,
    "constraints": parse_bounds,
    "default-groups": parse_default_groups,
    "environments": parse_markers,
    "exclude": parse_names,
    "exclude-newer": parse_cut_off_setting,
    "exclude-newer-package": parse_package_cut_offs,
    "no-binary": parse_package_list,
    "no-build": parse_package_list,
    "overrides": parse_bounds,
    "package": parse_flag,
    "platforms": parse_platforms,
    "prereleases": choice_of("if-necessary", "allow", "disallow"),
    "required-environments": parse_markers,
    "resolution": choice_of("highest", "lowest", "lowest-direct"),
}
_VARIABLES = ("exclude-newer", "prereleases", "resolution")
_NOT_YET = ("allow-builds", "materialize", "overlap-winners", "overlaps", "sources", "workspace")
_STORE_KEYS = ("home", "store", "store-home", "store-dir")


class Origin(IntEnum):
    """Where a layer comes from; a higher one wins."""

    USER = 0
    PROJECT = 1
    ENVIRONMENT = 2
    FLAGS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsLayer:
    """The checked values of one source.

    Attributes:
        origin: which source.
        values: key as people write it → checked value; a key that the source does not say is not there.
        index: the list of indexes, None where the source has none.
        index_url: the default index as a bare URL.
    """

    origin: Origin
    values: Mapping[str, object] = field(default_factory=dict)
    index: tuple[IndexSetting, ...] | None = None
    index_url: IndexSetting | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What all layers together say. The fields are named like the keys; requirements and markers are canonical texts.

    Attributes:
        indexes: never empty; the first one that has a project answers for it, the default index is last.
        package: whether the project itself is installed; None: when it has a build system.
        platforms: names of `pyvstore.model.platforms`.
        environments: markers that narrow what the lock covers; empty for no limit.
        required_environments: markers of environments where every package must have a file that can be installed.
        constraints: bounds that require nothing by themselves.
        overrides: take the place of every requirement on their name.
        exclude: names that are dropped wherever something requires them.
        exclude_newer: the cut-off for files of all packages but those of ``exclude_newer_package``.
        exclude_newer_package: (name, its own cut-off or None for no limit).
        no_build, no_binary: names, or ``:all:``.
        default_groups: names, or ``:all:``; None: the group ``dev``, if there is one.
        conflicts: sets of extras and groups of which at most one is installed at a time, as they are declared.
        of_user: the keys that the user's file decides, which is about all projects and not about this one.
    """

    indexes: tuple[IndexSetting, ...] = (PUBLIC_INDEX,)
    package: bool | None = None
    prereleases: str = "if-necessary"
    resolution: str = "highest"
    platforms: tuple[str, ...] = DEFAULT_PLATFORMS
    environments: tuple[str, ...] = ()
    required_environments: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    exclude: tuple[NormalizedName, ...] = ()
    exclude_newer: CutOff | None = None
    exclude_newer_package: tuple[tuple[NormalizedName, CutOff | None], ...] = ()
    no_build: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    default_groups: tuple[str, ...] | None = None
    conflicts: tuple[tuple[Part, ...], ...] = ()
    of_user: frozenset[str] = field(default=frozenset(), compare=False)


def user_layer(table: Mapping[str, object]) -> SettingsLayer:
    """Check the user's settings file (its keys stand at the top level).

    Raises:
        UsageError: code ``setting`` or ``setting-unsupported``.
    """
    return _parse_table(table, Origin.USER, "")


def project_layer(pyproject: Mapping[str, object]) -> SettingsLayer:
    """Check ``[tool.pyvstore]`` of a parsed pyproject.toml.

    Raises:
        UsageError: code ``setting`` or ``setting-unsupported``.
    """
    tool = pyproject.get("tool", {})
    if not isinstance(tool, Mapping):
        raise wrong_type("tool", tool, "a table")
    table = tool.get("pyvstore", {})
    if not isinstance(table, Mapping):
        raise wrong_type("tool.pyvstore", table, "a table")
    return _parse_table(table, Origin.PROJECT, "tool.pyvstore.")


def environment_layer(variables: Mapping[str, str]) -> SettingsLayer:
    """Take the ``PYVSTORE_*`` variables that are settings; an empty one counts as unset.

    Raises:
        UsageError: code ``setting``.
    """
    names = {key: f"PYVSTORE_{key.replace('-', '_').upper()}" for key in _VARIABLES}
    url = variables.get("PYVSTORE_INDEX_URL") or None
    return SettingsLayer(
        origin=Origin.ENVIRONMENT,
        values={key: _PARSERS[key](variables[name], name) for key, name in names.items() if variables.get(name)},
        index_url=None if url is None else parse_default_index(url, "PYVSTORE_INDEX_URL"),
    )


def flags_layer(*, index_url: str | None = None, **values: str | None) -> SettingsLayer:
    """Check what was given on the command line, by the keys' names with underscores; None means not given.

    Raises:
        UsageError: code ``setting``.
    """
    given = {name.replace("_", "-"): value for name, value in values.items() if value is not None}
    return SettingsLayer(
        origin=Origin.FLAGS,
        values={key: _PARSERS[key](value, f"--{key}") for key, value in given.items()},
        index_url=None if index_url is None else parse_default_index(index_url, "--index-url"),
    )


def merge_settings(layers: Iterable[SettingsLayer]) -> Settings:
    """Return the settings that all ``layers`` together mean; the order in which they are given does not matter."""
    values: dict[str, object] = {}
    origins: dict[str, Origin] = {}
    listed: tuple[IndexSetting, ...] = ()
    default = PUBLIC_INDEX
    for layer in sorted(layers, key=lambda layer: layer.origin):
        if layer.index is not None:
            listed = tuple(index for index in layer.index if not index.default)
            default = next((index for index in layer.index if index.default), PUBLIC_INDEX)
        default = layer.index_url or default
        values.update(layer.values)
        origins.update(dict.fromkeys(layer.values, layer.origin))
    named = {key.replace("-", "_"): value for key, value in values.items()}
    of_user = frozenset(key for key, origin in origins.items() if origin is Origin.USER)
    return Settings(indexes=(*listed, default), of_user=of_user, **named)  # type: ignore[arg-type]


def _parse_table(table: Mapping[str, object], origin: Origin, prefix: str) -> SettingsLayer:
    for key in table:
        if key not in _PARSERS and key != "index":
            raise _refusal(key, prefix + printable(key))
    index = None
    if "index" in table:
        index = parse_indexes(table["index"], f"{prefix}index", credentials_allowed=origin is not Origin.PROJECT)
    values = {key: parse(table[key], prefix + key) for key, parse in _PARSERS.items() if key in table}
    return SettingsLayer(origin=origin, values=values, index=index)


def _refusal(key: str, place: str) -> UsageError:
    if key in _STORE_KEYS:
        return UsageError(
            f"{place}: where the store is cannot be set in a file",
            code="setting",
            hint="set the variable PYVSTORE_HOME",
        )
    if key in _NOT_YET:
        return UsageError(
            f"{place}: this version does not support this setting yet",
            code="setting-unsupported",
            hint=f"remove `{key}`",
        )
    known = ("index", *_PARSERS, *_NOT_YET)
    return UsageError(f"{place}: there is no such setting", code="setting", hint=alike(key, known))
