"""Reading a lockfile: what is accepted, and the place in every refusal."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyvstore.errors import LockfileError
from pyvstore.lockfile.parse import MAXIMUM_SIZE_BYTES, parse_lock

_SHA = "a" * 64
_WHEEL = f'{{ url = "https://files.example/foo-1.0-py3-none-any.whl", hashes = {{ sha256 = "{_SHA}" }} }}'
_HEAD = 'lock-version = "1.0"\ncreated-by = "someone"\n'
_LOCK = f'{_HEAD}[[packages]]\nname = "foo"\nversion = "1.0"\nwheels = [{_WHEEL}]\n'


def _refusal(text: str | bytes) -> LockfileError:
    with pytest.raises(LockfileError) as caught:
        parse_lock(text)
    assert caught.value.message.isprintable()
    return caught.value


def test_a_small_lock_of_another_tool_is_read() -> None:
    document = parse_lock(_LOCK)
    assert (document.created_by, document.inputs, document.input_digest, document.warnings) == (
        "someone",
        None,
        None,
        (),
    )
    (package,) = document.packages
    assert (package.name, str(package.version), package.index_url, package.sdist) == ("foo", "1.0", None, None)
    (wheel,) = package.wheels
    assert (wheel.filename, wheel.url) == ("foo-1.0-py3-none-any.whl", "https://files.example/foo-1.0-py3-none-any.whl")
    assert (wheel.sha256, wheel.size_bytes, wheel.upload_time) == (_SHA, None, None)


@pytest.mark.parametrize(
    "text",
    [
        _LOCK.encode(),
        b"\xef\xbb\xbf" + _LOCK.encode(),
        "\ufeff" + _LOCK,
        _LOCK.replace("\n", "\r\n"),
        _LOCK.replace("\n", "\r\n").encode(),
    ],
)
def test_byte_order_marks_and_windows_line_ends_change_nothing(text: str | bytes) -> None:
    assert parse_lock(text) == parse_lock(_LOCK)


def test_a_newer_minor_format_is_read_with_a_warning_and_nothing_is_printed(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        document = parse_lock(_LOCK.replace('lock-version = "1.0"', 'lock-version = "1.3"'))
    assert [code for code, _ in document.warnings] == ["lock-version"]
    assert caplog.records == []
    assert document == parse_lock(_LOCK)


@pytest.mark.parametrize("version", ["2.0", "10", "0.9"])
def test_another_major_format_is_refused(version: str) -> None:
    error = _refusal(_LOCK.replace('lock-version = "1.0"', f'lock-version = "{version}"'))
    assert error.code == "lock-version"
    assert "pyvstore lock" in str(error.hint)


@pytest.mark.parametrize("marks", ["<<<<<<< HEAD\n", "=======\n", ">>>>>>> branch\n", "||||||| base\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_merge_conflict_is_recognised(marks: str, line_end: str) -> None:
    error = _refusal((_HEAD + marks + _LOCK).replace("\n", line_end))
    assert error.code == "lock-invalid"
    assert "merge conflict" in error.message
    assert "pyvstore lock" in str(error.hint)


def test_the_file_is_called_by_its_name() -> None:
    with pytest.raises(LockfileError, match=r"^pylock\.docs\.toml is not valid"):
        parse_lock("", filename="pylock.docs.toml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        ("x =", "not TOML: Invalid value"),
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("", "lock-version: must be a version"),
        ("lock-version = 1.0", "lock-version: must be a version"),
        ('lock-version = "one"', "lock-version: must be a version"),
        ('lock-version = "1.0"\npackages = []', "created-by: Missing"),
        (_HEAD, "packages: Missing"),
        (_HEAD + "packages = 1", "packages: Unexpected type"),
        (_HEAD + "packages = [1]", "packages[0]: Unexpected type"),
        (_HEAD + "packages = [{ wheels = 1 }]", "packages[0].name: Missing"),
        (_HEAD + 'packages = [{ name = "../../x" }]', "packages[0].name: Name '../../x' is not normalized"),
        (_HEAD + 'packages = [{ name = "foo" }]', "packages[0]: Exactly one of vcs, directory, archive"),
        (_LOCK.replace('"1.0"\nwheels', '"../1"\nwheels'), "packages[0].version: Invalid version"),
        (_LOCK + 'marker = "nonsense"', "packages[0].marker"),
        (_LOCK + 'requires-python = "3+"', "packages[0].requires-python"),
        (_LOCK + 'tool = "x"', "packages[0].tool"),
        (_LOCK + "wheels.x = 1", "not TOML"),
        (_HEAD + "tool = 1\npackages = []", "tool: Unexpected type"),
        (_LOCK.replace("sha256", "md5"), "packages[0].wheels[0].hashes: a sha256 is needed, and there is only 'md5'"),
        (_LOCK.replace(_SHA, "abc"), "packages[0].wheels[0].hashes.sha256: must be 64 hexadecimal digits"),
        (_LOCK.replace("a" * 64, "g" * 64), "packages[0].wheels[0].hashes.sha256: must be 64 hexadecimal digits"),
        (_LOCK.replace(f'"{_SHA}"', "1"), "packages[0].wheels[0].hashes: Hash values must be strings"),
        (_LOCK.replace(f'{{ sha256 = "{_SHA}" }}', "{}"), "packages[0].wheels[0].hashes: At least one hash"),
        (_LOCK.replace(f', hashes = {{ sha256 = "{_SHA}" }}', ""), "packages[0].wheels[0].hashes: Missing"),
        (_LOCK.replace("foo-1.0-py3", "bar-1.0-py3"), "is not consistent with package name 'foo'"),
        (_LOCK.replace("foo-1.0-py3", "foo-1.1-py3"), "is not consistent with package version '1.0'"),
        (_LOCK.replace("foo-1.0-py3", "foo-1.0-py3%2F.."), "Invalid wheel filename"),
        (_LOCK.replace("url = ", "path = "), "packages[0].wheels[0].url: is missing; files that have only a path"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(text: str | bytes, reason: str) -> None:
    error = _refusal(text)
    assert error.code == "lock-invalid"
    assert reason in error.message
    assert "pyvstore lock" in str(error.hint)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1", "wheels[1]: must be a table"),
        ("{}", "wheels[1].url: is missing"),
        ("{ url = 1 }", "wheels[1].url: must be an https, http or file URL"),
        (
            '{ url = "ftp://files.example/foo-1.0-py3-none-any.whl" }',
            "wheels[1].url: must be an https, http or file URL",
        ),
        ('{ url = "//files.example/foo-1.0-py3-none-any.whl" }', "wheels[1].url: must be an https"),
        ('{ url = "https://files.example/a b/foo-1.0-py3-none-any.whl" }', "wheels[1].url: must be an https"),
        (
            '{ url = "https://files.example\\\\@evil.example/foo-1.0-py3-none-any.whl" }',
            "wheels[1].url: must be an https",
        ),
        ('{ url = "https://f\\u00edles.example/foo-1.0-py3-none-any.whl" }', "wheels[1].url: must be an https"),
        ('{ url = "https:///foo-1.0-py3-none-any.whl" }', "wheels[1].url: must have a host"),
        (
            '{ url = "https://me:secret@files.example/foo-1.0-py3-none-any.whl" }',
            "wheels[1].url: must not hold credentials",
        ),
        (
            '{ url = "file:///etc/foo-1.0-py3-none-any.whl" }',
            "wheels[1].url: may be a file URL only when `index` is one",
        ),
        ('{ url = "file://host/foo-1.0-py3-none-any.whl" }', "wheels[1].url: must have a host exactly when"),
        ('{ url = "https://files.example/x", name = 1 }', "wheels[1].name: must be a text"),
        ('{ url = "https://files.example/x", size = -1 }', "wheels[1].size: must be a number"),
        ('{ url = "https://files.example/x", size = true }', "wheels[1].size: must be a number"),
        ('{ url = "https://files.example/x", size = 1.5 }', "wheels[1].size: must be a number"),
        ('{ url = "https://files.example/x" }', "wheels[1].hashes: are missing"),
        ('{ url = "https://files.example/x", hashes = "a" }', "wheels[1].hashes: are missing"),
        ('{ url = "https://files.example/x", hashes = { sha256 = 1 } }', "wheels[1].hashes.sha256: must be 64"),
        ('{ url = "https://files.example/x", H }', "the file name 'x' is not that of a wheel"),
        ('{ url = "https://files.example/", H }', "the file name '' has characters"),
        ('{ url = "https://files.example/foo-1.0.whl", H }', "the file name 'foo-1.0.whl' is not that of a wheel"),
        ('{ url = "https://files.example/bar-1.0-py3-none-any.whl", H }', "is not that of a wheel of foo"),
        (
            '{ url = "https://files.example/foo-2.0-py3-none-any.whl", H }',
            "'foo-2.0-py3-none-any.whl' is not version 1.0",
        ),
        (
            '{ url = "https://files.example/foo-x-py3-none-any.whl", H }',
            "the file name has 'x' where a version belongs",
        ),
        ('{ url = "https://files.example/foo-1.0-py3..py2-none-any.whl", H }', "the file name has the malformed tag"),
        (
            '{ url = "https://files.example/x", name = "../foo-1.0-py3-none-any.whl", H }',
            "has characters that it cannot",
        ),
        ('{ url = "https://files.example/x%2Ffoo-1.0-py3-none-any.whl", H }', "has characters that it cannot have"),
        ('{ url = "https://files.example/x%5Cfoo-1.0-py3-none-any.whl", H }', "has characters that it cannot have"),
        (
            '{ url = "https://files.example/x", upload-time = "2024", H }',
            "wheels[1].upload-time: must be a date and time",
        ),
        ('{ url = "https://files.example/x", upload-time = 2024-01-01, H }', "wheels[1].upload-time: must be a date"),
        ('{ url = "https://files.example/x", upload-time = 10:00:00, H }', "wheels[1].upload-time: must be a date"),
        (
            '{ url = "https://files.example/x", upload-time = 0001-01-01T00:00:00+05:00, H }',
            "wheels[1].upload-time: is out of range",
        ),
    ],
)
def test_a_wrong_row_is_named_whichever_it_is(row: str, reason: str) -> None:
    row = row.replace(", H }", f', hashes = {{ sha256 = "{_SHA}" }} }}')
    error = _refusal(_LOCK.replace(f"[{_WHEEL}]", f"[{_WHEEL}, {row}]"))
    assert "packages[0].wheels[1]" in error.message
    assert reason in error.message
    assert "secret" not in error.message


def test_a_file_larger_than_64_mib_is_not_parsed() -> None:
    assert "larger than 64 MiB" in _refusal(b"#" * (MAXIMUM_SIZE_BYTES + 1)).message


def test_local_files_are_read_from_a_local_index_only() -> None:
    wheel = _WHEEL.replace("https://files.example/", "file:///srv/wheels/")
    text = _LOCK.replace(_WHEEL, wheel)
    assert "may be a file URL only when `index` is one" in _refusal(text).message
    assert "may be a file URL only" in _refusal(text + 'index = "https://index.example/simple/"').message
    assert parse_lock(text + 'index = "file:///srv/wheels/"').packages[0].wheels[0].url.startswith("file:///srv/")


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        ("ftp://index.example/", "packages[0].index: must be an https, http or file URL"),
        ("https://me:secret@index.example/", "packages[0].index: must not hold credentials"),
        ("index", "packages[0].index: must be an https, http or file URL"),
    ],
)
def test_a_wrong_index_is_refused(index: str, reason: str) -> None:
    error = _refusal(f'{_LOCK}index = "{index}"')
    assert reason in error.message
    assert "secret" not in error.message


def test_a_row_may_name_its_file_itself() -> None:
    wheel = _WHEEL.replace("/foo-1.0-py3-none-any.whl", '/get?id=3#frag", name = "foo-1.0-py3-none-any.whl')
    (locked,) = parse_lock(_LOCK.replace(_WHEEL, wheel)).packages[0].wheels
    assert (locked.filename, locked.url) == ("foo-1.0-py3-none-any.whl", "https://files.example/get?id=3")


def test_an_encoded_file_name_is_decoded() -> None:
    text = _LOCK.replace("foo-1.0-py3", "foo-1.0%2Bcpu-py3").replace('"1.0"\nwheels', '"1.0+cpu"\nwheels')
    assert parse_lock(text).packages[0].wheels[0].filename == "foo-1.0+cpu-py3-none-any.whl"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=timezone.utc)),
        ("2024-05-01T10:00:00.25+02:00", datetime(2024, 5, 1, 8, 0, 0, 250_000, tzinfo=timezone.utc)),
        ("2024-05-01T10:00:00", datetime(2024, 5, 1, 10, tzinfo=timezone.utc)),
    ],
)
def test_times_are_utc(written: str, meant: datetime) -> None:
    text = _LOCK.replace("hashes", f"upload-time = {written}, size = 5, hashes")
    (wheel,) = parse_lock(text).packages[0].wheels
    assert (wheel.upload_time, wheel.size_bytes) == (meant, 5)


def test_hashes_are_lower_case() -> None:
    assert parse_lock(_LOCK.replace(_SHA, "A" * 64)).packages[0].wheels[0].sha256 == _SHA


@pytest.mark.parametrize("markers", [("", ""), ("marker = \"os_name == 'nt'\"", "marker = 'os_name==\"nt\"'")])
def test_two_entries_for_the_same_environments_are_refused(markers: tuple[str, str]) -> None:
    row = _LOCK.removeprefix(_HEAD)
    text = f"{_HEAD}{row}{markers[0]}\n{row.replace('1.0', '2.0')}{markers[1]}\n"
    assert "packages[1]: foo is locked for the same environments as packages[0]" in _refusal(text).message


def test_two_entries_for_different_environments_are_fine() -> None:
    row = _LOCK.removeprefix(_HEAD)
    nt, posix = "marker = \"os_name == 'nt'\"", "marker = \"os_name != 'nt'\""
    assert len(parse_lock(f"{_HEAD}{row}{nt}\n{row}{posix}\n").packages) == 2


def test_an_entry_without_a_version_has_that_of_its_files() -> None:
    assert str(parse_lock(_LOCK.replace('\nversion = "1.0"', "")).packages[0].version) == "1.0"
    sdist = f'sdist = {{ url = "https://files.example/foo-3.tar.gz", hashes = {{ sha256 = "{_SHA}" }} }}'
    text = f'{_HEAD}[[packages]]\nname = "foo"\n{sdist}'
    (package,) = parse_lock(text).packages
    assert (str(package.version), package.sdist and package.sdist.filename) == ("3", "foo-3.tar.gz")


@pytest.mark.parametrize(
    ("sdist", "reason"),
    [
        ('{ url = "https://files.example/foo-1.0.tar.bz2", H }', "packages[0].sdist: Invalid sdist filename"),
        (
            '{ url = "https://files.example/foo-2.0.tar.gz", H }',
            "packages[0].sdist: Version in 'foo-2.0.tar.gz' is not",
        ),
        (
            '{ path = "foo-1.0.tar.gz", url = "https://files.example/foo-2.0.tar.gz", H }',
            "packages[0].sdist: 'foo-2.0.tar.gz' is not version 1.0",
        ),
        (
            '{ path = "foo-1.0.tar.gz", url = "https://files.example/bar-1.0.tar.gz", H }',
            "packages[0].sdist: the file name 'bar-1.0.tar.gz' is not that of foo",
        ),
        (
            '{ path = "foo-1.0.tar.gz", url = "https://files.example/a%2Ffoo-1.0.tar.gz", H }',
            "packages[0].sdist: the file name 'a/foo-1.0.tar.gz' has characters that it cannot have",
        ),
        (
            '{ path = "foo-1.0.tar.gz", url = "https://files.example/foo-1.0.exe", H }',
            "packages[0].sdist: the file name 'foo-1.0.exe' is not that of a source",
        ),
    ],
)
def test_a_wrong_source_distribution_is_refused(sdist: str, reason: str) -> None:
    sdist = sdist.replace(", H }", f', hashes = {{ sha256 = "{_SHA}" }} }}')
    assert reason in _refusal(f"{_LOCK}sdist = {sdist}").message


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('directory = { path = "." }', "directory"),
        ('vcs = { type = "git", url = "https://code.example/foo", commit-id = "abc" }', "vcs"),
        (f'archive = {{ path = "x.whl", hashes = {{ sha256 = "{_SHA}" }} }}', "archive"),
    ],
)
def test_entries_from_elsewhere_are_remembered_by_their_kind(source: str, kind: str) -> None:
    (package,) = parse_lock(f'{_HEAD}[[packages]]\nname = "foo"\n{source}').packages
    assert (package.source, package.version, package.wheels) == (kind, None, ())


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("dependencies = [{}]", "packages[0].dependencies[0].name: must be a normalised name"),
        ('dependencies = [{ name = "A_b" }]', "packages[0].dependencies[0].name: must be a normalised name"),
        ('dependencies = [{ name = "a", version = 1 }]', "packages[0].dependencies[0].version: must be a version"),
        ('dependencies = [{ name = "a", version = "x" }]', "packages[0].dependencies[0].version: must be a version"),
        ("tool.pyvstore = 1", "packages[0].tool.pyvstore: must be a table"),
        ("tool.pyvstore.dependency-markers = 1", "packages[0].tool.pyvstore.dependency-markers: must be a list"),
        ("tool.pyvstore.dependency-markers = [1]", "packages[0].tool.pyvstore.dependency-markers[0]: must be a table"),
        ("tool.pyvstore.dependency-markers = [{}]", "dependency-markers[0].name: must be"),
        ('tool.pyvstore.dependency-markers = [{ name = "a" }]', "dependency-markers[0].marker: must be a text"),
        (
            'tool.pyvstore.dependency-markers = [{ name = "a", marker = "x" }]',
            "dependency-markers[0].marker: 'x' is not a marker",
        ),
        ("[tool]\npyvstore = 1", "tool.pyvstore: must be a table"),
        ("[tool.pyvstore]\nforks = 1", "tool.pyvstore.forks: must be a list of texts"),
        ('[tool.pyvstore]\nforks = ["x"]', "tool.pyvstore.forks[0]: 'x' is not a marker"),
        ("[tool.pyvstore]\ninput-digest = 1", "tool.pyvstore.input-digest: must be a text"),
        ("[tool.pyvstore]\ninputs = 1", "tool.pyvstore.inputs: must be a table"),
        ("[tool.pyvstore.inputs]\nindexes = [1]", "tool.pyvstore.inputs.indexes: must be a list of texts"),
        (
            '[tool.pyvstore.inputs]\nindexes = ["\\u001b"]',
            "tool.pyvstore.inputs.indexes: must be a list of texts of one",
        ),
        ("[tool.pyvstore.inputs]\nrequires-python = 3", "tool.pyvstore.inputs.requires-python: must be a text"),
        ("[tool.pyvstore.inputs]\nsettings = 3", "tool.pyvstore.inputs.settings: must be a table"),
        ("[tool.pyvstore.inputs]\nsettings = { a = 3 }", "tool.pyvstore.inputs.settings.a: must be a text"),
        (
            '[tool.pyvstore.inputs.requirements]\n"\\u001b" = []',
            "inputs.requirements: must be a table with printable keys",
        ),
        ("[tool.pyvstore.inputs.requirements]\na = [1]", "inputs.requirements.a: must be a list of texts"),
    ],
)
def test_what_we_write_beside_the_standard_is_checked_too(lines: str, reason: str) -> None:
    assert reason in _refusal(f"{_LOCK}{lines}").message


_VALUES = st.recursive(
    st.booleans() | st.integers(0, 9) | st.text(max_size=6) | st.sampled_from(["foo", "1.0", "os_name == 'nt'"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "url", "pyvstore"]), inner),
    max_leaves=6,
)
_KEYS = ("version", "marker", "requires-python", "dependencies", "wheels", "sdist", "vcs", "index", "tool")
_PACKAGE = st.fixed_dictionaries({"name": st.just("foo")}, optional=dict.fromkeys(_KEYS, _VALUES))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(character):08x}" for character in value) + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return str(value)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(["environments", "extras", "tool", "requires-python"]), _VALUES), _PACKAGE)
def test_any_lock_is_read_or_refused_with_a_code(top: dict[str, Any], package: dict[str, Any]) -> None:
    text = _HEAD + "".join(f"{key} = {_toml(value)}\n" for key, value in top.items()) + f"packages = [{_toml(package)}]"
    try:
        parse_lock(text)
    except LockfileError as error:
        refusal = error
    else:
        return
    assert refusal.code in {"lock-invalid", "lock-version"}
    assert refusal.message.isprintable()


@given(st.integers(0, len(_LOCK)), st.characters(codec="utf-8"))
def test_any_changed_character_is_read_or_refused_with_a_code(position: int, character: str) -> None:
    try:
        parse_lock(_LOCK[:position] + character + _LOCK[position + 1 :])
    except LockfileError as error:
        refusal = error
    else:
        return
    assert refusal.message.isprintable()
