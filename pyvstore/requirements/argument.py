"""A word on the command line → a requirement, or a sentence that says how to write it.

Only PEP 508 is accepted: guessing what ``numpy=2`` means would install something nobody asked for. What was probably
meant is offered in the hint instead. Texts are shown as Python literals, so that control characters stay visible, and
URLs are never shown at all, because they may hold a password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pyvstore.errors import UsageError
from pyvstore.model.foreign import parse_requirement, parse_version, require_meaning
from pyvstore.requirements.text import format_requirement, show_text

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_SPLIT = re.compile(rf"(?P<name>{_NAME}(?:\s*\[[^\]]*\])?)\s*(?P<operator>[=<>!~^@]*)\s*(?P<rest>.*)", re.DOTALL)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:git|hg|svn|bzr)\+|file:", re.IGNORECASE)
_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]")
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2")
_MEANT = {"=": "==", "=>": ">=", "=<": "<=", "=!": "!=", "=~": "~=", "<>": "!=", "~": "~=", "@": "==", "": "=="}
_EXAMPLES = "write it like `numpy`, `'numpy>=2'` or `'numpy[extra]>=2,<3'`"


def parse_requirement_argument(text: str) -> Requirement:
    """Return the requirement that ``text`` is.

    Raises:
        UsageError: code ``requirement``; ``text`` is not a PEP 508 requirement, or is one that is not supported yet (a
            URL, a path).
    """
    stripped = text.strip()
    _refuse_what_is_no_name(stripped)
    try:
        requirement = parse_requirement(stripped)
        if requirement.marker is not None:
            require_meaning(requirement.marker)
        if not format_requirement(requirement).isprintable():
            raise InvalidRequirement("it has characters that cannot be seen")  # noqa: TRY301 - one way out
    except (InvalidRequirement, InvalidMarker) as error:
        raise UsageError(
            f"{show_text(stripped)} is not a requirement",
            code="requirement",
            causes=(str(error).splitlines()[0],),
            hint=_hint(stripped),
        ) from error
    if requirement.url is not None:
        _refuse_reference(requirement)
    return requirement


def parse_requirement_arguments(texts: Iterable[str]) -> tuple[Requirement, ...]:
    """Return one requirement per distinct entry, in the order given.

    Saying the same thing twice in different spellings is fine; two different wishes for one name and marker are not.

    Raises:
        UsageError: code ``requirement``.
    """
    known: dict[tuple[str, str], tuple[str, Requirement]] = {}
    for text in texts:
        requirement = parse_requirement_argument(text)
        key = (canonicalize_name(requirement.name), str(requirement.marker or ""))
        first_text, first = known.setdefault(key, (text, requirement))
        if format_requirement(first) != format_requirement(requirement):
            raise UsageError(
                f"{first_text!r} and {text!r} name the same package",
                code="requirement",
                hint="give both bounds in one requirement, like `'numpy>=2,<3'`",
            )
    return tuple(requirement for _, requirement in known.values())


def _refuse_what_is_no_name(text: str) -> None:
    if not text:
        raise UsageError("an empty text is not a requirement", code="requirement", hint=_EXAMPLES)
    if _URL.match(text):
        raise UsageError(
            "a URL cannot be required yet, only packages from an index", code="requirement", hint=_EXAMPLES
        )
    if text.startswith("-"):
        raise UsageError(f"{show_text(text)} is an option, not a requirement", code="requirement", hint=_EXAMPLES)
    if text.endswith(".txt") and " " not in text:
        raise UsageError(
            f"{show_text(text)} looks like a file of requirements, which cannot be read yet",
            code="requirement",
            hint="name the packages themselves",
        )
    if _PATH.match(text) or ("@" not in text and text.lower().endswith(_ARCHIVES)):
        raise UsageError(
            f"{show_text(text)} is a path: local packages cannot be required yet, only packages from an index",
            code="requirement",
            hint=_EXAMPLES,
        )


def _refuse_reference(requirement: Requirement) -> None:
    target = requirement.url or ""
    if target == "latest":
        hint = f"leave `@latest` away: `pyvstore add {requirement.name}` takes the latest version"
    else:
        hint = _suggestion(requirement.name, _parse_version(target.removeprefix("v")))
    raise UsageError(
        f"`@` after {requirement.name!r} stands for a URL or a path, which cannot be required yet",
        code="requirement",
        hint=hint,
    )


def _hint(text: str) -> str:
    match = _SPLIT.match(text)
    if match is None or "://" in text:
        return _EXAMPLES
    name, operator, rest = re.sub(r"\s", "", match["name"]), match["operator"], match["rest"].strip()
    if not rest and operator in {"==", ">=", "<=", "~=", "!=", ">", "<", "="}:
        return f"a version is missing after `{operator}`"
    version = _parse_version(rest)
    if version is not None and operator == "^":
        upper = f"<{version.major + 1}" if version.major or version.release == (0,) else f"<0.{version.minor + 1}"
        return _write(f"{name}>={version.public},{upper}")
    if version is not None and operator in _MEANT:
        # PEP 440 wants two components after `~=`.
        meant = ">=" if operator.endswith("~") and len(version.release) < 2 else _MEANT[operator]
        return _write(f"{name}{meant}{rest}")
    joined = f"{name}{operator}{','.join(rest.split())}"
    return _write(joined) if operator and joined.isprintable() and _is_requirement(joined) else _EXAMPLES


def _suggestion(name: str, version: Version | None) -> str:
    return _EXAMPLES if version is None else _write(f"{name}=={version}")


def _write(text: str) -> str:
    return f"write `'{text}'`"


def _parse_version(text: str) -> Version | None:
    try:
        return parse_version(text)
    except InvalidVersion:
        return None


def _is_requirement(text: str) -> bool:
    try:
        parse_requirement(text)
    except InvalidRequirement:
        return False
    return True
