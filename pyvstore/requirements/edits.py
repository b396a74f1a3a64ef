"""Which entry of a dependency list an ``add`` or a ``remove`` changes.

A plan is a tuple of `ListEdit`, applied one after the other; `apply_edits` shows what they mean, and whoever holds the
user's file applies the same edits to it, so that comments and layout survive. The lists are those of
``project.dependencies``, of an extra or of a dependency group; a group may hold tables (``{include-group = "test"}``),
which are passed by and never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from pyvstore.errors import ProjectError, UsageError
from pyvstore.model.foreign import parse_requirement
from pyvstore.requirements.text import format_requirement, show_text


class EditAction(str, Enum):
    """What one edit does to a list."""

    INSERT = "insert"
    REPLACE = "replace"
    REMOVE = "remove"
    KEEP = "keep"
    """Nothing: the list already says it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ListEdit:
    """One change of a dependency list.

    Attributes:
        action: see `EditAction`.
        index: position in the list as it is when this edit's turn comes.
        text: the new entry; for REMOVE and KEEP the entry that stands there.
    """

    action: EditAction
    index: int
    text: str


def plan_add(existing: Sequence[object], new: Requirement) -> ListEdit:
    """Decide where ``new`` goes: it replaces the entry with its name and marker, or is put in.

    An entry's bounds stay when ``new`` has none, and its extras are kept beside those of ``new``: adding asks for
    more, never for less. A list that is sorted stays sorted; otherwise the end is the place. A lower bound
    (`with_lower_bound`) is due only when the action is INSERT.

    Raises:
        ProjectError: code ``pyproject``; an entry cannot be read, or the same name and marker stand there twice.
    """
    entries = _parse_entries(existing)
    name, marker = canonicalize_name(new.name), str(new.marker or "")
    same = [
        (index, entry)
        for index, entry in entries
        if canonicalize_name(entry.name) == name and str(entry.marker or "") == marker
    ]
    if not same:
        text = format_requirement(new)
        return ListEdit(action=EditAction.INSERT, index=_insertion_index(existing, entries, text), text=text)
    if len(same) > 1:
        raise ProjectError(
            f"{name} stands in the list {len(same)} times",
            code="pyproject",
            hint="join the entries by hand: one requirement may have several bounds",
        )
    index, old = same[0]
    old_text = str(existing[index])
    merged = _merge(old, new)
    if format_requirement(merged) == format_requirement(old):
        return ListEdit(action=EditAction.KEEP, index=index, text=old_text)
    return ListEdit(action=EditAction.REPLACE, index=index, text=format_requirement(merged))


def plan_remove(existing: Sequence[object], name: str) -> tuple[ListEdit, ...]:
    """Return the edits that take every entry for ``name`` out, whatever its marker; the last entry first.

    Raises:
        UsageError: code ``requirement-unknown``; no entry has this name. The hint names one that is spelled alike.
        ProjectError: code ``pyproject``; an entry cannot be read.
    """
    entries = _parse_entries(existing)
    wanted = canonicalize_name(name)
    edits = tuple(
        ListEdit(action=EditAction.REMOVE, index=index, text=str(existing[index]))
        for index, entry in reversed(entries)
        if canonicalize_name(entry.name) == wanted
    )
    if not edits:
        alike = closest_name(name, (entry.name for _, entry in entries))
        listed = ", ".join(entry.name for _, entry in entries)
        raise UsageError(
            f"the project does not require {name!r}",
            code="requirement-unknown",
            hint=f"did you mean `{alike}`?" if alike else f"it requires {listed or 'nothing'}",
        )
    return edits


def apply_edits(existing: Sequence[object], edits: Iterable[ListEdit]) -> tuple[object, ...]:
    """Return the list after ``edits``: what applying them to the file must come to."""
    entries = list(existing)
    for edit in edits:
        if edit.action is EditAction.INSERT:
            entries.insert(edit.index, edit.text)
        elif edit.action is EditAction.REPLACE:
            entries[edit.index] = edit.text
        elif edit.action is EditAction.REMOVE:
            del entries[edit.index]
    return tuple(entries)


def closest_name(name: str, known: Iterable[str]) -> NormalizedName | None:
    """Return the normalised name among ``known`` that is spelled most like ``name``, if any is near."""
    from difflib import get_close_matches  # only people who mistyped pay for it

    candidates = sorted({canonicalize_name(candidate) for candidate in known})
    matches = get_close_matches(canonicalize_name(name), candidates, n=1)
    return NormalizedName(matches[0]) if matches else None


def _parse_entries(existing: Sequence[object]) -> list[tuple[int, Requirement]]:
    entries = []
    for index, text in enumerate(existing):
        if not isinstance(text, str):
            continue
        try:
            entries.append((index, parse_requirement(text)))
        except InvalidRequirement as error:
            raise ProjectError(
                f"entry {index} of the list, {show_text(text)}, is not a requirement",
                code="pyproject",
                causes=(str(error).splitlines()[0],),
            ) from error
    return entries


def _merge(old: Requirement, new: Requirement) -> Requirement:
    merged = Requirement(format_requirement(new))
    if not merged.specifier:
        merged.specifier = old.specifier
    merged.extras = {str(canonicalize_name(extra)) for extra in old.extras | new.extras}
    return merged


def _insertion_index(existing: Sequence[object], entries: Sequence[tuple[int, Requirement]], text: str) -> int:
    keys = [(canonicalize_name(entry.name), format_requirement(entry)) for _, entry in entries]
    names = [name for name, _ in keys]
    if not entries or names != sorted(names):
        return len(existing)
    key = (canonicalize_name(Requirement(text).name), text)
    later = [index for (index, _), entry_key in zip(entries, keys, strict=True) if entry_key > key]
    return later[0] if later else entries[-1][0] + 1
