"""What a person, or a ``.python-version`` file, asks for, as a value."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from pyvstore.errors import UsageError
from pyvstore.model.environment import Interpreter
from pyvstore.model.foreign import parse_specifiers

_IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}
_VERSION = re.compile(
    r"(?P<implementation>cpython|pypy|python)?[@-]?(?P<version>[0-9]{1,9}(?:\.[0-9]{1,9}){0,2}(?:(?:a|b|rc)[0-9]{1,9})?)?(?P<flag>t)?"
)
_SPECIFIER = re.compile(r"(?P<implementation>cpython|pypy|python)?\s*(?P<specifier>(?:[<>=!]|~=).*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonRequest:
    """Which Pythons will do.

    Attributes:
        text: as it was written; "" when nothing was asked for.
        specifier: versions that will do, by their release numbers.
        implementation: ``CPython`` or ``PyPy``; None for either.
        free_threaded: True when it must be built without the GIL; None when nobody said so.
        prereleases: whether a version that is not final will do.
        place: a path, or the name of a program on PATH, instead of all the above.
    """

    text: str = ""
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    implementation: str | None = None
    free_threaded: Literal[True] | None = None
    prereleases: bool = False
    place: str | None = None

    def refusal(self, interpreter: Interpreter) -> str | None:
        """Return why ``interpreter`` will not do, to be read after its name and "is", or None when it will."""
        version = Version(interpreter.version)
        if self.implementation is not None and interpreter.implementation != self.implementation:
            return f"not {self.implementation}"
        if self.free_threaded and not is_free_threaded(interpreter):
            return "not free-threaded"
        if not self.allows(version):
            return f"not {self.text}"
        if version.is_prerelease and not self.prereleases:
            return "a pre-release, which must be asked for by its version"
        return None

    def allows(self, version: Version) -> bool:
        """Tell whether the version will do, whether final or not."""
        # A pre-release of 3.15 has what 3.15 has, as far as bounds like `>=3.15` are concerned.
        return self.specifier.contains(version.base_version, prereleases=True) or str(version) in {
            specifier.version for specifier in self.specifier if specifier.operator == "=="
        }

    def may_allow(self, minor: tuple[int, int]) -> bool:
        """Tell whether some version of this minor series will do."""
        return may_contain(self.specifier, minor)


def may_contain(specifier: SpecifierSet, minor: tuple[int, int]) -> bool:
    """Tell whether ``specifier`` allows some version of the series ``minor``."""
    # What a specifier allows changes only at the versions that it names, so those and their neighbours are enough.
    patches = {
        version.micro + step
        for version in named_versions(specifier)
        if version.release[:2] == minor
        for step in (-1, 0, 1)
    }
    return any(
        specifier.contains(f"{minor[0]}.{minor[1]}.{patch}", prereleases=True)
        for patch in sorted({0, 9999, *patches})
        if patch >= 0
    )


def named_versions(specifier: SpecifierSet) -> Iterator[Version]:
    """Yield the versions that ``specifier`` names; ``===`` may name anything at all."""
    for part in specifier:
        with contextlib.suppress(InvalidVersion):
            yield Version(part.version.removesuffix(".*"))


def is_free_threaded(interpreter: Interpreter) -> bool:
    """Tell whether the interpreter was built without the GIL (PEP 703), by the ABI of its first tag."""
    abi = interpreter.environment.tags[0].split("-")[1]
    return re.fullmatch(r"cp[0-9]+td?", abi) is not None


def parse_version_request(text: str) -> PythonRequest | None:
    """Read ``3.12``, ``3.12.1``, ``3.13t``, ``python3.12``, ``cpython@3.12``, ``pypy`` or ``>=3.11``; else None."""
    text = text.strip()
    lower = text.lower()
    match = _SPECIFIER.fullmatch(lower)
    if match:
        try:
            specifier = parse_specifiers(match["specifier"])
        except InvalidSpecifier:
            return None
        return PythonRequest(
            text=text,
            specifier=specifier,
            implementation=_IMPLEMENTATIONS.get(match["implementation"] or ""),
            prereleases=any(version.is_prerelease for version in named_versions(specifier)),
        )
    match = _VERSION.fullmatch(lower)
    if not match or not (match["implementation"] or match["version"]):
        return None
    version = match["version"]
    specifier = SpecifierSet()
    if version:
        is_series = version.count(".") < 2 and re.fullmatch(r"[0-9.]+", version)
        specifier = SpecifierSet(f"=={version}.*" if is_series else f"=={version}")
    return PythonRequest(
        text=text,
        specifier=specifier,
        implementation=_IMPLEMENTATIONS.get(match["implementation"] or ""),
        free_threaded=True if match["flag"] else None,
        prereleases=bool(version),
    )


def parse_request(text: str) -> PythonRequest:
    """Read the value of ``--python``: a version, a specifier, an implementation, a path, or a program's name.

    Raises UsageError (``python-request``) for an empty text or one with control characters.
    """
    if not text.strip() or not text.isprintable():
        raise UsageError(
            f"{text!r} names no Python",
            code="python-request",
            hint="give a version (`--python 3.12`), a specifier (`--python '>=3.11'`) or a path",
        )
    is_path = os.sep in text or bool(os.altsep and os.altsep in text) or text in {"~", ".", ".."}
    request = None if is_path else parse_version_request(text)
    return request or PythonRequest(text=text, prereleases=True, place=text)


NO_REQUEST = PythonRequest()
