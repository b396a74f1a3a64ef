"""Every command, with typer: parse, call an action. The texts here are the help that people read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from pyvstore import __version__
from pyvstore.cli import actions
from pyvstore.cli.choices import Edit, Lock, parts_from, settings_from, table_from
from pyvstore.cli.console import Console
from pyvstore.cli.globals import Globals
from pyvstore.cli.pages import PAGES, PageCommand, PageGroup, usage
from pyvstore.cli.slips import usage_error
from pyvstore.model.parts import DEFAULT_PARTS
from pyvstore.ops.options import SyncOptions

_EPILOG = "-q, -v, --directory, --color and --json go before or after the command. Examples: pyvstore help COMMAND."

Python = Annotated[
    str | None, typer.Option("--python", metavar="PYTHON", help="A version (3.12), a specifier (>=3.11) or a path.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not use the network.")]
Frozen = Annotated[bool, typer.Option("--frozen", help="Take the lockfile as it is, without checking it.")]
Locked = Annotated[bool, typer.Option("--locked", help="Fail if the lockfile does not match pyproject.toml.")]
Extra = Annotated[list[str], typer.Option("--extra", metavar="NAME", help="Also an extra of the project.")]
AllExtras = Annotated[bool, typer.Option("--all-extras", help="Also all extras.")]
Group = Annotated[list[str], typer.Option("--group", metavar="NAME", help="Also a dependency group.")]
AllGroups = Annotated[bool, typer.Option("--all-groups", help="Also all dependency groups.")]
NoGroup = Annotated[list[str], typer.Option("--no-group", metavar="NAME", help="Not this group.")]
OnlyGroup = Annotated[list[str], typer.Option("--only-group", metavar="NAME", help="This group and nothing else.")]
NoDefaultGroups = Annotated[bool, typer.Option("--no-default-groups", help="No group that is not named.")]
Dev = Annotated[bool, typer.Option("--dev", help="As --group dev.")]
NoDev = Annotated[bool, typer.Option("--no-dev", help="As --no-group dev.")]
OnlyDev = Annotated[bool, typer.Option("--only-dev", help="As --only-group dev.")]
Resolution = Annotated[
    str | None,
    typer.Option("--resolution", metavar="WHICH", help="For this once: highest, lowest or lowest-direct versions."),
]
Prereleases = Annotated[
    str | None, typer.Option("--prereleases", metavar="WHEN", help="For this once: if-necessary, allow or disallow.")
]
ExcludeNewer = Annotated[
    str | None, typer.Option("--exclude-newer", metavar="WHEN", help="For this once: a date or an age, like '7 days'.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]


def run_app(options: Globals, words: Sequence[str], console: Console) -> int:
    """Parse ``words`` and run the command they name; return its exit status.

    ``help COMMAND`` is ``COMMAND --help``. Raises UsageError for a command line that makes no sense, with what was
    probably meant.
    """
    command = typer.main.get_command(build_app(options, console))
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    try:
        result = command.main(args=list(words), prog_name="pyvstore", standalone_mode=False)
    except _PARSE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            console.insist(error.format_message())
            return 2
        raise usage_error(error, words, usage(words[0]) if words[0] in PAGES else None) from error
    except (typer.Abort, EOFError) as error:
        raise KeyboardInterrupt from error
    return result if isinstance(result, int) else 0


# typer brings its own copy of click since 0.27 and used the separate one before: the class is found, not imported.
_PARSE_ERROR: type[Any] = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def build_app(options: Globals, console: Console) -> typer.Typer:
    """Return the command line, bound to the global options that were found."""
    app = typer.Typer(
        name="pyvstore",
        cls=PageGroup,
        help="Python environments made of links into one verified store of packages.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    bound = _Commands(options, console)
    app.callback()(bound.main)
    for name, command, settings in bound.all():
        app.command(name, cls=PageCommand, **settings)(command)
    store = typer.Typer(cls=PageGroup, help="The store of packages.", no_args_is_help=True, rich_markup_mode=None)
    store.command("path", cls=PageCommand, help="Print where the store is.")(bound.store_path)
    app.add_typer(store, name="store")
    return app


def _version(value: bool) -> None:  # noqa: FBT001 - the signature is typer's
    if value:
        typer.echo(f"pyvstore {__version__}")
        raise typer.Exit


class _Commands:
    def __init__(self, options: Globals, console: Console) -> None:
        self._options = options
        self._console = console

    def all(self) -> list[tuple[str, Callable[..., int], dict[str, Any]]]:
        program = {"allow_interspersed_args": False}
        return [
            ("init", self.init, {"help": "Make a pyproject.toml in this folder."}),
            ("add", self.add, {"help": "Add packages to the project, lock and sync."}),
            ("remove", self.remove, {"help": "Remove packages from the project, lock and sync."}),
            ("lock", self.lock, {"help": "Write pylock.toml."}),
            ("sync", self.sync, {"help": "Make the environment what the lockfile says."}),
            ("run", self.run, {"help": "Run a program in the environment.", "context_settings": program}),
            ("relink", self.relink, {"help": "Rebuild the environment from lockfile and store, without network."}),
            ("list", self.list, {"help": "List the packages in the environment."}),
        ]

    def main(
        self,
        quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing but errors.")] = False,
        verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, show_default=False, help="Say more.")] = 0,
        directory: Annotated[
            str | None, typer.Option("--directory", metavar="DIR", help="Run as if started in DIR.")
        ] = None,
        color: Annotated[str, typer.Option("--color", metavar="WHEN", help="auto, always or never.")] = "auto",
        json: Annotated[bool, typer.Option("--json", help="Events as JSON lines on stdout.")] = False,
        version: Annotated[
            bool, typer.Option("--version", "-V", is_eager=True, callback=_version, help="Print the version.")
        ] = False,
    ) -> None:
        """Take the global options; `globals.take_globals` has read them by now, so that they may stand anywhere."""

    def init(
        self,
        name: Annotated[
            str | None, typer.Option("--name", metavar="NAME", help="The project's name (default: the folder's).")
        ] = None,
        python: Python = None,
    ) -> int:
        return actions.init(self._options, self._console, name=name, python=python)

    def add(
        self,
        requirements: Annotated[list[str], typer.Argument(metavar="REQUIREMENT", hidden=True)],
        group: Annotated[str | None, typer.Option("--group", metavar="NAME", help="To this dependency group.")] = None,
        dev: Annotated[bool, typer.Option("--dev", help="To the group dev.")] = False,
        optional: Annotated[
            str | None, typer.Option("--optional", metavar="EXTRA", help="To this extra of the project.")
        ] = None,
        python: Python = None,
        resolution: Resolution = None,
        prereleases: Prereleases = None,
        exclude_newer: ExcludeNewer = None,
        offline: Offline = False,
    ) -> int:
        edit = Edit(table_from(group, optional, dev=dev), python, settings_from(locals()))
        return actions.add(self._options, self._console, requirements, edit, offline=offline)

    def remove(
        self,
        names: Annotated[list[str], typer.Argument(metavar="NAME", hidden=True)],
        group: Annotated[
            str | None, typer.Option("--group", metavar="NAME", help="From this dependency group.")
        ] = None,
        dev: Annotated[bool, typer.Option("--dev", help="From the group dev.")] = False,
        optional: Annotated[
            str | None, typer.Option("--optional", metavar="EXTRA", help="From this extra of the project.")
        ] = None,
        offline: Offline = False,
    ) -> int:
        edit = Edit(table_from(group, optional, dev=dev))
        return actions.remove(self._options, self._console, names, edit, offline=offline)

    def lock(
        self,
        check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if the lockfile is stale.")] = False,
        upgrade: Annotated[bool, typer.Option("--upgrade", "-U", help="Take new versions of everything.")] = False,
        upgrade_package: Annotated[
            list[str],
            typer.Option("--upgrade-package", "-P", metavar="REQUIREMENT", help="Take a new version of this one."),
        ] = [],  # noqa: B006 - typer's way of a list; never changed
        resolution: Resolution = None,
        prereleases: Prereleases = None,
        exclude_newer: ExcludeNewer = None,
        offline: Offline = False,
    ) -> int:
        wanted = Lock(check, upgrade, tuple(upgrade_package), settings_from(locals()))
        return actions.lock(self._options, self._console, wanted, offline=offline)

    def sync(
        self,
        frozen: Frozen = False,
        locked: Locked = False,
        check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if something would change.")] = False,
        dry_run: DryRun = False,
        extra: Extra = [],  # noqa: B006
        all_extras: AllExtras = False,
        group: Group = [],  # noqa: B006
        all_groups: AllGroups = False,
        no_group: NoGroup = [],  # noqa: B006
        only_group: OnlyGroup = [],  # noqa: B006
        no_default_groups: NoDefaultGroups = False,
        dev: Dev = False,
        no_dev: NoDev = False,
        only_dev: OnlyDev = False,
        python: Python = None,
        resolution: Resolution = None,
        prereleases: Prereleases = None,
        exclude_newer: ExcludeNewer = None,
        offline: Offline = False,
    ) -> int:
        given = locals()
        wanted = SyncOptions(
            frozen=frozen,
            locked=locked,
            check=check,
            dry_run=dry_run,
            offline=offline,
            python=python,
            parts=parts_from(given) or DEFAULT_PARTS,
            flags=settings_from(given),
        )
        return actions.sync(self._options, self._console, wanted)

    def run(
        self,
        command: Annotated[list[str], typer.Argument(metavar="COMMAND", hidden=True)],
        no_sync: Annotated[bool, typer.Option("--no-sync", help="Take the environment as it is.")] = False,
        frozen: Frozen = False,
        locked: Locked = False,
        extra: Extra = [],  # noqa: B006
        all_extras: AllExtras = False,
        group: Group = [],  # noqa: B006
        all_groups: AllGroups = False,
        no_group: NoGroup = [],  # noqa: B006
        only_group: OnlyGroup = [],  # noqa: B006
        no_default_groups: NoDefaultGroups = False,
        dev: Dev = False,
        no_dev: NoDev = False,
        only_dev: OnlyDev = False,
        python: Python = None,
        resolution: Resolution = None,
        prereleases: Prereleases = None,
        exclude_newer: ExcludeNewer = None,
        offline: Offline = False,
    ) -> int:
        given = locals()
        wanted = SyncOptions(
            frozen=frozen,
            locked=locked,
            offline=offline,
            python=python,
            parts=parts_from(given),
            flags=settings_from(given),
        )
        return actions.run(self._options, self._console, wanted, command, no_sync=no_sync)

    def relink(self, dry_run: DryRun = False) -> int:
        return actions.relink(self._options, self._console, dry_run=dry_run)

    def list(self) -> int:
        return actions.list_packages(self._options, self._console)

    def store_path(self) -> int:
        return actions.store_path(self._options, self._console)
