"""What every op stands on: the project, its environment's place, the store, and who is told."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyvstore.errors import UsageError
from pyvstore.events import SILENT, Reporter
from pyvstore.index.patience import PATIENT, Patience
from pyvstore.project.files import ProjectFiles
from pyvstore.project.locate import ENVIRONMENT_NAME, require_project_root
from pyvstore.store.location import check_apart, store_home
from pyvstore.store.roots import project_identifier
from pyvstore.store.scratch import sweep_scratch
from pyvstore.store.store import Store

USER_SETTINGS_NAME = "pyvstore.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """One command's surroundings.

    Attributes:
        directory: absolute path of the folder that the command was given in.
        environ: environment variables.
        reporter: who hears of events.
        offline: whether the network must not be used.
        patience: how long indexes are waited for.
    """

    directory: str
    environ: Mapping[str, str]
    reporter: Reporter = SILENT
    offline: bool = False
    patience: Patience = PATIENT

    @property
    def home(self) -> str:
        """The user's home folder, above which no project is looked for."""
        return os.path.expanduser("~")

    def project(self) -> Project:
        """Find the project; raises ProjectError (``no-project``) when there is none."""
        return self.project_at(require_project_root(self.directory, home=self.home))

    def project_at(self, root: str) -> Project:
        """Return the project whose folder is ``root``, where a pyproject.toml may not be yet."""
        prefix = os.path.join(root, ENVIRONMENT_NAME)
        store = self.store()
        check_apart(store.home, prefix)
        return Project(self, root, prefix, ProjectFiles(root), store)

    def store(self) -> Store:
        """Return this user's store; raises UsageError for a home that cannot be."""
        return Store(store_home(self.environ), self.reporter)

    def user_settings_path(self) -> str:
        """Return where the user's own settings are, whether or not there are any."""
        import platformdirs

        directory = platformdirs.user_config_dir("pyvstore", appauthor=False)
        return os.path.join(directory, USER_SETTINGS_NAME)


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder and what belongs to it."""

    context: Context
    root: str
    prefix: str
    files: ProjectFiles
    store: Store

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Open the store and keep every other command off this project for the block.

        What a killed command left is finished (an edit of the two files) or swept (downloads) first.
        """
        self.store.open()
        sweep_scratch(self.store)
        with self.store.project_lock(self.root, project_identifier(self.prefix)):
            self.files.recover()
            yield


def require_online(context: Context, what: str) -> None:
    """Refuse ``what`` when the network must not be used."""
    if context.offline:
        raise UsageError(f"{what} needs the network", code="offline", hint="run it without `--offline`")
