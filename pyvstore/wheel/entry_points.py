"""``entry_points.txt``: which launchers a distribution asks for (entry points specification).

Read as `importlib.metadata` reads it: ``=`` alone separates, names keep their case, a later line wins. Only
``console_scripts`` and ``gui_scripts`` concern an installer.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from pyvstore.errors import WheelError
from pyvstore.model.manifest import EntryPoint
from pyvstore.wheel.names import NamedWarning, component_fault, shorten, shown, windows_fault

_GROUPS = {"console_scripts": False, "gui_scripts": True}
_REFERENCE = re.compile(r"(?P<module>[\w.-]+)\s*:\s*(?P<attribute>[\w.]+)\s*(?:\[[\w\s,.-]*\])?")
_INTERPRETER = re.compile(
    r"(?:python|pypy|graalpy)w?(?:[0-9]+(?:\.[0-9]+)*t?d?)?(?:-config)?(?:\.(?:exe|bat|cmd|com))?"
)
_ENVIRONMENT = re.compile(r"(?:de)?activate(?:_this)?(?:\.(?:bat|cmd|csh|exe|fish|nu|ps1|py|sh|xsh))?")


def script_name_fault(name: str) -> str | None:
    """Say why nothing called ``name`` may stand beside the interpreter, or None.

    Refused is what would leave the directory, take the place of the interpreter or of the activation scripts (in any
    case, for filesystems that fold it), or be read as an option.
    """
    if "/" in name:
        return "contains a slash"
    fault = component_fault(name)
    if fault is not None:
        return fault
    if name.startswith("-"):
        return "begins with a hyphen"
    lowered = name.lower()
    if _INTERPRETER.fullmatch(lowered):
        return "would take the interpreter's place"
    if _ENVIRONMENT.fullmatch(lowered):
        return "would take the place of the environment's own script"
    return None


def parse_entry_points(data: bytes, label: str) -> tuple[tuple[EntryPoint, ...], tuple[NamedWarning, ...]]:
    """Return the launchers sorted by name, and the warnings.

    Raises WheelError (``wheel-entry-points``) for a file that is not UTF-8, a name that `script_name_fault` refuses,
    and a value that is no object reference (``module:attribute``): its text would become code. A reference that Python
    cannot import (a hyphen or a keyword in it) makes no launcher, with a warning.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(label, ["it is not UTF-8"]) from error
    found: dict[str, EntryPoint] = {}
    problems: list[str] = []
    warnings: list[NamedWarning] = []
    for group, name, value in _assignments(text):
        if group not in _GROUPS:
            continue
        fault = script_name_fault(name)
        match = _REFERENCE.fullmatch(value)
        if fault is not None or match is None:
            problems.append(f"{shown(name)}: {fault or f'{shown(value)} names no function'}")
            continue
        fault = windows_fault(name)
        if fault is not None:
            warnings.append(("entry-point-name", f"the launcher {shown(name)} {fault}"))
        parts = (*match["module"].split("."), *match["attribute"].split("."))
        if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
            warnings.append(("entry-point-dropped", f"the launcher {shown(name)} names {shown(value)}, no importable"))
            continue
        point = EntryPoint(name=name, module=match["module"], attribute=match["attribute"], gui=_GROUPS[group])
        if found.setdefault(name, point) != point:
            warnings.append(("entry-point-twice", f"the launcher {shown(name)} is declared twice; the last one counts"))
            found[name] = point
    if problems:
        raise _refusal(label, problems)
    return tuple(found[name] for name in sorted(found)), tuple(warnings)


def _assignments(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (group, name, value); lines before the first group and lines without ``=`` mean nothing."""
    group = ""
    for raw in re.split(r"\r\n|\r|\n", text):
        line = raw.strip(" \t")
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            if equals:
                yield group, name.strip(" \t"), value.strip(" \t")


def _refusal(label: str, causes: list[str]) -> WheelError:
    return WheelError(
        f"the entry points of {label} must not be installed", code="wheel-entry-points", causes=shorten(causes)
    )
