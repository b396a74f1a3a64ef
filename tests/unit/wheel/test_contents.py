from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from pyvstore.errors import WheelError
from pyvstore.model.manifest import EntryPoint
from pyvstore.wheel.contents import PayloadFile, WheelContents
from pyvstore.wheel.record import MAX_RECORD_BYTES
from tests.support.wheels import Member, Row, build_wheel, record_hash

SITE = "lib/python/site-packages"


def read(wheel: tuple[str, bytes]) -> WheelContents:
    filename, data = wheel
    return WheelContents.read(io.BytesIO(data), filename)


def copied(contents: WheelContents) -> dict[str, bytes]:
    return {file.path: b"".join(contents.chunks(file)) for file in contents.payload}


def refused(wheel: tuple[str, bytes]) -> WheelError:
    """The refusal, whether it comes at once or when the files are copied; it must name the package."""
    with pytest.raises(WheelError) as caught:
        copied(read(wheel))
    assert wheel[0].split("-")[0] in caught.value.message
    return caught.value


def code_and_causes(wheel: tuple[str, bytes]) -> tuple[str, str]:
    error = refused(wheel)
    return error.code, "\n".join(error.causes)


def warning_codes(wheel: tuple[str, bytes]) -> list[str]:
    contents = read(wheel)
    copied(contents)
    return [code for code, _ in contents.warnings]


def test_every_scheme_goes_to_its_place() -> None:
    contents = read(
        build_wheel(
            "Foo.Bar",
            "1.0",
            files={"foo/__init__.py": "x = 1", "single.py": ""},
            data={
                "purelib": {"pure.py": "p"},
                "platlib": {"plat.so": "q"},
                "scripts": {"tool": "#!python\n"},
                "headers": {"foo/foo.h": "h"},
                "data": {"share/foo/x": "d", "etc/foo.conf": "e"},
            },
        )
    )
    assert copied(contents).keys() - {
        f"{SITE}/foo_bar-1.0.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD")
    } == {
        f"{SITE}/foo/__init__.py",
        f"{SITE}/single.py",
        f"{SITE}/pure.py",
        f"{SITE}/plat.so",
        "bin/tool",
        "include/foo-bar/foo/foo.h",
        "share/foo/x",
        "etc/foo.conf",
    }
    assert contents.dist_info == "foo_bar-1.0.dist-info"
    assert contents.metadata.display_name == "Foo.Bar"
    assert contents.warnings == ()


def test_payload_is_sorted_by_component() -> None:
    contents = read(build_wheel("foo", files={"foo-bar.py": "", "foo/b.py": "", "foo.py": "", "foo/a/x.py": ""}))
    paths = [file.path.split("/") for file in contents.payload]
    assert paths == sorted(paths)


def test_the_execute_bit_comes_from_the_archive_and_from_bin() -> None:
    contents = read(
        build_wheel(
            "foo",
            files={"foo/run": "x", "foo/data": "x"},
            executable=["foo/run"],
            data={"data": {"bin/native": "x"}},
        )
    )
    executable = {file.path for file in contents.payload if file.executable}
    assert executable == {f"{SITE}/foo/run", "bin/native"}


def test_root_is_purelib_makes_no_difference() -> None:
    one, other = (read(build_wheel("foo", root_is_purelib=pure)) for pure in (True, False))
    assert [file.path for file in one.payload] == [file.path for file in other.payload]


class Notes:
    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, bytes]] = {}

    def note(self, file: PayloadFile, sha256: str, head: bytes) -> None:
        self.seen[file.path] = (sha256, head)


def test_an_observer_hears_of_every_file_that_proved_right() -> None:
    contents = read(build_wheel("foo", files={"foo.py": "x = 1", "empty.py": ""}))
    notes = Notes()
    for file in contents.payload:
        list(contents.chunks(file, notes))
    assert notes.seen.keys() == {file.path for file in contents.payload}
    assert notes.seen[f"{SITE}/foo.py"] == (hashlib.sha256(b"x = 1").hexdigest(), b"x = 1")
    assert notes.seen[f"{SITE}/empty.py"] == (hashlib.sha256(b"").hexdigest(), b"")
    sha256 = {file.path: file.sha256 for file in contents.payload}
    assert sha256[f"{SITE}/foo.py"] == hashlib.sha256(b"x = 1").hexdigest()
    assert sha256[f"{SITE}/foo-1.0.dist-info/RECORD"] is None


def edited(edit: Callable[[list[Row]], list[Row] | None]) -> tuple[str, bytes]:
    return build_wheel("foo", files={"foo/a.py": "a = 1\n", "foo/b.py": "b"}, edit_record=edit)


def replace_first(row: Row) -> tuple[str, bytes]:
    return edited(lambda rows: [row, *rows[1:]])


def test_a_wrong_hash_is_found_when_the_file_is_copied() -> None:
    wheel = replace_first(("foo/a.py", record_hash(b"other"), "6"))
    code, causes = code_and_causes(wheel)
    assert code == "record-mismatch"
    assert hashlib.sha256(b"a = 1\n").hexdigest() in causes
    assert "foo/a.py" in refused(wheel).message


def test_an_observer_never_hears_of_a_wrong_file() -> None:
    contents = read(replace_first(("foo/a.py", record_hash(b"other"), "6")))
    notes = Notes()
    with pytest.raises(WheelError):
        list(contents.chunks(contents.payload[0], notes))
    assert notes.seen == {}


def test_a_wrong_size_is_found_before_anything_is_copied() -> None:
    with pytest.raises(WheelError) as caught:
        read(replace_first(("foo/a.py", record_hash(b"a = 1\n"), "7")))
    assert caught.value.code == "record-mismatch"


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_stronger_hashes_are_checked_too(algorithm: str) -> None:
    import base64

    def row(content: bytes) -> Row:
        digest = base64.urlsafe_b64encode(hashlib.new(algorithm, content).digest()).decode().rstrip("=")
        return ("foo/a.py", f"{algorithm}={digest}", "")

    good = read(replace_first(row(b"a = 1\n")))
    assert copied(good)[f"{SITE}/foo/a.py"] == b"a = 1\n"
    assert good.payload[0].sha256 is None
    assert refused(replace_first(row(b"other"))).code == "record-mismatch"


RECORD_FAULTS: Mapping[str, tuple[Callable[[list[Row]], list[Row] | None], str]] = {
    "absent file": (lambda rows: [("foo/gone.py", record_hash(b""), "0"), *rows], "does not hold it"),
    "file without a row": (lambda rows: rows[1:], "no row for it"),
    "row without a hash": (lambda rows: [("foo/a.py", "", ""), *rows[1:]], "no hash of it"),
    "parent": (lambda rows: [("../x", record_hash(b""), "0"), *rows], "'..'"),
    "absolute": (lambda rows: [("/etc/x", record_hash(b""), "0"), *rows], "absolute"),
    "drive": (lambda rows: [("C:/x", record_hash(b""), "0"), *rows], "drive"),
    "md5": (lambda rows: [("foo/a.py", "md5=AAAAAAAAAAAAAAAAAAAAAA", ""), *rows[1:]], "md5 is too weak"),
    "sha1": (lambda rows: [("foo/a.py", "sha1=AAAAAAAAAAAAAAAAAAAAAAAAAAA", ""), *rows[1:]], "sha1 is too weak"),
    "contradiction": (lambda rows: [rows[0], ("foo/a.py", record_hash(b"x"), "1"), *rows[1:]], "comes twice"),
}


@pytest.mark.parametrize("fault", RECORD_FAULTS)
def test_a_record_that_lies_is_refused(fault: str) -> None:
    edit, reason = RECORD_FAULTS[fault]
    code, causes = code_and_causes(edited(edit))
    assert code == "wheel-record"
    assert reason in causes


def test_files_below_dist_info_may_lack_a_row_with_a_warning() -> None:
    info = "foo-1.0.dist-info"
    assert warning_codes(build_wheel("foo", extra_members=[Member(f"{info}/licenses/MIT", b"m")])) == [
        "record-unlisted"
    ]
    without = lambda rows: [row if "METADATA" not in row[0] else (row[0], "", "") for row in rows]  # noqa: E731
    assert warning_codes(build_wheel("foo", edit_record=without)) == ["record-unlisted"]


def test_signatures_of_record_need_no_row_and_rows_of_signatures_no_file() -> None:
    info = "foo-1.0.dist-info"
    signed = build_wheel("foo", extra_members=[Member(f"{info}/RECORD.jws", b"{}"), Member(f"{info}/RECORD.p7s", b"x")])
    assert warning_codes(signed) == []
    assert warning_codes(build_wheel("foo", edit_record=lambda rows: [*rows, (f"{info}/RECORD.jws", "", "")])) == []


def test_rows_of_directories_and_bytecode_are_harmless() -> None:
    def more(rows: list[Row]) -> list[Row]:
        extra = [
            ("foo/", "", ""),
            ("foo", "", ""),
            ("foo/__pycache__/a.cpython-312.pyc", "", ""),
            ("foo/x.pyc", "", ""),
        ]
        return [*rows, *extra]

    assert warning_codes(edited(more)) == ["record-directory"]


def test_a_row_of_an_empty_directory_is_harmless() -> None:
    def more(rows: list[Row]) -> list[Row]:
        return [*rows, ("foo/empty", "", "")]

    wheel = build_wheel("foo", edit_record=more, extra_members=[Member("foo/empty/", mode=0o40755, method=0)])
    assert warning_codes(wheel) == ["record-directory"]


def test_record_needs_no_row_for_itself_and_its_own_hash_means_nothing() -> None:
    assert warning_codes(edited(lambda rows: rows[:-1])) == []
    assert warning_codes(edited(lambda rows: [*rows[:-1], (rows[-1][0], record_hash(b"?"), "")])) == []


def test_a_gigantic_record_is_refused_before_it_is_inflated() -> None:
    def bloat(members: list[Member]) -> None:
        size = MAX_RECORD_BYTES + 1
        lie = {"size": size}
        members[-1].raw = b"\0" * (size // 1000)
        members[-1].local = dict(lie)
        members[-1].central = dict(lie)

    error = refused(build_wheel("foo", mutate=bloat))
    assert "the limit for it" in error.causes[0]


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL", "RECORD"])
def test_missing_metadata_is_refused(missing: str) -> None:
    code, causes = code_and_causes(build_wheel("foo", dist_info={missing: None}))
    assert code == "wheel-layout"
    assert missing in causes


def renamed(old: str, new: str) -> Callable[[list[Member]], None]:
    def rename(members: list[Member]) -> None:
        for member in members:
            assert isinstance(member.name, str)
            member.name = member.name.replace(old, new)

    return rename


@pytest.mark.parametrize(
    "directory", ["bar-1.0.dist-info", "foo-2.0.dist-info", "foo.dist-info", "foo-1.0.DIST-INFO", "-1.0.dist-info"]
)
def test_a_foreign_dist_info_is_refused(directory: str) -> None:
    assert refused(build_wheel("foo", mutate=renamed("foo-1.0.dist-info", directory))).code == "wheel-identity"


def test_no_or_a_second_dist_info_is_refused() -> None:
    assert "it has none" in refused(build_wheel("foo", mutate=renamed(".dist-info", ".info"))).causes[0]
    second = build_wheel("foo", files={"bar-1.0.dist-info/METADATA": "Name: bar\nVersion: 1.0\n"})
    assert "several .dist-info" in refused(second).causes[0]
    hidden = build_wheel("foo", data={"purelib": {"bar-1.0.dist-info/METADATA": "Name: bar\n"}})
    assert "hides a second" in refused(hidden).causes[0]


def test_the_file_name_and_metadata_must_agree() -> None:
    for metadata in ("Name: bar\nVersion: 1.0\n", "Name: foo\nVersion: 1.1\n"):
        assert (
            refused(build_wheel("foo", dist_info={"METADATA": "Metadata-Version: 2.1\n" + metadata})).code
            == "wheel-identity"
        )


def test_spellings_of_one_name_and_version_agree() -> None:
    assert read(build_wheel("Foo.Bar", "1.0", spelling="Foo_Bar")).name.name == "foo-bar"
    metadata = "Metadata-Version: 2.1\nName: FOO-bar\nVersion: v1.0.0\n"
    assert read(build_wheel("foo-bar", "1.0", dist_info={"METADATA": metadata})).name.version == Version("1")


def test_the_caller_can_say_what_it_expects() -> None:
    filename, data = build_wheel("foo", "1.0")
    stream = io.BytesIO(data)
    WheelContents.read(stream, filename, expected_name=canonicalize_name("Foo"), expected_version=Version("1"))
    with pytest.raises(WheelError, match="not the wheel it should be"):
        WheelContents.read(stream, filename, expected_name=canonicalize_name("bar"))
    with pytest.raises(WheelError, match="not the wheel it should be"):
        WheelContents.read(stream, filename, expected_version=Version("1.1"))


def test_a_wheel_format_from_the_future_is_refused_and_a_newer_minor_one_is_a_warning() -> None:
    future = build_wheel("foo", dist_info={"WHEEL": "Wheel-Version: 2.0\n"})
    assert refused(future).code == "wheel-version"
    assert warning_codes(build_wheel("foo", dist_info={"WHEEL": "Wheel-Version: 1.9\n"})) == ["wheel-version"]
    assert refused(build_wheel("foo", dist_info={"WHEEL": "Wheel-Version: banana\n"})).code == "wheel-metadata"


def test_entry_points_are_read_and_their_faults_refused() -> None:
    points = {
        "console_scripts": {"foo": "foo.cli:main"},
        "gui_scripts": {"foow": "foo.gui:App.run"},
        "other": {"x": "y"},
    }
    assert read(build_wheel("foo", entry_points=points)).entry_points == (
        EntryPoint("foo", "foo.cli", "main", gui=False),
        EntryPoint("foow", "foo.gui", "App.run", gui=True),
    )
    assert (
        refused(build_wheel("foo", entry_points={"console_scripts": {"python3": "a:b"}})).code == "wheel-entry-points"
    )


BAD_DATA = {
    "unknown scheme": ({"lib": {"x": ""}}, "unknown scheme"),
    "python": ({"scripts": {"python": ""}}, "interpreter's place"),
    "python3.12": ({"scripts": {"Python3.12": ""}}, "interpreter's place"),
    "activate": ({"scripts": {"activate.fish": ""}}, "environment's own script"),
    "data python": ({"data": {"bin/python3": ""}}, "interpreter's place"),
    "windows scripts": ({"data": {"Scripts/python.exe": ""}}, "interpreter's place"),
    "pyvenv.cfg": ({"data": {"pyvenv.cfg": ""}}, "pyvenv.cfg"),
    "folded pyvenv.cfg": ({"data": {"PyVenv.cfg": ""}}, "pyvenv.cfg"),
    "gitignore": ({"data": {".gitignore": ""}}, ".gitignore"),
    "manifest": ({"data": {"pyvstore-manifest.jsonl": ""}}, "keeps for itself"),
    "state": ({"data": {".pyvstore/x": ""}}, "keeps for itself"),
    "store layout": ({"data": {"lib/python/site-packages/x.py": ""}}, "own layout"),
    "a file for bin": ({"data": {"bin": ""}}, "has its scripts"),
    "a file for lib": ({"data": {"lib": ""}}, "own layout"),
    "option": ({"scripts": {"-rf": ""}}, "hyphen"),
}


@pytest.mark.parametrize("fault", BAD_DATA)
def test_data_that_would_land_on_what_is_not_its_own_is_refused(fault: str) -> None:
    data, reason = BAD_DATA[fault]
    code, causes = code_and_causes(build_wheel("foo", data=data))
    assert code == "wheel-layout"
    assert reason in causes


def test_a_file_directly_in_the_data_directory_is_refused() -> None:
    assert "has its schemes" in refused(build_wheel("foo", files={"foo-1.0.data/stray": ""})).causes[0]


def test_escaping_data_is_refused_by_the_archive() -> None:
    assert refused(build_wheel("foo", data={"data": {"../../bin/x": ""}})).code == "wheel-archive"


def test_a_second_data_directory_is_refused() -> None:
    wheel = build_wheel("foo", files={"Foo-1.0.data/data/x": "1", "foo-1.0.data/data/y": "2"})
    assert "several .data" in refused(wheel).causes[0]


def test_a_data_directory_of_another_name_is_an_ordinary_one() -> None:
    contents = read(build_wheel("foo", files={"my.data/x": "1", "bar-1.0.data/data/x": "2"}))
    assert {f"{SITE}/my.data/x", f"{SITE}/bar-1.0.data/data/x"} < {file.path for file in contents.payload}


def test_two_members_for_one_place_must_be_the_same_file() -> None:
    same = build_wheel("foo", files={"foo.py": "x"}, data={"purelib": {"foo.py": "x"}})
    assert warning_codes(same) == ["wheel-file-twice"]
    other = build_wheel("foo", files={"foo.py": "x"}, data={"purelib": {"foo.py": "y"}})
    assert "has the place of" in refused(other).causes[0]
    kinds = build_wheel("foo", files={"foo/x": "x"}, data={"purelib": {"foo": "y"}})
    assert "a file and a directory" in refused(kinds).causes[0]


def test_bytecode_beside_its_source_is_dropped_and_sourceless_modules_stay() -> None:
    contents = read(
        build_wheel(
            "foo",
            files={
                "foo/a.py": "",
                "foo/a.pyc": "beside its source",
                "foo/b.pyc": "sourceless",
                "foo/__pycache__/a.cpython-312.pyc": "x",
                "foo/__pycache__/orphan.cpython-312.pyc": "x",
                "__pycache__/six.cpython-312.pyc": "x",
                "foo/not__pycache__.py": "",
            },
            data={"data": {"share/__pycache__": "a file"}},
        )
    )
    names = {file.path.removeprefix(f"{SITE}/") for file in contents.payload if "dist-info" not in file.path}
    assert names == {"foo/a.py", "foo/b.pyc", "foo/not__pycache__.py"}
    assert contents.warnings == ()


def test_bytecode_needs_no_row() -> None:
    assert warning_codes(build_wheel("foo", extra_members=[Member("foo/__pycache__/x.cpython-312.pyc", b"x")])) == []


def test_files_that_tools_write_are_payload_like_any_other() -> None:
    shipped: dict[str, str | bytes | None] = {"INSTALLER": "pip\n", "REQUESTED": "", "direct_url.json": "{}"}
    paths = {file.path for file in read(build_wheel("foo", dist_info=shipped)).payload}
    assert {f"{SITE}/foo-1.0.dist-info/{name}" for name in shipped} < paths


def test_names_that_windows_cannot_hold_are_refused_for_windows_only() -> None:
    filename, data = build_wheel("foo", files={"foo/aux.py": ""})
    assert [code for code, _ in read((filename, data)).warnings] == ["wheel-name-windows"]
    with pytest.raises(WheelError, match="not a sound"):
        WheelContents.read(io.BytesIO(data), filename, windows=True)
    filename, data = build_wheel("foo", files={"foo/A.py": "", "foo/a.py": ""})
    with pytest.raises(WheelError, match="not a sound"):
        WheelContents.read(io.BytesIO(data), filename, case_insensitive=True)


def test_no_more_than_forty_causes_are_told() -> None:
    files: Mapping[str, str | bytes] = {f"foo/{number}.py": "" for number in range(100)}
    error = refused(build_wheel("foo", files=files, edit_record=lambda rows: rows[100:]))
    assert len(error.causes) == 41


def test_a_wheel_survives_every_flipped_byte() -> None:
    filename, data = build_wheel("f", files={"f.py": "x = 1\n"}, data={"scripts": {"g": "#!python\n"}})
    expected = copied(read((filename, data)))
    for position in range(len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0xFF
        try:
            result = copied(read((filename, bytes(damaged))))
        except WheelError:
            continue
        assert result == expected, position
