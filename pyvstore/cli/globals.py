"""The options that every command takes, before or after its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyvstore.errors import UsageError

COLORS = ("auto", "always", "never")
_LONG = {"--quiet": "q", "--verbose": "v"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Globals:
    """What was asked of all commands.

    Attributes:
        verbosity: -1 quiet, 0, or the number of ``-v``.
        directory: run as if started there; None for here.
        color: ``auto``, ``always`` or ``never``.
        json: events as JSON lines on stdout instead of sentences on stderr.
    """

    verbosity: int = 0
    directory: str | None = None
    color: str = "auto"
    json: bool = False


def take_globals(arguments: Sequence[str]) -> tuple[Globals, list[str]]:
    """Split the command line into global options and the rest, which keeps its order.

    Nothing after ``--`` is looked at, nor what follows the first word after ``run``: that belongs to the program.
    Raises UsageError for a value that is missing or unknown.
    """
    found = Globals()
    rest: list[str] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word == "--" or _is_program(word, rest):
            rest += [word, *words]
            break
        name, has_value, value = word.partition("=")
        letters = _LONG.get(word, word[1:])
        if word in _LONG or (word[:1] == "-" and letters and set(letters) <= {"q", "v"}):
            for letter in letters:
                found = replace(found, verbosity=-1 if letter == "q" else max(found.verbosity, 0) + 1)
        elif word == "--json":
            found = replace(found, json=True)
        elif name in {"--directory", "--color"}:
            if not has_value:
                if not words:
                    raise UsageError(f"{name} needs a value", hint=f"for example `pyvstore {name} VALUE sync`")
                value = words.pop(0)
            found = replace(found, directory=value) if name == "--directory" else _with_color(found, value)
        else:
            rest.append(word)
            if word == "--python" and words:
                rest.append(words.pop(0))
    return found, rest


def _is_program(word: str, rest: Sequence[str]) -> bool:
    return bool(rest) and rest[0] == "run" and not word.startswith("-") and rest[-1] != "--python"


def _with_color(found: Globals, value: str) -> Globals:
    if value not in COLORS:
        raise UsageError(f"--color does not know {value}", hint=f"use one of {', '.join(COLORS)}")
    return replace(found, color=value)
