"""What pyvstore writes into a lockfile beside the standard: inputs, forks, and where an edge holds.

PEP 751 compares the keys of a ``dependencies`` entry with those of packages, so a marker cannot stand there; edges that
hold only somewhere are listed again, with their marker, in the package's own ``tool.pyvstore.dependency-markers``.
All texts from here may be shown to people, so they must be printable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.utils import NormalizedName, is_normalized_name
from packaging.version import InvalidVersion

from pyvstore.lockfile.document import DependencyEdge
from pyvstore.lockfile.inputs import LockInputs
from pyvstore.lockfile.rows import PlaceError
from pyvstore.model.foreign import parse_version, require_meaning
from pyvstore.requirements.text import format_marker, parse_marker

_PLACE = "tool.pyvstore"


def parse_own_table(table: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """Return ``tool.pyvstore`` of ``table``, empty where there is none; ``tool`` itself is known to be a table.

    Raises:
        PlaceError: it is not a table.
    """
    own = (table.get("tool") or {}).get("pyvstore", {})
    if not isinstance(own, dict):
        raise PlaceError(f"{place}: must be a table")
    return own


def parse_forks(own: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the markers of the regions that were resolved apart."""
    return tuple(_fork(text, f"{_PLACE}.forks[{index}]") for index, text in enumerate(_texts(own, "forks", _PLACE)))


def _fork(text: str, place: str) -> str:
    marker = _marker_text(text, place)
    try:
        parse_marker(marker).evaluate({"extras": set(), "dependency_groups": set()}, context="lock_file")
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise PlaceError(f"{place}: {error}") from None
    return marker


def require_environment_marker(marker: Marker, place: str) -> None:
    """Refuse a marker that is to tell environments apart and cannot; raises PlaceError."""
    try:
        require_meaning(marker)
    except InvalidMarker as error:
        raise PlaceError(f"{place}: {error}") from None


def parse_default_members(own: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the groups that are installed without asking, None where the lock does not say."""
    return _texts(own, "default-groups", _PLACE) if "default-groups" in own else None


def parse_conflicts(own: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return the sets of parts of which at most one can be installed at a time."""
    value = own.get("conflicts", [])
    if not isinstance(value, list):
        raise PlaceError(f"{_PLACE}.conflicts: must be a list")
    return tuple(
        _texts({f"conflicts[{index}]": parts}, f"conflicts[{index}]", _PLACE) for index, parts in enumerate(value)
    )


def parse_without_project(row: Mapping[str, Any], place: str) -> Marker | None:
    """Return where the package whose TOML table is ``row`` is wanted without the project's own dependencies."""
    text = parse_own_table(row, f"{place}.tool.pyvstore").get("without-project")
    return None if text is None else parse_marker(_marker_text(text, f"{place}.tool.pyvstore.without-project"))


def parse_input_digest(own: Mapping[str, Any]) -> str | None:
    """Return the recorded digest, None where there is none."""
    return _text(own, "input-digest", _PLACE)


def parse_inputs(own: Mapping[str, Any]) -> LockInputs | None:
    """Return the recorded inputs, None where there are none."""
    if "inputs" not in own:
        return None
    place = f"{_PLACE}.inputs"
    table = own["inputs"]
    if not isinstance(table, dict):
        raise PlaceError(f"{place}: must be a table")
    requirements = _subtable(table, "requirements", place)
    settings = _subtable(table, "settings", place)
    return LockInputs(
        requirements=tuple(
            (path, text) for path in requirements for text in _texts(requirements, path, f"{place}.requirements")
        ),
        requires_python=_text(table, "requires-python", place) or "",
        index_urls=_texts(table, "indexes", place),
        settings=tuple((key, _text(settings, key, f"{place}.settings") or "") for key in settings),
        environments=_texts(table, "environments", place),
    )


def _subtable(table: Mapping[str, Any], key: str, place: str) -> Mapping[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict) or not all(name.isprintable() for name in value):
        raise PlaceError(f"{place}.{key}: must be a table with printable keys")
    return value


def _text(table: Mapping[str, Any], key: str, place: str) -> str | None:
    value = table.get(key)
    # These texts are shown to people: no control character may reach a terminal.
    if value is not None and (not isinstance(value, str) or not value.isprintable()):
        raise PlaceError(f"{place}.{key}: must be a text of one line")
    return value


def _texts(table: Mapping[str, Any], key: str, place: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(text, str) and text.isprintable() for text in value):
        raise PlaceError(f"{place}.{key}: must be a list of texts of one line each")
    return tuple(value)


def parse_edges(
    row: Mapping[str, Any], dependencies: Sequence[Mapping[str, Any]], place: str
) -> tuple[DependencyEdge, ...]:
    """Return the edges of the package whose TOML table is ``row``.

    Raises:
        PlaceError: an entry names no package, or a condition is not a marker.
    """
    conditions = parse_own_table(row, f"{place}.tool.pyvstore").get("dependency-markers", [])
    if not isinstance(conditions, list):
        raise PlaceError(f"{place}.tool.pyvstore.dependency-markers: must be a list")
    markers: dict[tuple[str, str | None], str] = {}
    for index, condition in enumerate(conditions):
        condition_place = f"{place}.tool.pyvstore.dependency-markers[{index}]"
        if not isinstance(condition, dict):
            raise PlaceError(f"{condition_place}: must be a table")
        name, version = _edge_target(condition, condition_place)
        markers[name, version] = _marker_text(condition.get("marker"), f"{condition_place}.marker")
    edges: list[DependencyEdge] = []
    for index, edge in enumerate(dependencies):
        name, version = _edge_target(edge, f"{place}.dependencies[{index}]")
        edges.append(
            DependencyEdge(
                name=name,
                version=None if version is None else parse_version(version),
                marker=markers.get((name, version)),
            )
        )
    return tuple(edges)


def _edge_target(table: Mapping[str, Any], place: str) -> tuple[NormalizedName, str | None]:
    name, version = table.get("name"), table.get("version")
    if not isinstance(name, str) or not is_normalized_name(name):
        raise PlaceError(f"{place}.name: must be a normalised name")
    if version is None:
        return NormalizedName(name), None
    try:
        return NormalizedName(name), str(parse_version(version))
    except (InvalidVersion, TypeError):
        raise PlaceError(f"{place}.version: must be a version") from None


def _marker_text(value: object, place: str) -> str:
    if not isinstance(value, str):
        raise PlaceError(f"{place}: must be a text")
    try:
        marker = parse_marker(value)
    except InvalidMarker:
        raise PlaceError(f"{place}: {value!r} is not a marker") from None
    return format_marker(marker)
