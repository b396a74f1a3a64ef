"""The settings of one project: every layer read, checked and merged."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from pyvstore.errors import UsageError
from pyvstore.index.spec import IndexSpec
from pyvstore.ops.context import Context
from pyvstore.requirements.indexes import IndexSetting
from pyvstore.requirements.settings import (
    Settings,
    SettingsLayer,
    environment_layer,
    flags_layer,
    merge_settings,
    project_layer,
    user_layer,
)


def read_settings(context: Context, pyproject: Mapping[str, object], flags: Mapping[str, str]) -> Settings:
    """Return what the user's file, the project, the environment variables and the flags say together.

    Raises UsageError for a setting that is unknown or makes no sense.
    """
    layers: list[SettingsLayer] = []
    table = _read_user_file(context.user_settings_path())
    if table is not None:
        layers.append(_user_layer(context.user_settings_path(), table))
    layers.append(project_layer(pyproject))
    layers.append(environment_layer(context.environ))
    layers.append(flags_layer(**flags))
    return merge_settings(layers)


def index_specs(settings: Settings) -> tuple[IndexSpec, ...]:
    """Return the indexes of ``settings`` as the index room takes them, with their credentials."""
    return tuple(IndexSpec(url=_with_credentials(setting), name=setting.name) for setting in settings.indexes)


def _with_credentials(setting: IndexSetting) -> str:
    location = setting.location
    if location.username is None:
        return location.url
    parts = urlsplit(location.url)
    user = quote(location.username, safe="")
    if location.password is not None:
        user += ":" + quote(location.password, safe="")
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


def _user_layer(path: str, table: Mapping[str, object]) -> SettingsLayer:
    try:
        return user_layer(table)
    except UsageError as error:
        raise UsageError(
            f"{path}: {error.message}", code=error.code, causes=error.causes, hint=error.hint or f"mend {path}"
        ) from error


def _read_user_file(path: str) -> Mapping[str, object] | None:
    import tomli

    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # the last: somebody else's home
        return None
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        with open(path, "rb") as stream:
            return tomli.loads(stream.read().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> UsageError:
    return UsageError(
        f"the settings file {path} cannot be read", code="setting", causes=[str(error)], hint="mend or remove it"
    )
