"""Command lines that make no sense, answered with what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pyvstore.errors import UsageError

GLOBAL_OPTIONS = ("--quiet", "--verbose", "--directory", "--color", "--json", "--version", "--help")

_ELSEWHERE = {
    "install": "use `pyvstore sync` for what the lockfile says, `pyvstore add NAME` for something new",
    "i": "use `pyvstore add NAME`",
    "uninstall": "use `pyvstore remove NAME`",
    "rm": "use `pyvstore remove NAME`",
    "exec": "use `pyvstore run PROGRAM`",
    "x": "use `pyvstore run PROGRAM`",
    "venv": "use `pyvstore sync`, which makes .venv",
    "ls": "use `pyvstore list`",
    "freeze": "use `pyvstore list`",
}
"""Commands of other tools that people try."""

_OTHER_OPTIONS = {
    ("run", "-m"): "use `pyvstore run python -m MODULE`",
    ("run", "--module"): "use `pyvstore run python -m MODULE`",
    ("run", "-c"): "use `pyvstore run python -c CODE`",
}


def no_such_command(word: str, path: str, known: Sequence[str]) -> UsageError:
    """Return the error for a command that the group at ``path`` does not have."""
    alike = _alike(word, known)
    hint = f"did you mean `{path} {alike}`?" if alike else _ELSEWHERE.get(word) if path == "pyvstore" else None
    return UsageError(f"{path} has no command {word or repr(word)}", hint=hint or f"run `{path} --help`")


def usage_error(error: Any, words: Sequence[str], example: str | None) -> UsageError:
    """Return what typer's parser raised as an error of ours.

    Args:
        error: its exception, whose class depends on the version of typer.
        words: the command line.
        example: one of the command that was asked for, if there is one.
    """
    context = getattr(error, "ctx", None)
    name = context.command_path if context is not None else f"pyvstore {words[0]}"
    text = str(error.format_message()).rstrip(".")
    kind = type(error).__name__
    if kind == "NoSuchOption":
        return _no_such_option(error.option_name, name, context)
    if kind == "MissingParameter" and context is not None:
        wanted = error.param.metavar
        return UsageError(f"{name} needs a {wanted}", hint=f"for example `{example}`, or run `{name} --help`")
    if "unexpected extra argument" in text:
        return UsageError(f"{name} takes no {text.rpartition(' (')[2].rstrip(')')}", hint=f"run `{name} --help`")
    if kind == "BadOptionUsage" and text.endswith("requires an argument"):
        return UsageError(f"{error.option_name} needs a value", hint=f"run `{name} --help`")
    return UsageError(text[:1].lower() + text[1:], hint=f"run `{name} --help`")


def _no_such_option(option: str, name: str, context: Any) -> UsageError:
    other = _OTHER_OPTIONS.get((name.rpartition(" ")[2], option))
    known = [item for parameter in context.command.params for item in parameter.opts] if context is not None else []
    alike = _alike(option, {item for item in [*known, *GLOBAL_OPTIONS] if item.startswith("--")})
    hint = other or (f"did you mean `{alike}`?" if alike else f"run `{name} --help`")
    return UsageError(f"{name} has no option {option}", hint=hint)


def _alike(word: str, known: Iterable[str]) -> str | None:
    """Return the one of ``known`` that is spelled most like ``word``, if any is near."""
    return next(iter(get_close_matches(word, sorted(known), n=1, cutoff=0.7)), None)
