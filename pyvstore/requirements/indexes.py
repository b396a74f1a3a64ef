"""``[[tool.pyvstore.index]]`` → `IndexSetting`; what a repository may not say about an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyvstore.errors import UsageError
from pyvstore.requirements.setting_values import alike, wrong_type
from pyvstore.requirements.text import printable
from pyvstore.requirements.urls import IndexLocation, parse_index_url

PUBLIC_INDEX_URL = "https://" + ".".join(("py" + "pi", "org")) + "/simple/"
"""The index that is asked when no layer names a default one."""

_INDEX_KEYS = ("name", "url", "default")
_INDEX_NOT_YET = ("explicit",)


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


PUBLIC_INDEX = IndexSetting(name="public", location=IndexLocation(url=PUBLIC_INDEX_URL), default=True)


def parse_indexes(value: object, place: str, *, credentials_allowed: bool) -> tuple[IndexSetting, ...]:
    """Return the indexes of a list of tables, in its order.

    Raises UsageError: ``setting``, ``setting-unsupported``.
    """
    if not isinstance(value, list):
        raise wrong_type(place, value, "a list of tables")
    indexes: list[IndexSetting] = []
    for position, table in enumerate(value):
        if not isinstance(table, Mapping):
            raise wrong_type(f"{place}[{position}]", table, "a table")
        index = _parse_index(table, f"{place}[{position}]", credentials_allowed=credentials_allowed)
        if any(other.name == index.name for other in indexes):
            raise UsageError(f"{place}[{position}].name: {index.name!r} is used twice", code="setting")
        if index.default and any(other.default for other in indexes):
            raise UsageError(f"{place}[{position}].default: there can be only one default index", code="setting")
        indexes.append(index)
    return tuple(indexes)


def _parse_index(table: Mapping[str, object], place: str, *, credentials_allowed: bool) -> IndexSetting:
    for key in table:
        if key in _INDEX_NOT_YET:
            raise UsageError(f"{place}.{key}: this version does not support this yet", code="setting-unsupported")
        if key not in _INDEX_KEYS:
            raise UsageError(
                f"{place}.{printable(key)}: there is no such setting", code="setting", hint=alike(key, _INDEX_KEYS)
            )
    url, name, default = table.get("url"), table.get("name"), table.get("default", False)
    if not isinstance(url, str):
        raise UsageError(f"{place}.url: is missing or not a text", code="setting")
    if name is not None and (not isinstance(name, str) or not name.isprintable() or not name.strip()):
        raise UsageError(f"{place}.name: must be a text of one line", code="setting")
    if not isinstance(default, bool):
        raise wrong_type(f"{place}.default", default, "true or false")
    location = _parse_url(url, f"{place}.url")
    if not credentials_allowed and location.username is not None:
        raise UsageError(
            f"{place}.url: a committed file must not hold credentials",
            code="setting",
            hint="put the URL with its credentials into your own settings file or into PYVSTORE_INDEX_URL",
        )
    return IndexSetting(name=name or _host(location), location=location, default=default)


def parse_default_index(url: str, place: str) -> IndexSetting:
    """Return the default index that a bare URL names; raises UsageError (``setting``)."""
    location = _parse_url(url, place)
    return IndexSetting(name=_host(location), location=location, default=True)


def _parse_url(text: str, place: str) -> IndexLocation:
    try:
        return parse_index_url(text)
    except ValueError as error:
        raise UsageError(f"{place}: the URL {error}", code="setting") from error


def _host(location: IndexLocation) -> str:
    return location.url.split("/")[2] or "file"
