"""The value of one setting, checked: TOML value and place → what `pyvstore.requirements.settings` keeps.

Each function raises UsageError (``setting``) with a message that begins with the place. Everything that comes back is
immutable and equal for values that mean the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from pyvstore.errors import UsageError
from pyvstore.model.foreign import parse_requirement, require_meaning
from pyvstore.model.platforms import PLATFORM_CLASSES
from pyvstore.requirements.cutoff import CutOff, parse_cut_off
from pyvstore.requirements.project import describe_type
from pyvstore.requirements.text import format_marker, format_requirement, parse_marker, printable, show_text

ALL = ":all:"
"""In a list of packages: every package."""

Part = tuple[str, str]
"""``("extra", name)`` or ``("group", name)``."""
T = TypeVar("T")


def alike(key: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known word that is spelled most like ``key``, if any is near."""
    from difflib import get_close_matches  # only people who mistyped pay for it

    matches = get_close_matches(key.lower().replace("_", "-"), sorted(known), n=1)
    return f"did you mean `{matches[0]}`?" if matches else None


def wrong_type(place: str, value: object, wanted: str) -> UsageError:
    """Return the error for a value of the wrong kind."""
    return UsageError(f"{place}: must be {wanted}, not {describe_type(value)}", code="setting")


def parse_flag(value: object, place: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise wrong_type(place, value, "true or false")
    return value


def choice_of(*choices: str) -> Callable[[object, str], str]:
    """Return the parser of a setting with these values."""

    def parse(value: object, place: str) -> str:
        if not isinstance(value, str) or value not in choices:
            listed = ", ".join(f"`{choice}`" for choice in choices)
            shown = repr(value[:100]) if isinstance(value, str) else describe_type(value)
            raise UsageError(f"{place}: {shown} is not one of {listed}", code="setting")
        return value

    return parse


def parse_platforms(value: object, place: str) -> tuple[str, ...]:
    """Return names of platform classes, in the order of the table that knows them."""
    names = set(_texts(value, place, _parse_platform))
    if not names:
        raise UsageError(
            f"{place}: must name at least one platform", code="setting", hint="remove the setting for the usual ones"
        )
    return tuple(name for name in PLATFORM_CLASSES if name in names)


def _parse_platform(text: str, place: str) -> str:
    if text not in PLATFORM_CLASSES:
        hint = alike(text, PLATFORM_CLASSES) or f"known are {', '.join(PLATFORM_CLASSES)}"
        raise UsageError(f"{place}: there is no platform {text!r}", code="setting", hint=hint)
    return text


def parse_markers(value: object, place: str) -> tuple[str, ...]:
    """Return canonical texts of environment markers, in the user's order."""
    return tuple(dict.fromkeys(_texts(value, place, _parse_marker)))


def _parse_marker(text: str, place: str) -> str:
    try:
        marker = parse_marker(text)
        require_meaning(marker)
    except InvalidMarker:
        raise UsageError(
            f"{place}: {printable(text)!r} is not a marker",
            code="setting",
            hint="write it like \"sys_platform == 'linux'\"",
        ) from None
    return format_marker(marker)


def parse_bounds(value: object, place: str) -> tuple[str, ...]:
    """Return canonical texts of requirements, sorted."""
    return tuple(sorted(set(_texts(value, place, _parse_bound))))


def _parse_bound(text: str, place: str) -> str:
    try:
        requirement = parse_requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"{place}: {show_text(text)} is not a requirement", code="setting", causes=(str(error).splitlines()[0],)
        ) from error
    if requirement.url is not None:
        raise UsageError(
            f"{place}: {requirement.name} comes from a URL, which is not supported yet", code="setting-unsupported"
        )
    return format_requirement(requirement)


def parse_names(value: object, place: str) -> tuple[NormalizedName, ...]:
    """Return normalised package names, sorted."""
    return tuple(sorted(set(_texts(value, place, _parse_name))))


def parse_package_list(value: object, place: str) -> tuple[str, ...]:
    """Return normalised package names, sorted; `ALL` alone stands for every package."""
    names = set(_texts(value, place, lambda text, where: text if text == ALL else _parse_name(text, where)))
    return (ALL,) if ALL in names else tuple(sorted(names))


def _parse_name(text: str, place: str) -> NormalizedName:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise UsageError(f"{place}: {printable(text)!r} is not a valid name", code="setting") from None


def parse_default_groups(value: object, place: str) -> tuple[str, ...]:
    """Return normalised names of dependency groups; `ALL` alone for the text ``all``."""
    if isinstance(value, str):
        if value != "all":
            raise UsageError(f"{place}: must be a list of groups or `all`", code="setting")
        return (ALL,)
    return parse_names(value, place)


def parse_cut_off_setting(value: object, place: str) -> CutOff:
    """Return the cut-off of ``exclude-newer``."""
    try:
        return parse_cut_off(value)
    except ValueError as error:
        shown = repr(printable(value[:100])) if isinstance(value, str) else describe_type(value)
        raise UsageError(f"{place}: {shown} is neither a moment nor an age", code="setting", hint=str(error)) from error


def parse_package_cut_offs(value: object, place: str) -> tuple[tuple[NormalizedName, CutOff | None], ...]:
    """Return the cut-off of each package named, None where ``false`` lifts it, sorted by name."""
    if not isinstance(value, Mapping):
        raise wrong_type(place, value, "a table")
    found: dict[NormalizedName, CutOff | None] = {}
    for key, item in value.items():
        name = _parse_name(key, place)
        if name in found:
            raise UsageError(f"{place}: has {name} twice", code="setting")
        found[name] = None if item is False else parse_cut_off_setting(item, f"{place}.{name}")
    return tuple(sorted(found.items(), key=lambda pair: pair[0]))


def parse_conflicts(value: object, place: str) -> tuple[tuple[Part, ...], ...]:
    """Return sets of parts of which at most one can be installed at a time, each sorted, sorted."""
    if not isinstance(value, list):
        raise wrong_type(place, value, "a list of lists")
    sets = []
    for index, members in enumerate(value):
        where = f"{place}[{index}]"
        if not isinstance(members, list):
            raise wrong_type(where, members, "a list of tables")
        parts = {_parse_part(member, f"{where}[{position}]") for position, member in enumerate(members)}
        if len(parts) < 2:
            raise UsageError(f"{where}: must name at least two extras or groups", code="setting")
        sets.append(tuple(sorted(parts)))
    return tuple(sorted(set(sets)))


def _parse_part(value: object, place: str) -> Part:
    if isinstance(value, Mapping) and len(value) == 1:
        ((kind, name),) = value.items()
        if kind in ("extra", "group") and isinstance(name, str):
            return kind, _parse_name(name, place)
    raise UsageError(f'{place}: must be `{{ extra = "…" }}` or `{{ group = "…" }}`', code="setting")


def _texts(value: object, place: str, parse: Callable[[str, str], T]) -> list[T]:
    if not isinstance(value, list):
        raise wrong_type(place, value, "a list of texts")
    found = []
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong_type(f"{place}[{index}]", item, "a text")
        found.append(parse(item, f"{place}[{index}]"))
    return found
