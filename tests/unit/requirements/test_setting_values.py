"""The value of one setting: what is kept, and what is refused where. Cut-offs have a module of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyvstore.errors import UsageError
from pyvstore.requirements.setting_values import (
    ALL,
    alike,
    choice_of,
    parse_bounds,
    parse_conflicts,
    parse_default_groups,
    parse_flag,
    parse_markers,
    parse_names,
    parse_package_list,
    parse_platforms,
)

Parse = Callable[[object, str], object]
EXTRA_A, EXTRA_B, GROUP_A = {"extra": "A"}, {"extra": "b"}, {"group": "a"}


@pytest.mark.parametrize(
    ("parse", "value", "kept"),
    [
        (parse_flag, True, True),
        (parse_flag, False, False),
        (choice_of("x", "y"), "y", "y"),
        (parse_platforms, ["windows-x86_64", "linux-x86_64"], ("linux-x86_64", "windows-x86_64")),
        (parse_platforms, ["linux-x86_64", "linux-x86_64"], ("linux-x86_64",)),
        (parse_markers, [], ()),
        (parse_markers, ['os_name=="nt"', "os_name == 'nt'"], ("os_name == 'nt'",)),
        (parse_markers, ["os_name == 'b'", "os_name == 'a'"], ("os_name == 'b'", "os_name == 'a'")),
        (parse_bounds, ["B>1", "a<2,>=1", "b > 1"], ("a>=1,<2", "b>1")),
        (parse_bounds, ["a[Y,x] ; os_name=='nt'"], ("a[x,y] ; os_name == 'nt'",)),
        (parse_names, ["Two.Words", "two_words", "a"], ("a", "two-words")),
        (parse_package_list, ["B", "a"], ("a", "b")),
        (parse_package_list, ["a", ALL], (ALL,)),
        (parse_package_list, [], ()),
        (parse_default_groups, "all", (ALL,)),
        (parse_default_groups, ["Dev"], ("dev",)),
        (parse_default_groups, [], ()),
        (parse_conflicts, [[EXTRA_B, EXTRA_A]], ((("extra", "a"), ("extra", "b")),)),
        (parse_conflicts, [[EXTRA_A, GROUP_A]], ((("extra", "a"), ("group", "a")),)),
        (parse_conflicts, [[EXTRA_A, EXTRA_B], [EXTRA_B, EXTRA_A, EXTRA_A]], ((("extra", "a"), ("extra", "b")),)),
    ],
)
def test_a_value_is_kept_in_its_one_form(parse: Parse, value: Any, kept: object) -> None:
    assert parse(value, "place") == kept


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (parse_flag, 1, "place: must be true or false, not a number"),
        (parse_flag, "true", "place: must be true or false, not a text"),
        (choice_of("x", "y"), "z", "place: 'z' is not one of `x`, `y`"),
        (choice_of("x", "y"), ["x"], "place: a list is not one of `x`, `y`"),
        (choice_of("x"), "\x1b[2J", r"place: '\x1b[2J' is not one of"),
        (parse_platforms, [], "place: must name at least one platform"),
        (parse_platforms, "linux-x86_64", "place: must be a list of texts, not a text"),
        (parse_platforms, ["linux-x86_64", "amiga"], "place[1]: there is no platform 'amiga'"),
        (parse_markers, ["os_name == 'nt'", 7], "place[1]: must be a text, not a number"),
        (parse_markers, ["linux"], "place[0]: 'linux' is not a marker"),
        (parse_markers, ["'x' in extras"], "place[0]: \"'x' in extras\" is not a marker"),
        (parse_bounds, ["a >"], "place[0]: 'a >' is not a requirement"),
        (parse_bounds, ["a @ https://me:secret@x.example/a.whl"], "place[0]: a comes from a URL"),
        (parse_bounds, ["@ https://me:secret@x.example"], "place[0]: the entry with a URL is not a requirement"),
        (parse_names, ["a", "-b"], "place[1]: '-b' is not a valid name"),
        (parse_names, {"a": 1}, "place: must be a list of texts, not a table"),
        (parse_package_list, [":none:"], "place[0]: ':none:' is not a valid name"),
        (parse_default_groups, "dev", "place: must be a list of groups or `all`"),
        (parse_default_groups, 3, "place: must be a list of texts, not a number"),
        (parse_conflicts, {}, "place: must be a list of lists, not a table"),
        (parse_conflicts, [EXTRA_A], "place[0]: must be a list of tables, not a table"),
        (parse_conflicts, [[EXTRA_A]], "place[0]: must name at least two"),
        (parse_conflicts, [[EXTRA_A, {"extra": "a"}]], "place[0]: must name at least two"),
        (parse_conflicts, [[EXTRA_A, EXTRA_B], [EXTRA_A, "b"]], "place[1][1]: must be `{ extra = "),
        (parse_conflicts, [[EXTRA_A, {"extra": "b", "group": "b"}]], "place[0][1]: must be `{ extra = "),
        (parse_conflicts, [[EXTRA_A, {"package": "b"}]], "place[0][1]: must be `{ extra = "),
        (parse_conflicts, [[EXTRA_A, {"extra": 1}]], "place[0][1]: must be `{ extra = "),
        (parse_conflicts, [[EXTRA_A, {"extra": "?"}]], "place[0][1]: '?' is not a valid name"),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(parse: Parse, value: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(value, "place")
    assert caught.value.message.startswith(message)
    assert caught.value.code == ("setting-unsupported" if "comes from a URL" in message else "setting")
    assert "secret" not in f"{caught.value.message}{caught.value.hint}{caught.value.causes}"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("linux-x86-64", "did you mean `linux-x86_64`?"),
        ("Windows-x86_64", "did you mean `windows-x86_64`?"),
        ("zzz", "known are linux-x86_64, "),
    ],
)
def test_an_unknown_platform_comes_with_a_known_one(text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_platforms([text], "place")
    assert (caught.value.hint or "").startswith(hint)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("No_Build", "did you mean `no-build`?"),
        ("no-bild", "did you mean `no-build`?"),
        ("colour", None),
        ("", None),
    ],
)
def test_a_hint_names_what_is_spelled_alike(word: str, found: str | None) -> None:
    assert alike(word, ["no-build", "platforms"]) == found
