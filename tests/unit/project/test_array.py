from __future__ import annotations

import pytest

from pyvstore.project.array import edit_array, parse_array, quote


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[]", []),
        ("[ # none\n ]", []),
        ('[\'a\', "b\\"]", \'\'\'c\',\'\'\', """d""""]', ["a", 'b"]', "c',", 'd"']),
        ('[{a = "}", b = {c = []}}, "d"]', [{}, "d"]),
        ('[{ # }\n a = 1 }  , # x\n "d" , ]', [{}, "d"]),
    ],
)
def test_taking_an_array_apart_and_putting_it_together_gives_the_same_text(text: str, values: list[object]) -> None:
    array = parse_array(text, values)
    assert array.format() == text
    assert [entry.text for entry in array.entries] == [value if isinstance(value, str) else None for value in values]


@pytest.mark.parametrize(("text", "values"), [('["a"]', []), ('["a"]', ["a", "b"]), ('[{ "a"', ["a"]), ("[x", [])])
def test_an_array_that_is_not_what_was_parsed_is_refused(text: str, values: list[object]) -> None:
    with pytest.raises(ValueError, match=r"\["):
        parse_array(text, values)


def test_a_comment_left_behind_on_the_first_line_swallows_nothing() -> None:
    array = parse_array('[ # head\n  "a", "b"]', ["a", "b"])
    edited = edit_array(array, ["b"], key=str, newline="\n", column=0)
    assert edited == '[ # head\n  "b"]'
    emptied = edit_array(array, [], key=str, newline="\n", column=0)
    assert emptied == "[ # head\n]"


@pytest.mark.parametrize("text", ["a", 'a"b', "a'\"b", "é\x7f\n", "\\"])
def test_a_quoted_text_means_itself(text: str) -> None:
    import tomli

    assert tomli.loads(f"x = {quote(text)}") == {"x": text}
