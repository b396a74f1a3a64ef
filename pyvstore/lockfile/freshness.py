"""Whether a lock still answers what the project asks, without the index and without the resolver.

A lock is fresh when its recorded inputs are today's and its digest is theirs. That says nothing about newer versions:
those are for an upgrade. When it is stale, the next lock prefers the versions that it has (`preferences`), so that
changing one requirement moves nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from pyvstore.lockfile.document import LockDocument
from pyvstore.lockfile.inputs import DEPENDENCIES_TABLE, LockInputs, digest, group_table, optional_table
from pyvstore.model.foreign import parse_requirement
from pyvstore.requirements.conflicts import with_inherited
from pyvstore.requirements.cutoff import CutOff
from pyvstore.requirements.own_extras import expand
from pyvstore.requirements.project import ProjectRequirements
from pyvstore.requirements.settings import Settings
from pyvstore.requirements.text import format_marker, format_requirement, format_specifiers

_NOT_IN_SETTINGS = ("indexes", "package", "environments", "of_user")


def lock_inputs(project: ProjectRequirements, settings: Settings) -> LockInputs:
    """Collect the inputs of a lock from what the project and all layers of the settings say.

    Where the project names itself, what that means is recorded. Raises ProjectError as `own_extras.expand` does.
    """
    tables: list[tuple[str, Sequence[Requirement]]] = [(DEPENDENCIES_TABLE, project.dependencies)]
    tables += [(optional_table(extra), requirements) for extra, requirements in project.optional.items()]
    tables += [(group_table(group), requirements) for group, requirements in project.groups.items()]
    expanded = [(table, expand(project, requirements, table)) for table, requirements in tables]
    default = Settings()
    settings = replace(settings, conflicts=with_inherited(project, settings.conflicts))
    return LockInputs(
        requirements=tuple(
            sorted({(table, format_requirement(entry)) for table, entries in expanded for entry in entries})
        ),
        requires_python="" if project.requires_python is None else format_specifiers(project.requires_python),
        index_urls=tuple(index.url for index in settings.indexes),
        settings=tuple(
            sorted(
                (field.name.replace("_", "-"), format_setting(getattr(settings, field.name)))
                for field in fields(Settings)
                if field.name not in _NOT_IN_SETTINGS and getattr(settings, field.name) != getattr(default, field.name)
            )
        ),
        environments=settings.environments,
    )


def format_setting(value: object) -> str:
    """Return a checked setting as one line of text."""
    if value is None:
        return "none"
    if isinstance(value, CutOff):
        return value.text
    if value == ():
        return "[]"  # what says "nothing" is not what says nothing
    if isinstance(value, tuple):
        # A pair of a kind or a name with what it says is joined tighter than a list.
        if len(value) == 2 and (isinstance(value[1], CutOff) or value[1] is None or value[0] in ("extra", "group")):
            return f"{value[0]}:{format_setting(value[1])}"
        separator = "; " if any(isinstance(item, tuple) and isinstance(item[0], tuple) for item in value) else ", "
        return separator.join(map(format_setting, value))
    return str(value)


def explain_stale(document: LockDocument, inputs: LockInputs) -> tuple[str, ...]:
    """Return one sentence, without a full stop, for each reason why ``document`` does not answer ``inputs``.

    Empty means that the lock is fresh.
    """
    recorded = document.inputs
    if recorded is None:
        return (f"it was written by {document.created_by!r} and does not say what it was made from",)
    reasons = [
        *_explain_requirements(recorded, inputs),
        *_explain_change("requires-python", recorded.requires_python, inputs.requires_python, "any Python"),
        *_explain_list("the index", recorded.index_urls, inputs.index_urls),
        *_explain_list("the list of environments", recorded.environments, inputs.environments),
    ]
    old, new = dict(recorded.settings), dict(inputs.settings)
    for key in sorted(old.keys() | new.keys()):
        reasons += _explain_change(f"the setting {key}", old.get(key, ""), new.get(key, ""), "the default")
    if not reasons and (recorded != inputs or document.input_digest != digest(inputs)):
        reasons.append("its record of what it was made from was changed by hand or by a merge")
    return tuple(reasons)


def preferences(document: LockDocument) -> Mapping[NormalizedName, tuple[tuple[Version, str | None], ...]]:
    """Return the locked versions of each name, newest first, each with the marker of where it is locked.

    The next lock should choose them where it can.
    """
    versions: dict[NormalizedName, set[tuple[Version, str | None]]] = {}
    for package in document.packages:
        if package.version is not None:
            marker = None if package.marker is None else format_marker(package.marker)
            versions.setdefault(package.name, set()).add((package.version, marker))
    return {
        name: tuple(sorted(found, key=lambda pair: (pair[0], pair[1] or ""), reverse=True))
        for name, found in versions.items()
    }


def _explain_requirements(recorded: LockInputs, inputs: LockInputs) -> Iterator[str]:
    old, new = set(recorded.requirements), set(inputs.requirements)
    removed = sorted(old - new)
    for table, text in sorted(new - old):
        before = next((row for row in removed if row[0] == table and _identity(row[1]) == _identity(text)), None)
        if before is None:
            yield f"{text} was added to {table}"
        else:
            removed.remove(before)
            yield f"{before[1]} became {text} in {table}"
    for table, text in removed:
        yield f"{text} was removed from {table}"


def _identity(text: str) -> tuple[str, str]:
    try:
        requirement = parse_requirement(text)
    except InvalidRequirement:
        return text, ""
    return canonicalize_name(requirement.name), str(requirement.marker or "")


def _explain_change(what: str, old: str, new: str, nothing: str) -> Iterator[str]:
    if old != new:
        yield f"{what} changed from {old or nothing} to {new or nothing}"


def _explain_list(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    if old != new:
        yield f"{what} changed from {', '.join(old) or 'none'} to {', '.join(new) or 'none'}"
