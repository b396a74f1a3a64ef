"""``[project]``, its extras and ``[dependency-groups]`` → `ProjectRequirements` (PEP 621, 508, 735).

Nothing is repaired: a wrong type or an invalid text is an error that names its place, because a dependency that is
silently dropped is found in production. Tables of other tools are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.dependency_groups import CyclicDependencyGroup, DependencyGroupResolver
from packaging.errors import ExceptionGroup
from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from pyvstore.errors import ProjectError
from pyvstore.model.foreign import parse_requirement, parse_specifiers, require_meaning
from pyvstore.requirements.text import format_requirement, printable, show_text

_DYNAMIC_REFUSED = ("dependencies", "optional-dependencies", "requires-python", "name")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectRequirements:
    """What one pyproject.toml asks for.

    Attributes:
        name: normalised; None when there is no ``[project]`` table (dependency groups alone are allowed by PEP 735).
        requires_python: None when the project does not say.
        dependencies: ``project.dependencies`` in the user's order.
        optional: extra → requirements; extras are normalised.
        groups: dependency group → requirements with all includes expanded; group names are normalised.
        includes: dependency group → the groups that it includes by name; normalised.
        has_build_system: whether ``[build-system]`` exists, so that the project itself can be installed.
    """

    name: NormalizedName | None
    requires_python: SpecifierSet | None = None
    dependencies: tuple[Requirement, ...] = ()
    optional: Mapping[NormalizedName, tuple[Requirement, ...]] = field(default_factory=lambda: MappingProxyType({}))
    groups: Mapping[str, tuple[Requirement, ...]] = field(default_factory=lambda: MappingProxyType({}))
    includes: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    has_build_system: bool = False


def parse_project(pyproject: Mapping[str, object]) -> ProjectRequirements:
    """Return the requirements in the parsed TOML of a pyproject.toml.

    Raises:
        ProjectError: code ``pyproject``; the message begins with the place, as in ``project.dependencies[2]: …``.
    """
    groups, includes = _parse_groups(_table(pyproject, "dependency-groups", "dependency-groups"))
    has_build_system = bool(_table(pyproject, "build-system", "build-system"))
    if "project" not in pyproject:
        return ProjectRequirements(name=None, groups=groups, includes=includes, has_build_system=has_build_system)
    table = _table(pyproject, "project", "project")
    _refuse_dynamic(table)
    return ProjectRequirements(
        name=_parse_name(table),
        requires_python=_parse_requires_python(table),
        dependencies=_parse_requirements(table.get("dependencies", []), "project.dependencies"),
        optional=_parse_optional(_table(table, "optional-dependencies", "project.optional-dependencies")),
        groups=groups,
        includes=includes,
        has_build_system=has_build_system,
    )


def _refuse_dynamic(table: Mapping[str, object]) -> None:
    dynamic = table.get("dynamic", [])
    if not isinstance(dynamic, list):
        raise _wrong_type("project.dynamic", dynamic, "a list of texts")
    for field_name in _DYNAMIC_REFUSED:
        if field_name in dynamic:
            raise ProjectError(
                f"project.dynamic: {field_name!r} is computed by the build backend, which is not supported yet",
                code="pyproject",
                hint=f"write `{field_name}` into [project] and take it out of `dynamic`",
            )


def _parse_name(table: Mapping[str, object]) -> NormalizedName:
    if "name" not in table:
        raise ProjectError("project.name: is missing", code="pyproject", hint='add `name = "…"` to [project]')
    name = table["name"]
    if not isinstance(name, str):
        raise _wrong_type("project.name", name, "a text")
    try:
        return canonicalize_name(name, validate=True)
    except InvalidName as error:
        raise ProjectError(
            f"project.name: {name!r} is not a valid name",
            code="pyproject",
            hint="use ASCII letters, digits, `-`, `_` and `.`, with a letter or digit at both ends",
        ) from error


def _parse_requires_python(table: Mapping[str, object]) -> SpecifierSet | None:
    if "requires-python" not in table:
        return None
    text = table["requires-python"]
    if not isinstance(text, str):
        raise _wrong_type("project.requires-python", text, "a text")
    try:
        return parse_specifiers(text)
    except InvalidSpecifier as error:
        raise ProjectError(
            f"project.requires-python: {text!r} is not a version specifier",
            code="pyproject",
            hint='write it like `">=3.12"` or `">=3.11,<4"`',
        ) from error


def _parse_optional(table: Mapping[str, object]) -> Mapping[NormalizedName, tuple[Requirement, ...]]:
    optional: dict[NormalizedName, tuple[Requirement, ...]] = {}
    for key, value in table.items():
        place = f"project.optional-dependencies.{printable(key)}"
        try:
            extra = canonicalize_name(key, validate=True)
        except InvalidName as error:
            raise ProjectError(f"{place}: {key!r} is not a valid name for an extra", code="pyproject") from error
        if extra in optional:
            raise ProjectError(f"{place}: the extra {extra!r} is defined twice", code="pyproject")
        optional[extra] = _parse_requirements(value, place)
    return MappingProxyType(optional)


def _parse_groups(
    table: Mapping[str, object],
) -> tuple[Mapping[str, tuple[Requirement, ...]], Mapping[str, frozenset[str]]]:
    """Return what each group requires, and which groups it includes."""
    if not table:
        return MappingProxyType({}), MappingProxyType({})
    checked: dict[str, list[str | Mapping[str, str]]] = {}
    for name, value in table.items():
        checked[name] = _parse_group_entries(value, f"dependency-groups.{printable(name)}")
    try:
        resolver = DependencyGroupResolver(checked)
        groups = {str(canonicalize_name(name)): resolver.resolve(name) for name in checked}
    except ExceptionGroup as error:
        raise ProjectError(f"dependency-groups: {_first_reason(error)}", code="pyproject") from error
    except RecursionError as error:
        raise ProjectError("dependency-groups: includes are nested too deeply", code="pyproject") from error
    return MappingProxyType(groups), MappingProxyType(
        {str(canonicalize_name(name)): _included(entries) for name, entries in checked.items()}
    )


def _included(entries: Sequence[str | Mapping[str, str]]) -> frozenset[str]:
    return frozenset(str(canonicalize_name(entry["include-group"])) for entry in entries if not isinstance(entry, str))


def _parse_group_entries(value: object, place: str) -> list[str | Mapping[str, str]]:
    if not isinstance(value, list):
        raise _wrong_type(place, value, "a list")
    entries: list[str | Mapping[str, str]] = []
    for index, entry in enumerate(value):
        if isinstance(entry, Mapping):
            include = entry.get("include-group")
            if len(entry) != 1 or not isinstance(include, str):
                raise ProjectError(
                    f'{place}[{index}]: a table in a group must be `{{include-group = "…"}}`', code="pyproject"
                )
            entries.append({"include-group": include})
        else:
            _parse_requirement(entry, f"{place}[{index}]")
            entries.append(str(entry))
    return entries


def _first_reason(error: BaseException) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CyclicDependencyGroup):
        if error.group == error.include_group:
            return f"{error.group!r} includes itself"
        return f"{error.group!r} and {error.include_group!r} include each other"
    return printable(str(error))


def _parse_requirements(value: object, place: str) -> tuple[Requirement, ...]:
    if not isinstance(value, list):
        raise _wrong_type(place, value, "a list of texts")
    return tuple(_parse_requirement(entry, f"{place}[{index}]") for index, entry in enumerate(value))


def _parse_requirement(entry: object, place: str) -> Requirement:
    if not isinstance(entry, str):
        raise _wrong_type(place, entry, "a text")
    try:
        requirement = parse_requirement(entry)
        if requirement.marker is not None:
            require_meaning(requirement.marker)
        if not format_requirement(requirement).isprintable():  # it would stand in the lockfile like this
            raise InvalidRequirement("it has characters that cannot be seen")  # noqa: TRY301 - one way out
    except (InvalidRequirement, InvalidMarker) as error:
        raise ProjectError(
            f"{place}: {show_text(entry)} is not a requirement", code="pyproject", causes=(str(error).splitlines()[0],)
        ) from error
    if requirement.url is not None:
        # Answering it from an index instead would install something else under the same name.
        raise ProjectError(
            f"{place}: {requirement.name} is required from a URL or a path, which is not supported yet",
            code="pyproject",
        )
    return requirement


def _table(parent: Mapping[str, object], key: str, place: str) -> Mapping[str, object]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        raise _wrong_type(place, value, "a table")
    return value


def _wrong_type(place: str, value: object, wanted: str) -> ProjectError:
    return ProjectError(f"{place}: must be {wanted}, not {describe_type(value)}", code="pyproject")


def describe_type(value: object) -> str:
    """Return the kind of a TOML value in words."""
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, Sequence):
        return "a list"
    return "a date or time"
