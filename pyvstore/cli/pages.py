"""The help pages: one line of usage, the options, and examples to copy.

typer's own pages differ between its versions where arguments stand, and have no examples; these are drawn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

from pyvstore.cli.slips import no_such_command


@dataclass(frozen=True, slots=True)
class Page:
    """What a command's page says besides its options.

    Attributes:
        arguments: what follows the options, as in ``REQUIREMENT...``; empty for nothing.
        examples: command lines without ``pyvstore``, each with what it is for.
    """

    arguments: str
    examples: tuple[tuple[str, str], ...]


PAGES = {
    "init": Page("", (("init", "name it like the folder"), ("init --python 3.12", "for Python 3.12 and later"))),
    "add": Page(
        "REQUIREMENT...",
        (
            ("add numpy 'rich>=13'", "two packages, one with a bound"),
            ("add 'httpx[http2]'", "with an extra"),
            ("add --dev pytest", "to the group dev, which is installed by default"),
            ("add --optional plot matplotlib", "to an extra of the project"),
        ),
    ),
    "remove": Page("NAME...", (("remove numpy", "and what only numpy needed"),)),
    "lock": Page(
        "",
        (
            ("lock", "change no version that may stay"),
            ("lock -P numpy -P 'rich<15'", "new versions of these"),
            ("lock --upgrade", "new versions of everything"),
            ("lock --check", "for CI: fail if the lockfile is stale"),
        ),
    ),
    "sync": Page(
        "",
        (
            ("sync", "lock if need be, fetch, link"),
            ("sync --locked", "for CI: fail if the lockfile is stale"),
            ("sync --group docs --extra plot", "with a dependency group and an extra"),
            ("sync --dry-run", "see what would change"),
        ),
    ),
    "run": Page(
        "COMMAND...",
        (
            ("run main.py --flag", "a script, with its options"),
            ("run python -m http.server", "a module"),
            ("run --no-sync -- pytest -q", "a program, and no look at the lockfile"),
        ),
    ),
    "relink": Page("", (("relink", "after .venv was deleted, moved or damaged"),)),
    "list": Page("", (("list", "two columns: name, version"), ("list --json", "one array, for programs"))),
    "path": Page("", (('du -sh "$(pyvstore store path)"', "how large it is"),)),
}


def usage(name: str) -> str:
    """Return the first example of a command, complete."""
    return _complete(PAGES[name].examples[0][0])


def _complete(example: str) -> str:
    return example if "pyvstore" in example else f"pyvstore {example}"


class PageCommand(TyperCommand):
    """A command with a page of ours. The types of contexts and formatters depend on the version of typer."""

    @override
    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, f"[OPTIONS] {PAGES[str(self.name)].arguments}".rstrip())

    @override
    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        rows = [(_complete(example), purpose) for example, purpose in PAGES[str(self.name)].examples]
        with formatter.section("Examples"):
            formatter.write_dl(rows, col_max=max(len(example) for example, _ in rows))


class PageGroup(TyperGroup):
    """A group that answers a command that it does not know with the one that was probably meant."""

    @override
    def format_usage(self, ctx: Any, formatter: Any) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] COMMAND [ARGS]...")

    @override
    def resolve_command(self, ctx: Any, args: Any) -> Any:
        words: Sequence[str] = args
        if words[0] not in self.commands and not words[0].startswith("-"):
            raise no_such_command(words[0], ctx.command_path, list(self.commands))
        return super().resolve_command(ctx, args)
