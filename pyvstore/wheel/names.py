"""Which names an archive may give to files.

A name is judged component by component. Some components are wrong everywhere (``..``, control characters, backslashes);
some only where files have drive letters and reserved names, so they are warnings unless the target is Windows. Two
names that a folding filesystem cannot tell apart are treated the same way.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence

NamedWarning = tuple[str, str]
"""A stable code and a sentence without a final full stop."""

MAX_COMPONENT_BYTES = 255
MAX_NAME_BYTES = 2000
MAX_COMPONENTS = 64
_SHOWN_CAUSES = 40

_ORDINARY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+=@,~-]*(?:\.[A-Za-z0-9_+=@,~-]+)*")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])[ ]*(?:\..*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_WINDOWS_FORBIDDEN = frozenset('<>:"|?*')


def shown(text: str) -> str:
    """Return ``text`` quoted for a message: no control or bidi character survives, and it is never long."""
    quoted = repr(text)
    return quoted if len(quoted) <= 160 else f"{quoted[:120]}…{quoted[-30:]}"


def shorten(causes: Sequence[str]) -> list[str]:
    """Return the first 40 causes and how many more there are: a hostile archive has no right to a million lines."""
    extra = len(causes) - _SHOWN_CAUSES
    return [*causes[:_SHOWN_CAUSES], f"and {extra} more"] if extra > 0 else list(causes)


def component_fault(component: str) -> str | None:
    """Say what is wrong with one path component on every platform, or None."""
    if component == "":
        return "has an empty component"
    if component in (".", ".."):
        return f"has the component {component!r}"
    if "\\" in component:
        return "contains a backslash"
    if len(component.encode("utf-8", "surrogatepass")) > MAX_COMPONENT_BYTES:
        return f"has a component of more than {MAX_COMPONENT_BYTES} bytes"
    if not component.isascii() or not component.isprintable():
        for character in component:
            if unicodedata.category(character) in _INVISIBLE:
                return f"contains the invisible or control character U+{ord(character):04X}"
    return None


def windows_fault(component: str) -> str | None:
    """Say why Windows cannot hold a file of this name, or None."""
    if _RESERVED.fullmatch(component):
        return "is a reserved name on Windows"
    if component[-1:] in (".", " "):
        return "ends in a dot or a space, which Windows drops"
    forbidden = sorted(_WINDOWS_FORBIDDEN.intersection(component))
    if forbidden:
        return f"contains {forbidden[0]!r}, which Windows does not allow"
    return None


class NameJudge:
    """Judges many names of one archive; remembers components, for ``__init__.py`` comes a thousand times.

    Attributes:
        faults: one sentence per fault, to refuse the archive with.
        warnings: what is harmless here and would not be elsewhere.
    """

    def __init__(self, *, windows: bool) -> None:
        self.faults: list[str] = []
        self.warnings: list[NamedWarning] = []
        self._windows = windows
        self._good: set[str] = set()

    def judge(self, name: str) -> None:
        """Note every fault of ``name``, a path with ``/`` and without a final slash."""
        parts = name.split("/")
        if len(parts) > MAX_COMPONENTS:
            self.faults.append(f"{shown(name)}: is more than {MAX_COMPONENTS} directories deep")
            return
        if self._good.issuperset(parts) and len(name) < MAX_NAME_BYTES // 4:
            return
        if name.startswith("/"):
            self.faults.append(f"{shown(name)}: is an absolute path")
            return
        if _DRIVE.match(name):
            self.faults.append(f"{shown(name)}: begins with a drive letter")
            return
        if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
            self.faults.append(f"{shown(name)}: is longer than {MAX_NAME_BYTES} bytes")
            return
        for part in parts:
            if part not in self._good:
                self._judge_component(name, part)

    def _judge_component(self, name: str, part: str) -> None:
        if len(part) <= MAX_COMPONENT_BYTES and _ORDINARY.fullmatch(part) and not _RESERVED.fullmatch(part):
            self._good.add(part)
            return
        fault = component_fault(part)
        if fault is not None:
            self.faults.append(f"{shown(name)}: {fault}")
            return
        fault = windows_fault(part)
        if fault is None:
            self._good.add(part)
        elif self._windows:
            self.faults.append(f"{shown(name)}: {shown(part)} {fault}")
        else:
            self.warnings.append(("wheel-name-windows", f"{shown(name)}: {shown(part)} {fault}"))


def fold_case(path: str) -> str:
    """Return the same text for any two paths that a case-folding or normalising filesystem takes for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def find_collisions(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of different paths (or parents of paths) that fold to the same one, in the order they are met."""
    seen: dict[str, str] = {}
    parents: set[str] = set()
    for path in paths:
        first = seen.setdefault(fold_case(path), path)
        if first != path:
            yield first, path
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            first = seen.setdefault(fold_case(parent), parent)
            if first != parent:
                yield first, parent
            parent = parent.rpartition("/")[0]


def parents_of(paths: Iterable[str]) -> set[str]:
    """Return every directory that ``paths`` lie in, at any depth."""
    parents: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    return parents


def find_files_used_as_directories(files: Collection[str]) -> list[str]:
    """Return the files that other files claim as their parent directory, sorted."""
    return sorted(parents_of(files).intersection(files))
