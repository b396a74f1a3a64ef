"""pyproject.toml: read strictly, edited without disturbing anything else.

Reading uses tomli on the raw bytes, editing `pyvstore.project.edit`. Every edit is parsed again and compared with what
it should mean before it is returned, so a style of file that an edit cannot handle ends in a refusal and never in a
changed file.
"""

from __future__ import annotations

import copy
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tomli
from packaging.utils import canonicalize_name

from pyvstore.errors import ProjectError
from pyvstore.project.array import quote
from pyvstore.project.edit import Change, edited_texts
from pyvstore.project.look import unreadable
from pyvstore.project.names import SIZE_LIMIT_BYTES

_BOM = b"\xef\xbb\xbf"
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|={7}|\|{7})(?: |\r?$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ProjectDocument:
    """One pyproject.toml as it was read.

    Attributes:
        path: where it was read from.
        raw: the bytes; an edit that changes nothing returns exactly these.
        data: what they mean; treat it as read-only.
    """

    path: str
    raw: bytes
    data: Mapping[str, Any]

    @classmethod
    def read(cls, path: str) -> ProjectDocument:
        """Read and parse ``path``.

        Raises ProjectError: ``no-project`` when it is missing, ``project-unreadable`` when it is no regular file or
        cannot be read, ``pyproject-too-large``, or ``pyproject-syntax`` with line and column.
        """
        return cls.parse(path, read_limited(path))

    @classmethod
    def parse(cls, path: str, raw: bytes) -> ProjectDocument:
        """Parse ``raw`` as the content of ``path``; raises ProjectError as `read` does."""
        return cls(path, raw, _parse(path, raw))

    def requirements(self, table: str) -> list[str]:
        """Return the strings of one list, as `with_dependencies` takes them; raises what that raises."""
        return [item for item in self._current(self._locate(table)) or () if isinstance(item, str)]

    def with_dependencies(self, requirements: Sequence[str], table: str = "project.dependencies") -> bytes:
        """Return the file's bytes with one list of requirements replaced; everything else stays as it is.

        Args:
            requirements: the whole new list, in order. Members of the old list that are not strings (``include-group``
                tables) stay where they are.
            table: ``project.dependencies``, ``project.optional-dependencies.<extra>`` or
                ``dependency-groups.<group>``; an extra or group is found under any spelling of its name, and made when
                it is missing.

        Raises:
            ProjectError: ``pyproject-invalid`` when something on the way is of the wrong type, ``dependencies-dynamic``
                when a build backend computes the list, ``pyproject-edit`` when the file is written in a way that the
                edit cannot handle.
            ValueError: for any other ``table``.
        """
        keys = self._locate(table)
        current = self._current(keys)
        if current is not None and [item for item in current if isinstance(item, str)] == list(requirements):
            return self.raw
        text = self.raw.removeprefix(_BOM).decode()
        newline = "\r\n" if "\r\n" in text else "\n"
        change = Change(keys=keys, current=current, requirements=requirements, newline=newline)
        for edited in edited_texts(text, change):
            if self._means(edited, change):
                return (_BOM if self.raw.startswith(_BOM) else b"") + edited.encode()
        raise ProjectError(
            f"{self.path} is written in a way that pyvstore cannot edit",
            code="pyproject-edit",
            causes=[f"{table} could not be changed without changing something else"],
            hint=f"edit {table} by hand, then run `pyvstore lock`",
        )

    def _means(self, edited: str, change: Change) -> bool:
        """Tell whether ``edited`` has the wanted list and differs from this document in nothing else."""
        try:
            data = tomli.loads(edited)
        except tomli.TOMLDecodeError:
            return False
        expected = copy.deepcopy(dict(self.data))
        before, after = expected, data
        for key in change.keys[:-1]:
            before, after = before.setdefault(key, {}), after.get(key, {})
        members = before[change.keys[-1]] = after.get(change.keys[-1], [])
        tables = [item for item in change.current or () if not isinstance(item, str)]
        return (
            [item for item in members if isinstance(item, str)] == list(change.requirements)
            and [item for item in members if not isinstance(item, str)] == tables
            and expected == data
        )

    def _locate(self, table: str) -> tuple[str, ...]:
        """Return the keys that lead to the list, with the file's own spelling of an extra or a group."""
        if table == "project.dependencies":
            self._refuse_dynamic("dependencies")
            return ("project", "dependencies")
        for prefix in (("project", "optional-dependencies"), ("dependency-groups",)):
            dotted = ".".join(prefix) + "."
            name = table.removeprefix(dotted)
            if name and name != table:
                if len(prefix) == 2:
                    self._refuse_dynamic("optional-dependencies")
                existing = self._table(prefix)
                alike = [key for key in existing if canonicalize_name(key) == canonicalize_name(name)]
                if name in existing:
                    return (*prefix, name)
                return (*prefix, alike[0] if alike else canonicalize_name(name))
        raise ValueError(table)

    def _refuse_dynamic(self, key: str) -> None:
        if "project" not in self.data:
            raise ProjectError(
                f"{self.path} has no [project] table",
                code="no-project-table",
                hint="run `pyvstore init` in an empty folder to see one, or add `[project]` with a name and a version",
            )
        project = self._table(("project",))
        dynamic = project.get("dynamic", ())
        if isinstance(dynamic, list) and key in dynamic:
            raise ProjectError(
                f"project.{key} in {self.path} is computed by the build backend",
                code="dependencies-dynamic",
                causes=[f'project.dynamic lists "{key}"'],
                hint=f'change it where the build backend takes it from, or remove "{key}" from project.dynamic',
            )

    def _table(self, keys: Sequence[str]) -> Mapping[str, Any]:
        value: Any = self.data
        for position, key in enumerate(keys):
            value = value.get(key, {})
            if not isinstance(value, dict):
                raise self._wrong_type(keys[: position + 1], "a table", value)
        return value  # type: ignore[no-any-return]

    def _current(self, keys: tuple[str, ...]) -> Sequence[object] | None:
        value = self._table(keys[:-1]).get(keys[-1])
        if value is None:
            return None
        if not isinstance(value, list):
            raise self._wrong_type(keys, "a list of strings", value)
        for position, item in enumerate(value):
            if not isinstance(item, str) and not (isinstance(item, dict) and keys[0] == "dependency-groups"):
                raise self._wrong_type((*keys[:-1], f"{keys[-1]}[{position}]"), "a string", item)
        return value

    def _wrong_type(self, keys: Sequence[str], wanted: str, value: object) -> ProjectError:
        return ProjectError(
            f"{'.'.join(keys)} in {self.path} must be {wanted}, not {_type_name(value)}", code="pyproject-invalid"
        )


def read_limited(path: str, limit_bytes: int = SIZE_LIMIT_BYTES) -> bytes:
    """Return the bytes of a regular file of at most ``limit_bytes``; raises ProjectError as `ProjectDocument.read`."""
    name = os.path.basename(path)
    try:
        # Opening a pipe would wait for a writer that never comes.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ProjectError(
                f"{path} is not a file", code="project-unreadable", hint=f"move it away: `mv {path} {path}.old`"
            )
        with open(path, "rb") as stream:
            raw = stream.read(limit_bytes + 1)
    except FileNotFoundError:
        raise ProjectError(
            f"there is no {name} at {path}", code="no-project", hint="run `pyvstore init` to make one"
        ) from None
    except OSError as error:
        raise unreadable(path, error) from error
    if len(raw) > limit_bytes:
        limit = limit_bytes // 1024 // 1024
        raise ProjectError(f"{path} is larger than {limit} MiB", code=f"{name.partition('.')[0]}-too-large")
    return raw


def _parse(path: str, raw: bytes) -> dict[str, Any]:
    try:
        text = raw.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        good = raw[: error.start].decode()
        line, column = good.count("\n") + 1, len(good) - good.rfind("\n")
        raise _syntax_error(path, line, column, "not valid UTF-8", "save the file as UTF-8") from None
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        conflict = _CONFLICT.search(text)
        if conflict:
            line = text.count("\n", 0, conflict.start()) + 1
            raise _syntax_error(path, line, 1, "merge-conflict marker", "resolve the merge conflict") from None
        raise _syntax_error(path, error.lineno, error.colno, error.msg, None) from None
    except RecursionError:
        raise ProjectError(f"{path} is nested too deeply", code="pyproject-syntax") from None
    except ValueError:  # what Python says of an integer of some thousand digits
        raise ProjectError(f"{path} has a number with too many digits", code="pyproject-syntax") from None


def _syntax_error(path: str, line: int, column: int, problem: str, remedy: str | None) -> ProjectError:
    return ProjectError(
        f"{path} is not valid TOML",
        code="pyproject-syntax",
        causes=[f"line {line}, column {column}: {problem}"],
        hint=f"{remedy}, then run the command again" if remedy else f"correct line {line} of {path}",
    )


def _type_name(value: object) -> str:
    names: dict[type, str] = {dict: "a table", list: "a list", str: "a string", bool: "true or false", int: "a number"}
    return names.get(type(value), f"a {type(value).__name__}")


def project_name(folder: str) -> str:
    """Return a valid, normalised project name made from a folder's name; ``project`` when nothing of it can be used."""
    plain = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")
    return plain or "project"


def new_pyproject(name: str, requires_python: str, version: str = "0.1.0") -> bytes:
    """Return a small pyproject.toml for a project that is not a package; ``name`` may be a folder's name."""
    return (
        "[project]\n"
        f"name = {quote(project_name(name))}\n"
        f"version = {quote(version)}\n"
        f"requires-python = {quote(requires_python)}\n"
        "dependencies = []\n"
    ).encode()
