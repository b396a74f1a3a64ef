"""Settings from the user's file, ``[tool.pyvstore]``, ``PYVSTORE_*`` variables and flags → one `Settings`.

Each source becomes a `SettingsLayer` on its own, so that an error names the source; `merge_settings` lets later layers
win key by key. A key that is misspelled, or that this version does not act on, is refused: a setting that is accepted
and ignored is worse than none.

What a repository may say is less than what its user may: it cannot put credentials into URLs and cannot choose where
the store is. An ``index`` list replaces the list of the layers below it; a bare index URL (variable or flag) replaces
only the default index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from pyvstore.errors import UsageError
from pyvstore.requirements.project import describe_type
from pyvstore.requirements.text import printable
from pyvstore.requirements.urls import IndexLocation, parse_index_url

PUBLIC_INDEX_URL = "https://" + ".".join(("py" + "pi", "org")) + "/simple/"
"""The index that is asked when no layer names a default one."""

PRERELEASES = ("if-necessary", "allow", "disallow")
RESOLUTIONS = ("highest", "lowest", "lowest-direct")

_CHOICES = {"prereleases": PRERELEASES, "resolution": RESOLUTIONS}
_ACTIVE = ("index", "package", *_CHOICES)
_NOT_YET = (
    "allow-builds",
    "conflicts",
    "constraints",
    "default-groups",
    "environments",
    "exclude",
    "exclude-newer",
    "materialize",
    "no-binary",
    "no-build",
    "overlap-winners",
    "overlaps",
    "overrides",
    "platforms",
    "required-environments",
    "sources",
    "workspace",
)
_STORE_KEYS = ("home", "store", "store-home", "store-dir")
_INDEX_KEYS = ("name", "url", "default")
_INDEX_NOT_YET = ("explicit",)


class Origin(IntEnum):
    """Where a layer comes from; a higher one wins."""

    USER = 0
    PROJECT = 1
    ENVIRONMENT = 2
    FLAGS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSetting:
    """One index, in the order in which indexes are asked.

    Attributes:
        name: what people call it; the host when they gave it no name.
        location: see `IndexLocation`.
        default: whether it takes the public index's place (and is asked last).
    """

    name: str
    location: IndexLocation
    default: bool = False

    @property
    def url(self) -> str:
        """The index root, without credentials."""
        return self.location.url


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsLayer:
    """The checked values of one source; None where the source says nothing."""

    origin: Origin
    index: tuple[IndexSetting, ...] | None = None
    index_url: IndexSetting | None = None
    package: bool | None = None
    prereleases: str | None = None
    resolution: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What all layers together say.

    Attributes:
        indexes: never empty; the first one that has a project answers for it, the default index is last.
        package: whether the project itself is installed; None: when it has a build system.
        prereleases: one of `PRERELEASES`.
        resolution: one of `RESOLUTIONS`.
    """

    indexes: tuple[IndexSetting, ...] = field(
        default_factory=lambda: (
            IndexSetting(name="public", location=IndexLocation(url=PUBLIC_INDEX_URL), default=True),
        )
    )
    package: bool | None = None
    prereleases: str = "if-necessary"
    resolution: str = "highest"


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
        raise _wrong_type("tool", tool, "a table")
    table = tool.get("pyvstore", {})
    if not isinstance(table, Mapping):
        raise _wrong_type("tool.pyvstore", table, "a table")
    return _parse_table(table, Origin.PROJECT, "tool.pyvstore.")


def environment_layer(variables: Mapping[str, str]) -> SettingsLayer:
    """Take the ``PYVSTORE_*`` variables that are settings; an empty one counts as unset.

    Raises:
        UsageError: code ``setting``.
    """
    url = variables.get("PYVSTORE_INDEX_URL") or None
    choices = {
        key: _parse_choice(key, value, f"PYVSTORE_{key.upper()}")
        for key in _CHOICES
        if (value := variables.get(f"PYVSTORE_{key.upper()}"))
    }
    return SettingsLayer(
        origin=Origin.ENVIRONMENT,
        index_url=None if url is None else _default_index(url, "PYVSTORE_INDEX_URL"),
        prereleases=choices.get("prereleases"),
        resolution=choices.get("resolution"),
    )


def flags_layer(
    *,
    index_url: str | None = None,
    package: bool | None = None,
    prereleases: str | None = None,
    resolution: str | None = None,
) -> SettingsLayer:
    """Check what was given on the command line; None means not given.

    Raises:
        UsageError: code ``setting``.
    """
    return SettingsLayer(
        origin=Origin.FLAGS,
        index_url=None if index_url is None else _default_index(index_url, "--index-url"),
        package=package,
        prereleases=None if prereleases is None else _parse_choice("prereleases", prereleases, "--prereleases"),
        resolution=None if resolution is None else _parse_choice("resolution", resolution, "--resolution"),
    )


def merge_settings(layers: Iterable[SettingsLayer]) -> Settings:
    """Return the settings that all ``layers`` together mean; the order in which they are given does not matter."""
    merged = Settings()
    listed: tuple[IndexSetting, ...] = ()
    default = merged.indexes[-1]
    package, prereleases, resolution = merged.package, merged.prereleases, merged.resolution
    for layer in sorted(layers, key=lambda layer: layer.origin):
        if layer.index is not None:
            listed = tuple(index for index in layer.index if not index.default)
            default = next((index for index in layer.index if index.default), merged.indexes[-1])
        default = layer.index_url or default
        package = package if layer.package is None else layer.package
        prereleases = layer.prereleases or prereleases
        resolution = layer.resolution or resolution
    return Settings(indexes=(*listed, default), package=package, prereleases=prereleases, resolution=resolution)


def _parse_table(table: Mapping[str, object], origin: Origin, prefix: str) -> SettingsLayer:
    for key in table:
        if key not in _ACTIVE:
            raise _refusal(key, prefix + printable(key))
    package = table.get("package")
    if package is not None and not isinstance(package, bool):
        raise _wrong_type(f"{prefix}package", package, "true or false")
    choices = {key: _parse_choice(key, table[key], prefix + key) for key in _CHOICES if key in table}
    return SettingsLayer(
        origin=origin,
        index=_parse_indexes(table["index"], origin, f"{prefix}index") if "index" in table else None,
        package=package,
        prereleases=choices.get("prereleases"),
        resolution=choices.get("resolution"),
    )


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
    return UsageError(f"{place}: there is no such setting", code="setting", hint=_alike(key, (*_ACTIVE, *_NOT_YET)))


def _parse_indexes(value: object, origin: Origin, place: str) -> tuple[IndexSetting, ...]:
    if not isinstance(value, list):
        raise _wrong_type(place, value, "a list of tables")
    indexes: list[IndexSetting] = []
    for position, table in enumerate(value):
        if not isinstance(table, Mapping):
            raise _wrong_type(f"{place}[{position}]", table, "a table")
        index = _parse_index(table, origin, f"{place}[{position}]")
        if any(other.name == index.name for other in indexes):
            raise UsageError(f"{place}[{position}].name: {index.name!r} is used twice", code="setting")
        if index.default and any(other.default for other in indexes):
            raise UsageError(f"{place}[{position}].default: there can be only one default index", code="setting")
        indexes.append(index)
    return tuple(indexes)


def _parse_index(table: Mapping[str, object], origin: Origin, place: str) -> IndexSetting:
    for key in table:
        if key in _INDEX_NOT_YET:
            raise UsageError(f"{place}.{key}: this version does not support this yet", code="setting-unsupported")
        if key not in _INDEX_KEYS:
            raise UsageError(
                f"{place}.{printable(key)}: there is no such setting", code="setting", hint=_alike(key, _INDEX_KEYS)
            )
    url, name, default = table.get("url"), table.get("name"), table.get("default", False)
    if not isinstance(url, str):
        raise UsageError(f"{place}.url: is missing or not a text", code="setting")
    if name is not None and (not isinstance(name, str) or not name.isprintable() or not name.strip()):
        raise UsageError(f"{place}.name: must be a text of one line", code="setting")
    if not isinstance(default, bool):
        raise _wrong_type(f"{place}.default", default, "true or false")
    location = _parse_url(url, f"{place}.url")
    if origin is Origin.PROJECT and location.username is not None:
        raise UsageError(
            f"{place}.url: a committed file must not hold credentials",
            code="setting",
            hint="put the URL with its credentials into your own settings file or into PYVSTORE_INDEX_URL",
        )
    return IndexSetting(name=name or _host(location), location=location, default=default)


def _default_index(url: str, place: str) -> IndexSetting:
    location = _parse_url(url, place)
    return IndexSetting(name=_host(location), location=location, default=True)


def _parse_url(text: str, place: str) -> IndexLocation:
    try:
        return parse_index_url(text)
    except ValueError as error:
        raise UsageError(f"{place}: the URL {error}", code="setting") from error


def _host(location: IndexLocation) -> str:
    return location.url.split("/")[2] or "file"


def _parse_choice(key: str, value: object, place: str) -> str:
    choices = _CHOICES[key]
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(f"`{choice}`" for choice in choices)
        shown = repr(value[:100]) if isinstance(value, str) else describe_type(value)
        raise UsageError(f"{place}: {shown} is not one of {listed}", code="setting")
    return value


def _alike(key: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # only people who mistyped pay for it

    matches = get_close_matches(key.lower().replace("_", "-"), sorted(known), n=1)
    return f"did you mean `{matches[0]}`?" if matches else None


def _wrong_type(place: str, value: object, wanted: str) -> UsageError:
    return UsageError(f"{place}: must be {wanted}, not {describe_type(value)}", code="setting")
