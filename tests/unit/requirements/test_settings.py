"""Settings: layers, refusals, and what a repository may not say."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from pyvstore.errors import UsageError
from pyvstore.requirements.indexes import PUBLIC_INDEX_URL
from pyvstore.requirements.settings import (
    Settings,
    SettingsLayer,
    environment_layer,
    flags_layer,
    merge_settings,
    project_layer,
    user_layer,
)


def _project(**settings: Any) -> SettingsLayer:
    return project_layer({"tool": {"pyvstore": {key.replace("_", "-"): value for key, value in settings.items()}}})


def test_no_layer_means_the_defaults() -> None:
    settings = merge_settings([])
    assert settings == Settings()
    assert [index.url for index in settings.indexes] == [PUBLIC_INDEX_URL]
    assert PUBLIC_INDEX_URL.startswith("https://")
    assert (settings.package, settings.prereleases, settings.resolution) == (None, "if-necessary", "highest")


def test_a_project_without_our_table_says_nothing() -> None:
    assert merge_settings([project_layer({}), project_layer({"tool": {"ruff": {}}})]) == Settings()


def test_later_layers_win_in_whatever_order_they_are_given() -> None:
    layers = [
        user_layer({"prereleases": "allow", "resolution": "lowest", "package": True}),
        _project(prereleases="disallow", package=False),
        environment_layer({"PYVSTORE_RESOLUTION": "lowest-direct", "PYVSTORE_PRERELEASES": ""}),
        flags_layer(prereleases="if-necessary"),
    ]
    for order in itertools.permutations(layers):
        settings = merge_settings(order)
        assert (settings.prereleases, settings.resolution, settings.package) == ("if-necessary", "lowest-direct", False)


def test_indexes_are_asked_in_order_and_the_default_one_last() -> None:
    settings = merge_settings(
        [
            _project(
                index=[
                    {"name": "base", "url": "https://base.example/simple/", "default": True},
                    {"name": "ours", "url": "https://ours.example/simple"},
                    {"url": "https://other.example:8443/simple/"},
                ]
            )
        ]
    )
    assert [(index.name, index.url, index.default) for index in settings.indexes] == [
        ("ours", "https://ours.example/simple/", False),
        ("other.example:8443", "https://other.example:8443/simple/", False),
        ("base", "https://base.example/simple/", True),
    ]


def test_a_list_of_indexes_replaces_the_list_of_the_layers_below() -> None:
    user = user_layer({"index": [{"url": "https://mine.example/", "default": True}]})
    project = _project(index=[{"url": "https://ours.example/"}])
    urls = [index.url for index in merge_settings([user, project]).indexes]
    assert urls == ["https://ours.example/", PUBLIC_INDEX_URL]


@pytest.mark.parametrize(
    "layer",
    [
        environment_layer({"PYVSTORE_INDEX_URL": "https://me:secret@mirror.example/simple"}),
        flags_layer(index_url="https://me:secret@mirror.example/simple"),
    ],
)
def test_a_bare_index_url_replaces_only_the_default_index(layer: SettingsLayer) -> None:
    project = _project(index=[{"name": "ours", "url": "https://ours.example/"}])
    settings = merge_settings([project, layer])
    assert [index.url for index in settings.indexes] == ["https://ours.example/", "https://mirror.example/simple/"]
    assert settings.indexes[-1].location.password == "secret"
    assert "secret" not in repr(settings)


def test_an_index_on_this_machine_has_a_name_too() -> None:
    assert flags_layer(index_url="file:///srv/wheels").index_url is not None
    assert merge_settings([flags_layer(index_url="file:///srv/wheels")]).indexes[0].name == "file"


def test_a_user_may_keep_credentials_in_the_own_file() -> None:
    layer = user_layer({"index": [{"url": "https://me:secret@ours.example/"}]})
    assert merge_settings([layer]).indexes[0].location.username == "me"


def test_a_repository_may_not_hold_credentials() -> None:
    with pytest.raises(UsageError, match=r"tool\.pyvstore\.index\[0\]\.url: a committed file") as caught:
        _project(index=[{"url": "https://me:secret@ours.example/"}])
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize("key", ["home", "store", "store-dir"])
def test_no_file_may_say_where_the_store_is(key: str) -> None:
    with pytest.raises(UsageError, match="where the store is") as caught:
        user_layer({key: "/x"})
    assert caught.value.code == "setting"
    with pytest.raises(UsageError, match="where the store is") as caught:
        project_layer({"tool": {"pyvstore": {key: "/x"}}})
    assert "PYVSTORE_HOME" in str(caught.value.hint)


@pytest.mark.parametrize(
    "key",
    ["workspace", "sources", "allow-builds", "materialize", "overlaps", "overlap-winners"],
)
def test_a_setting_that_is_not_acted_on_yet_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match=rf"^tool\.pyvstore\.{key}: ") as caught:
        project_layer({"tool": {"pyvstore": {key: []}}})
    assert (caught.value.code, caught.value.exit_code) == ("setting-unsupported", 2)


def test_an_index_key_that_is_not_acted_on_yet_is_refused() -> None:
    with pytest.raises(UsageError, match="explicit") as caught:
        _project(index=[{"url": "https://ours.example/", "explicit": True}])
    assert caught.value.code == "setting-unsupported"


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        ({"prerelease": "allow"}, "tool.pyvstore.prerelease: there is no such setting", "did you mean `prereleases`?"),
        ({"allow_builds": []}, "tool.pyvstore.allow_builds: there is no such", "did you mean `allow-builds`?"),
        ({"\x1b[2J": 1}, "tool.pyvstore.\\x1b[2J: there is no such setting", None),
        ({"zzz": 1}, "tool.pyvstore.zzz: there is no such setting", None),
        ({"package": "yes"}, "tool.pyvstore.package: must be true or false, not a text", None),
        ({"prereleases": "maybe"}, "'maybe' is not one of `if-necessary`, `allow`, `disallow`", None),
        ({"resolution": ["highest"]}, "tool.pyvstore.resolution: a list is not one of", None),
        ({"index": {}}, "tool.pyvstore.index: must be a list of tables, not a table", None),
        ({"index": ["x"]}, "tool.pyvstore.index[0]: must be a table, not a text", None),
        ({"index": [{}]}, "tool.pyvstore.index[0].url: is missing", None),
        ({"index": [{"url": "x"}]}, "tool.pyvstore.index[0].url: the URL must begin with", None),
        ({"index": [{"URL": "x"}]}, "tool.pyvstore.index[0].URL: there is no such setting", "did you mean `url`?"),
        ({"index": [{"url": "https://a.example", "name": ""}]}, "index[0].name: must be a text of one line", None),
        ({"index": [{"url": "https://a.example", "name": "\x1b"}]}, "index[0].name: must be a text of one line", None),
        ({"index": [{"url": "https://a.example", "default": 1}]}, "index[0].default: must be true or false", None),
        ({"index": [{"url": "https://a.example"}] * 2}, "index[1].name: 'a.example' is used twice", None),
        (
            {"index": [{"url": f"https://{host}.example", "default": True} for host in "ab"]},
            "index[1].default: there can be only one",
            None,
        ),
    ],
)
def test_a_wrong_setting_is_named_by_its_place(table: dict[str, Any], message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        project_layer({"tool": {"pyvstore": table}})
    assert message in caught.value.message
    assert (caught.value.code, caught.value.hint) == ("setting", hint)


@pytest.mark.parametrize(
    ("pyproject", "place"), [({"tool": 1}, "tool:"), ({"tool": {"pyvstore": []}}, "tool.pyvstore:")]
)
def test_our_table_must_be_a_table(pyproject: dict[str, Any], place: str) -> None:
    with pytest.raises(UsageError) as caught:
        project_layer(pyproject)
    assert caught.value.message.startswith(place)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"PYVSTORE_INDEX_URL": "index.example"}, "PYVSTORE_INDEX_URL: "),
        ({"PYVSTORE_RESOLUTION": "best"}, "PYVSTORE_RESOLUTION: "),
    ],
)
def test_a_wrong_variable_is_named(variables: dict[str, str], place: str) -> None:
    with pytest.raises(UsageError) as caught:
        environment_layer(variables)
    assert caught.value.message.startswith(place)


def test_a_wrong_flag_is_named() -> None:
    with pytest.raises(UsageError, match=r"^--resolution: "):
        flags_layer(resolution="best")
