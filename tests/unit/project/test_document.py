from __future__ import annotations

import os
from pathlib import Path

import pytest
import tomli
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvstore.errors import ProjectError
from pyvstore.project.document import ProjectDocument, new_pyproject, project_name


def parse(text: str | bytes) -> ProjectDocument:
    return ProjectDocument.parse("pyproject.toml", text.encode() if isinstance(text, str) else text)


def edit(text: str, requirements: list[str], table: str = "project.dependencies") -> str:
    return parse(text).with_dependencies(requirements, table).decode()


def refusal(raw: str | bytes) -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        parse(raw)
    return caught.value


# Reading


def test_a_syntax_error_is_reported_with_line_and_column() -> None:
    error = refusal('[project]\nname = "x\n')
    assert error.code == "pyproject-syntax"
    assert error.causes[0].startswith("line 2, column 10: ")


def test_merge_conflict_markers_are_recognised_at_their_first_line() -> None:
    error = refusal('[project]\n<<<<<<< HEAD\nname = "a"\n=======\nname = "b"\n>>>>>>> other\n')
    assert error.causes == ("line 2, column 1: merge-conflict marker",)
    assert "merge conflict" in str(error.hint)


def test_bytes_that_are_not_utf_8_are_reported_with_line_and_column() -> None:
    error = refusal('[project]\nname = "é'.encode() + b'\xff"')
    assert (error.code, error.causes) == ("pyproject-syntax", ("line 2, column 10: not valid UTF-8",))


def test_a_byte_order_mark_is_accepted_and_kept() -> None:
    document = parse(b"\xef\xbb\xbf" + b'[project]\nname = "x"\n')
    assert document.data == {"project": {"name": "x"}}
    edited = document.with_dependencies(["a"])
    assert edited.startswith(b"\xef\xbb\xbf[project]")


def test_nesting_without_end_is_refused() -> None:
    assert refusal("x = " + "[" * 20000).code == "pyproject-syntax"


def test_reading_says_what_stands_in_the_way(tmp_path: Path) -> None:
    missing, pipe, large = tmp_path / "a.toml", tmp_path / "b.toml", tmp_path / "pyproject.toml"
    os.mkfifo(pipe)
    with large.open("wb") as stream:
        stream.truncate(16 * 1024 * 1024 + 1)
    codes = {}
    for path in (missing, pipe, large):
        with pytest.raises(ProjectError) as caught:
            ProjectDocument.read(str(path))
        assert str(path) in caught.value.message
        codes[path] = caught.value.code
    assert list(codes.values()) == ["no-project", "project-unreadable", "pyproject-too-large"]


def test_a_file_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as caught:
        ProjectDocument.read(str(tmp_path / ("x" * 300)))
    assert caught.value.code == "project-unreadable"


def test_a_document_is_read_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"[project]\r\n")
    assert ProjectDocument.read(str(path)) == ProjectDocument(str(path), b"[project]\r\n", {"project": {}})


STYLES = {
    "a one-line array grows on its line": (
        '[project]\ndependencies = ["a"]  # keep\n',
        ["a", "b>=1"],
        '[project]\ndependencies = ["a", "b>=1"]  # keep\n',
    ),
    "a one-line array that becomes long is laid out in lines": (
        f'[project]\ndependencies = ["{"a" * 39}>=1"]  # keep\n',
        [f"{'a' * 39}>=1", "b" * 43],
        f'[project]\ndependencies = [\n    "{"a" * 39}>=1",\n    "{"b" * 43}",\n]  # keep\n',
    ),
    "an empty array is laid out in lines": (
        "[project]\ndependencies = []\n",
        ["a"],
        '[project]\ndependencies = [\n    "a",\n]\n',
    ),
    "an array that becomes empty is written short": (
        '[project]\ndependencies = [\n  "a",\n]\nversion = "1"\n',
        [],
        '[project]\ndependencies = [\n]\nversion = "1"\n',
    ),
    "indentation and the missing last comma are kept": (
        '[project]\ndependencies = [\n\t"a",\n\t"b"\n]\n',
        ["a", "b", "c"],
        '[project]\ndependencies = [\n\t"a",\n\t"b",\n\t"c"\n]\n',
    ),
    "line endings are kept": (
        '[project]\r\ndependencies = [\r\n  "a",\r\n]\r\n',
        ["a", "b"],
        '[project]\r\ndependencies = [\r\n  "a",\r\n  "b",\r\n]\r\n',
    ),
    "a missing line break at the end stays missing": (
        '[project]\ndependencies = ["a"]',
        ["b"],
        '[project]\ndependencies = ["b"]',
    ),
    "a comment stays with its entry when the entry's version changes": (
        '[project]\ndependencies = [\n  # head\n  "a>=1", # why a\n  "b", # why b\n]\n',
        ["a>=2", "b"],
        '[project]\ndependencies = [\n  # head\n  "a>=2", # why a\n  "b", # why b\n]\n',
    ),
    "a removed entry takes its own comment along and leaves the lines above": (
        '[project]\ndependencies = [\n  # head\n  "a", # why a\n  "b", # why b\n  # end\n]\n',
        ["b"],
        '[project]\ndependencies = [\n  # head\n  "b", # why b\n  # end\n]\n',
    ),
    "an entry put in between goes on its own line": (
        '[project]\ndependencies = [\n  "a", # why a\n  "c",\n]\n',
        ["a", "b", "c"],
        '[project]\ndependencies = [\n  "a", # why a\n  "b",\n  "c",\n]\n',
    ),
    "an unrelated successor does not inherit a comment": (
        '[project]\ndependencies = [\n  "a", # why a\n]\n',
        ["b"],
        '[project]\ndependencies = [\n  "b",\n]\n',
    ),
    "of two entries for one project the unchanged one is kept": (
        '[project]\ndependencies = [\n  "a<2; python_version<\'3.9\'", # old\n  "a>=2", # new\n]\n',
        ["a>=2"],
        '[project]\ndependencies = [\n  "a>=2", # new\n]\n',
    ),
    "nothing slips into a comment when lines are shared": (
        '[project]\ndependencies = ["a", # why a\n  "b", "c"]\n',
        ["a", "c"],
        '[project]\ndependencies = ["a", # why a\n  "c"]\n',
    ),
    "the bracket does not slip into a comment": (
        '[project]\ndependencies = ["a", # why a\n  "b"]\n',
        ["a"],
        '[project]\ndependencies = ["a" # why a\n]\n',
    ),
    "commas at the beginning of lines are kept": (
        '[project]\ndependencies = [\n    "a" # why a\n  , "b"\n]\n',
        ["a", "b>=1"],
        '[project]\ndependencies = [\n    "a" # why a\n  , "b>=1"\n]\n',
    ),
    "an array of comments alone keeps them": (
        "[project]\ndependencies = [\n  # none yet\n]\n",
        ["a"],
        '[project]\ndependencies = [\n    "a",\n  # none yet\n]\n',
    ),
    "comments of removed entries stay above what follows them": (
        '[project]\ndependencies = [\n  # x\n  "a",\n  "c",\n]\n',
        ["b", "c"],
        '[project]\ndependencies = [\n  # x\n  "b",\n  "c",\n]\n',
    ),
    "quotes inside a requirement are written without escapes": (
        "[project]\ndependencies = []\n",
        ['a; python_version < "3.9"'],
        "[project]\ndependencies = [\n    'a; python_version < \"3.9\"',\n]\n",
    ),
    "literal and triple-quoted strings are understood": (
        "[project]\ndependencies = ['a', '''b''', \"\"\"c\"\"\"]\n",
        ["a", "c", "d"],
        '[project]\ndependencies = [\'a\', """c""", "d"]\n',
    ),
    "a list that is asked for without entries is written short": (
        '[project]\nname = "x"\n',
        [],
        '[project]\nname = "x"\ndependencies = []\n',
    ),
    "a missing list is put below the last key of its table": (
        '[project]\nname = "x"\n\n# about scripts\n[project.scripts]\na = "b"\n',
        ["a"],
        '[project]\nname = "x"\ndependencies = [\n    "a",\n]\n\n# about scripts\n[project.scripts]\na = "b"\n',
    ),
    "a table without a key gets its first": (
        "[project]\n[tool.a]\nb = 1\n",
        ["a"],
        '[project]\ndependencies = [\n    "a",\n]\n[tool.a]\nb = 1\n',
    ),
    "dotted keys are continued": (
        'project.name = "x"\n[tool.a]\nb = 1\n',
        ["a"],
        'project.name = "x"\nproject.dependencies = [\n    "a",\n]\n[tool.a]\nb = 1\n',
    ),
    "an inline table is continued": (
        'project = {name = "x"}\n',
        ["a"],
        'project = {name = "x",dependencies = ["a"]}\n',
    ),
    "a file without a last line break gets one first": (
        '[project]\nname = "x"',
        ["a"],
        '[project]\nname = "x"\ndependencies = [\n    "a",\n]\n',
    ),
}


@pytest.mark.parametrize("case", STYLES)
def test_the_style_of_the_file_is_kept(case: str) -> None:
    before, requirements, after = STYLES[case]
    assert edit(before, requirements) == after


def test_an_edit_that_changes_nothing_returns_the_same_bytes() -> None:
    text = '[project]\ndependencies = [ "a" ,"b"  ]'
    assert edit(text, ["a", "b"]) == text


def test_a_new_extra_gets_a_table_below_the_project() -> None:
    before = '[project]\nname = "x"\n\n[tool.a]\nb = 1\n'
    after = '[project]\nname = "x"\n\n[project.optional-dependencies]\nmy-plot = [\n    "a",\n]\n\n[tool.a]\nb = 1\n'
    assert edit(before, ["a"], "project.optional-dependencies.My_plot") == after


def test_an_extra_is_found_under_another_spelling() -> None:
    before = '[project]\n[project.optional-dependencies]\nMy_plot = ["a"]\n'
    assert edit(before, ["b"], "project.optional-dependencies.my-plot") == before.replace('"a"', '"b"')


def test_a_new_group_is_written_at_the_end_of_the_file() -> None:
    before = '[project]\nname = "x"\n[tool.a]\nb = 1'
    assert edit(before, ["a"], "dependency-groups.dev") == before + '\n\n[dependency-groups]\ndev = [\n    "a",\n]\n'


def test_a_group_can_be_written_into_an_empty_file() -> None:
    assert edit("", ["a"], "dependency-groups.dev") == '[dependency-groups]\ndev = [\n    "a",\n]\n'


def test_tables_in_a_group_stay_where_they_are() -> None:
    before = '[dependency-groups]\ndev = ["a", {include-group = "b, ]"}, "c"]\n'
    after = '[dependency-groups]\ndev = ["a", {include-group = "b, ]"}, "c>=1", "d"]\n'
    assert edit(before, ["a", "c>=1", "d"], "dependency-groups.dev") == after


# Refusals

REFUSED = {
    'project = "x"': ("pyproject-invalid", "project in pyproject.toml must be a table, not a string"),
    "[project]\ndependencies = 'a'": ("pyproject-invalid", "project.dependencies in pyproject.toml must be a list"),
    "[project]\ndependencies = ['a', 1]": ("pyproject-invalid", "project.dependencies[1] in pyproject.toml must be"),
    "[project]\ndependencies = [{a = 1}]": ("pyproject-invalid", "project.dependencies[0] in pyproject.toml must be"),
    "[project]\ndependencies = 2020-01-01": ("pyproject-invalid", "must be a list of strings, not a date"),
    "[project]\ndynamic = ['dependencies']": ("dependencies-dynamic", "project.dependencies in pyproject.toml is comp"),
    "[tool]": ("no-project-table", "pyproject.toml has no [project] table"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_edited_is_refused_with_its_path(text: str) -> None:
    code, message = REFUSED[text]
    with pytest.raises(ProjectError) as caught:
        edit(text, ["b"])
    assert caught.value.code == code
    assert message in caught.value.message


def test_wrong_types_of_extras_and_groups_are_refused() -> None:
    for table, text in {
        "project.optional-dependencies.x": "[project]\noptional-dependencies = []",
        "dependency-groups.x": "dependency-groups = 1",
        "dependency-groups.y": "[dependency-groups]\ny = true",
    }.items():
        with pytest.raises(ProjectError, match="must be") as caught:
            edit(text, ["b"], table)
        assert caught.value.code == "pyproject-invalid"


def test_dynamic_extras_are_refused() -> None:
    with pytest.raises(ProjectError) as caught:
        edit("[project]\ndynamic = ['optional-dependencies']", ["b"], "project.optional-dependencies.x")
    assert caught.value.code == "dependencies-dynamic"


def test_a_file_that_no_way_of_editing_fits_is_refused() -> None:
    # A number that is not equal to itself cannot be shown to be unchanged.
    with pytest.raises(ProjectError) as caught:
        edit("[project]\nx = nan\ndependencies = []", ["b"])
    assert caught.value.code == "pyproject-edit"


@pytest.mark.parametrize("table", ["project", "tool.x", "dependency-groups", "dependency-groups.", "project.scripts.x"])
def test_another_table_is_a_mistake_of_the_caller(table: str) -> None:
    with pytest.raises(ValueError, match=table):
        edit("[project]", ["b"], table)


# New files


@pytest.mark.parametrize(
    ("folder", "name"),
    [("My App", "my-app"), ("Ünïcode_x", "n-code-x"), ("...", "project"), ("日本", "project"), ("a..b", "a-b")],
)
def test_a_folder_gives_a_valid_name(folder: str, name: str) -> None:
    assert project_name(folder) == name


def test_a_new_file_is_small_and_pretty() -> None:
    assert new_pyproject("My App", ">=3.12").decode() == (
        '[project]\nname = "my-app"\nversion = "0.1.0"\nrequires-python = ">=3.12"\ndependencies = []\n'
    )


# Properties

NAMES = st.sampled_from(["a", "b", "b>=1", "c", "c<2; python_version<'3.9'", 'd; x=="y"', "E.f", "e_f>2", "zz[x]"])
BLANKS = st.sampled_from(["", " ", "\n", "\n    ", "\n\t", " # why, ] \"'\n", "\n  # line\n  # line\n  ", "  "])
QUOTED = st.sampled_from(['"{}"', '"""{}"""', "'''{}'''"])


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, list[str]]:
    members = draw(st.lists(NAMES, max_size=5))
    text = ""
    for position, member in enumerate(members):
        literal = draw(QUOTED)
        text += draw(BLANKS) + literal.format(member if "'" in literal else member.replace('"', '\\"')) + draw(BLANKS)
        if position < len(members) - 1 or draw(st.booleans()):
            text += "," + draw(BLANKS)
    return f"[{text}{draw(BLANKS)}]", members


@settings(max_examples=300)
@given(array=arrays(), requirements=st.lists(NAMES, max_size=6), crlf=st.booleans())
def test_an_edit_changes_the_list_and_nothing_else(
    array: tuple[str, list[str]], requirements: list[str], crlf: bool
) -> None:
    head = '# first\n[build-system]\nrequires = ["x"] # r\n\n[project]\nname = "n" # n\n'
    tail = '  # after\nversion = "1"\n\n# tool\n[tool.a]\nb = [1,\n 2]\n'
    text = head + f"dependencies = {array[0]}" + tail
    if crlf:
        text = text.replace("\n", "\r\n")
        head, tail = head.replace("\n", "\r\n"), tail.replace("\n", "\r\n")
    assert tomli.loads(text)["project"]["dependencies"] == array[1]
    edited = edit(text, requirements)
    assert edited.startswith(head)
    assert edited.endswith(tail)
    expected = tomli.loads(text)
    expected["project"]["dependencies"] = requirements
    assert tomli.loads(edited) == expected
    if crlf:
        assert "\n" not in edited.replace("\r\n", "")
    # Editing back and forth gives the same list again, and a second identical edit is a no-op.
    assert edit(edited, requirements) == edited


@settings(max_examples=150)
@given(array=arrays(), extra=NAMES)
def test_an_added_entry_disturbs_no_other_line(array: tuple[str, list[str]], extra: str) -> None:
    text = f"[project]\ndependencies = {array[0]}\n"
    edited = edit(text, [*array[1], extra])
    assert edited.count("#") >= text.count("#")
    for line in text.splitlines()[2:-1]:
        if line.strip().startswith("#"):
            assert line in edited.splitlines()


@given(st.text())
def test_any_folder_name_gives_a_name_that_is_normal_and_valid(folder: str) -> None:
    name = project_name(folder)
    document = tomli.loads(new_pyproject(folder, ">=3.8").decode())
    assert document["project"]["name"] == name
    assert name.strip("-") == name
    assert name.isascii()
    assert name


def test_text_that_tomlkit_does_not_understand_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise tomlkit.exceptions.ParseError(1, 1)

    monkeypatch.setattr(tomlkit, "parse", refuse)
    with pytest.raises(ProjectError) as caught:
        edit('[project]\ndependencies = ["a"]\n', ["b"])
    assert caught.value.code == "pyproject-edit"
