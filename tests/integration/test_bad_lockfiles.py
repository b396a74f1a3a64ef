"""Lockfiles that anyone can edit in a pull request: every command that reads one refuses, and changes nothing."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.refusals import Run, project_of, refused_by_all
from tests.support.world import World

SHA = "a" * 64
DIGITS = "9" * 5000
DEEP = "(" * 3000 + "python_version > '3'" + ")" * 3000
NAME = "gamma-3.0-py3-none-any.whl"


def wheel(name: str = NAME, url: str | None = None, hashes: str = f'{{sha256 = "{SHA}"}}', more: str = "") -> str:
    return f'{{name = "{name}", url = "{url or f"https://h.invalid/{name}"}", hashes = {hashes}{more}}}'


def lock(
    wheels: str = wheel(), *, name: str = '"gamma"', version: str = '"3.0"', package: str = "", top: str = ""
) -> str:
    return (
        f'lock-version = "1.0"\ncreated-by = "x"\n{top}\n[[packages]]\nname = {name}\nversion = {version}\n'
        f"{package}\nwheels = [{wheels}]\n"
    )


def without(line: str) -> str:
    assert line in lock()
    return lock().replace(line, "")


# What is in the file → what is said of it. The place is always named.
BAD: dict[str, tuple[str | bytes, str]] = {
    # ── texts that lead somewhere else ───────────────────────────────────────────────────────────────────────
    "a name that is a path": (lock(name='"../../x"'), "packages[0].name"),
    "an absolute name": (lock(name='"/etc/passwd"'), "packages[0].name"),
    "a name that is a drive": (lock(name='"C:x"'), "packages[0].name"),
    "a name with an escape": (lock(name='"gam\\u001b[31mma"'), "packages[0].name"),
    "an empty name": (lock(name='""'), "packages[0].name"),
    "a name that is not normalised": (lock(name='"Gamma"'), "packages[0].name"),
    "a name with a newline": (lock(name='"gamma\\n"'), "packages[0].name"),
    "a version that is a path": (lock(version='"../../x"'), "packages[0].version"),
    "a version with a separator": (lock(version='"3.0/../../x"'), "packages[0].version"),
    "a version of five thousand digits": (lock(version=f'"{DIGITS}"'), "more than 200 digits"),
    "another project's wheel": (lock(wheel("beta-3.0-py3-none-any.whl")), "packages[0].wheels[0]"),
    "another version's wheel": (lock(wheel("gamma-4.0-py3-none-any.whl")), "packages[0].wheels[0]"),
    "a wheel's name that is a path": (lock(wheel("../../gamma-3.0-py3-none-any.whl")), "packages[0].wheels[0]"),
    "a wheel's name with a backslash": (lock(wheel("..\\\\gamma-3.0-py3-none-any.whl")), "packages[0].wheels[0]"),
    "a wheel's name with NUL": (lock(wheel("gamma-3.0-py3-none-any\\u0000.whl")), "packages[0].wheels[0]"),
    "a wheel's name that is too long": (lock(wheel(f"gamma-3.0-py3-none-{'a' * 300}.whl")), "packages[0].wheels[0]"),
    "a wheel's name that is none": (lock(wheel("gamma.whl")), "packages[0].wheels[0]"),
    "an encoded path": (
        lock('{url = "https://h.invalid/..%2f..%2fgamma-3.0-py3-none-any.whl", hashes = {sha256 = "' + SHA + '"}}'),
        "packages[0].wheels[0]",
    ),
    "an sdist of another project": (
        lock("", package=f"sdist = {wheel('beta-3.0.tar.gz')}"),
        "packages[0].sdist",
    ),
    "an sdist that is a path": (lock("", package=f"sdist = {wheel('../gamma-3.0.tar.gz')}"), "packages[0].sdist"),
    # ── places that must not be read ─────────────────────────────────────────────────────────────────────────
    "a wheel's path": (lock(f'{{path = "../../{NAME}", hashes = {{sha256 = "{SHA}"}}}}'), "packages[0].wheels[0].url"),
    "a file URL": (lock(wheel(url=f"file:///tmp/{NAME}")), "packages[0].wheels[0].url"),
    "a file URL in capitals": (lock(wheel(url=f"FILE:///tmp/{NAME}")), "packages[0].wheels[0].url"),
    "a file URL under a remote index": (
        lock(wheel(url=f"file:///tmp/{NAME}"), package='index = "https://h.invalid/simple/"'),
        "packages[0].wheels[0].url",
    ),
    "a file URL of another host": (
        lock(wheel(url=f"file://h.invalid/{NAME}"), package='index = "file:///tmp/"'),
        "packages[0].wheels[0].url",
    ),
    "a relative URL": (lock(wheel(url=NAME)), "packages[0].wheels[0].url"),
    "a script URL": (lock(wheel(url=f"javascript://h.invalid/{NAME}")), "packages[0].wheels[0].url"),
    "an ssh URL": (lock(wheel(url=f"ssh://h.invalid/{NAME}")), "packages[0].wheels[0].url"),
    "a URL with credentials": (lock(wheel(url=f"https://user:hunter2@h.invalid/{NAME}")), "packages[0].wheels[0].url"),
    "a URL without a host": (lock(wheel(url=f"https:///{NAME}")), "packages[0].wheels[0].url"),
    "a URL whose port is none": (lock(wheel(url=f"https://h.invalid:x/{NAME}")), "packages[0].wheels[0].url"),
    "a URL whose port is too large": (lock(wheel(url=f"https://h.invalid:99999/{NAME}")), "packages[0].wheels[0].url"),
    "half an IPv6 address": (lock(wheel(url=f"https://[::1/{NAME}")), "packages[0].wheels[0].url"),
    "a URL with a newline": (lock(wheel(url=f"https://h.invalid/\\n{NAME}")), "packages[0].wheels[0].url"),
    "an index with credentials": (lock(package='index = "https://user:hunter2@h.invalid/"'), "packages[0].index"),
    "an index that is none": (lock(package='index = "javascript:alert(1)"'), "packages[0].index"),
    # ── hashes ───────────────────────────────────────────────────────────────────────────────────────────────
    "no hashes": (lock(wheel(hashes="{}")), "packages[0].wheels[0].hashes"),
    "no table of hashes": (
        lock(f'{{name = "{NAME}", url = "https://h.invalid/{NAME}"}}'),
        "packages[0].wheels[0].hashes",
    ),
    "md5 only": (lock(wheel(hashes=f'{{md5 = "{"a" * 32}"}}')), "packages[0].wheels[0].hashes"),
    "sha512 only": (lock(wheel(hashes=f'{{sha512 = "{"a" * 128}"}}')), "packages[0].wheels[0].hashes"),
    "a short hash": (lock(wheel(hashes='{sha256 = "abc"}')), "packages[0].wheels[0].hashes.sha256"),
    "a long hash": (lock(wheel(hashes=f'{{sha256 = "{SHA}a"}}')), "packages[0].wheels[0].hashes.sha256"),
    "a hash that is a path": (
        lock(wheel(hashes=f'{{sha256 = "../{"a" * 61}"}}')),
        "packages[0].wheels[0].hashes.sha256",
    ),
    "a hash that is a number": (lock(wheel(hashes="{sha256 = 1}")), "packages[0].wheels[0].hashes"),
    "a hash with an escape": (lock(wheel(hashes='{"\\u001b[31m" = "x"}')), "packages[0].wheels[0].hashes"),
    "an empty hash": (lock(wheel(hashes='{sha256 = ""}')), "packages[0].wheels[0].hashes"),
    # ── the same thing twice ─────────────────────────────────────────────────────────────────────────────────
    "a package twice": (lock() + lock().partition("\n\n")[2].replace("3.0", "3.1"), "packages[1]"),
    "a package twice, the same": (lock() + lock().partition("\n\n")[2], "packages[1]"),
    # ── the format ───────────────────────────────────────────────────────────────────────────────────────────
    "no version of the format": (without('lock-version = "1.0"'), "lock-version"),
    "a format that is a number": (lock().replace('"1.0"', "1.0", 1), "lock-version"),
    "a format that is nonsense": (lock().replace('"1.0"', '"one"', 1), "lock-version"),
    "a format of five thousand digits": (lock().replace('"1.0"', f'"{DIGITS}"', 1), "digits"),
    "nothing": ("", "lock-version"),
    "no author": (without('created-by = "x"'), "created-by"),
    "no packages": ('lock-version = "1.0"\ncreated-by = "x"\n', "packages"),
    # ── the text ─────────────────────────────────────────────────────────────────────────────────────────────
    "bytes that are not UTF-8": (lock().encode() + b"# \xff\n", "UTF-8"),
    "UTF-16": (lock().encode("utf-16"), "UTF-8"),
    "a NUL": (lock() + "\0", "TOML"),
    "an escape": (lock() + "\x1b]0;owned\x07", "TOML"),
    "half of it": (lock()[: len(lock()) // 2], "TOML"),
    "arrays a hundred thousand deep": (lock(top="x = " + "[" * 100_000), "nested too deeply"),
    "tables five thousand deep": (lock(top="x" + ".x" * 5000 + " = 1"), "nested too deeply"),
    "a number of five thousand digits": (lock(top=f"x = {DIGITS}"), "digits"),
    "HTML": ("<!DOCTYPE html><html><body>404</body></html>", "TOML"),
    # ── wrong types at each level ────────────────────────────────────────────────────────────────────────────
    "packages that are a table": ('lock-version = "1.0"\ncreated-by = "x"\n[packages]\nx = 1\n', "packages"),
    "packages that are numbers": ('lock-version = "1.0"\ncreated-by = "x"\npackages = [1]\n', "packages[0]"),
    "a name that is a number": (lock(name="3"), "packages[0].name"),
    "a version that is a number": (lock(version="3.0"), "packages[0].version"),
    "wheels that are a text": (lock().replace("wheels = [", 'wheels = "').replace("}]\n", '"\n'), "TOML"),
    "wheels that are numbers": (lock("1"), "packages[0].wheels"),
    "wheels that are a table": (lock().replace("wheels = [", "wheels = ").replace("}]\n", "}\n"), "packages[0].wheels"),
    "a wheel's name that is a list": (
        lock(f'{{name = [], url = "https://h.invalid/{NAME}", hashes = {{sha256 = "{SHA}"}}}}'),
        "packages[0].wheels[0].name",
    ),
    "a URL that is a number": (
        lock(f'{{name = "{NAME}", url = 1, hashes = {{sha256 = "{SHA}"}}}}'),
        "packages[0].wheels[0].url",
    ),
    "hashes that are a list": (lock(wheel(hashes="[]")), "packages[0].wheels[0].hashes"),
    "a size that is a text": (lock(wheel(more=', size = "3"')), "packages[0].wheels[0].size"),
    "a size below zero": (lock(wheel(more=", size = -1")), "packages[0].wheels[0].size"),
    "a size that is no number": (lock(wheel(more=", size = nan")), "packages[0].wheels[0].size"),
    "a time that is a date": (lock(wheel(more=", upload-time = 2020-01-01")), "packages[0].wheels[0].upload-time"),
    "a time before time": (
        lock(wheel(more=", upload-time = 0001-01-01T00:00:00+23:00")),
        "packages[0].wheels[0].upload-time",
    ),
    "a marker that is a number": (lock(package="marker = 1"), "packages[0].marker"),
    "a marker that is none": (lock(package='marker = "os.system()"'), "packages[0].marker"),
    "a marker three thousand deep": (lock(package=f'marker = "{DEEP}"'), "packages[0].marker"),
    "a marker of five thousand digits": (lock(package=f"marker = \"python_version > '{DIGITS}'\""), "digits"),
    "environments that are a text": (lock(top='environments = "x"'), "environments"),
    "an environment that is none": (lock(top='environments = ["x"]'), "environments[0]"),
    "a requires-python that is a list": (lock(top="requires-python = []"), "requires-python"),
    "a requires-python that is none": (lock(top='requires-python = "new"'), "requires-python"),
    "a requires-python of five thousand digits": (lock(top=f'requires-python = ">={DIGITS}"'), "digits"),
    "extras that are a table": (lock(top="extras = {}"), "extras"),
    "groups that are numbers": (lock(top="dependency-groups = [1]"), "dependency-groups"),
    "dependencies that are a text": (lock(package='dependencies = "x"'), "packages[0].dependencies"),
    "a dependency that is a path": (lock(package='dependencies = [{name = "../x"}]'), "packages[0].dependencies[0]"),
    "a dependency whose version is none": (
        lock(package='dependencies = [{name = "a", version = "../x"}]'),
        "packages[0].dependencies[0]",
    ),
    "a tool table that is a text": (lock(top='tool = "x"'), "tool"),
    "our table that is a list": (lock(top="tool.pyvstore = []"), "tool.pyvstore"),
    "inputs that are a number": (lock(top="tool.pyvstore.inputs = 1"), "tool.pyvstore.inputs"),
    "requirements that are a list": (
        lock(top="tool.pyvstore.inputs.requirements = []"),
        "tool.pyvstore.inputs.requirements",
    ),
    "an input with an escape": (
        lock(top='tool.pyvstore.inputs.indexes = ["\\u001b[31m"]'),
        "tool.pyvstore.inputs.indexes",
    ),
    "a digest that is a number": (lock(top="tool.pyvstore.input-digest = 1"), "tool.pyvstore.input-digest"),
    "an environment without meaning": (lock(top="environments = [\"'x' in extras\"]"), "environments[0]"),
    "an environment that cannot be compared": (lock(top="environments = [\"os_name ~= 'x'\"]"), "environments[0]"),
    "forks without meaning": (lock(top="tool.pyvstore.forks = [\"extra == 'x'\"]"), "tool.pyvstore.forks[0]"),
    "forks that are none": (lock(top='tool.pyvstore.forks = ["x"]'), "tool.pyvstore.forks[0]"),
    "conditions that are a text": (
        lock(package='tool.pyvstore.dependency-markers = "x"'),
        "packages[0].tool.pyvstore.dependency-markers",
    ),
}
COMMANDS = (
    ["sync"],
    ["sync", "--frozen"],
    ["sync", "--locked"],
    ["sync", "--check"],
    ["sync", "--dry-run"],
    ["run", "python", "-V"],
    ["relink"],
    ["relink", "--dry-run"],
    ["lock"],
    ["add", "alpha"],
    ["remove", "gamma"],
)


@pytest.mark.parametrize("name", BAD)
def test_a_lockfile_with(world: World, inside: Run, name: str) -> None:
    text, place = BAD[name]
    project_of(world)
    path = world.project / "pylock.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    for outcome in refused_by_all(world, inside, COMMANDS, "lock-invalid"):
        assert place in outcome.err, outcome.err
        assert "hunter2" not in outcome.err
        assert "hint: " in outcome.err


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_lockfile_with_a_merge_conflict_is_refused_with_the_command_that_resolves_it(
    world: World, inside: Run, line_end: str
) -> None:
    project_of(world)
    text = f"<<<<<<< HEAD\n{lock()}=======\n{lock()}>>>>>>> other\n".replace("\n", line_end)
    (world.project / "pylock.toml").write_bytes(text.encode())
    others = [words for words in COMMANDS if words != ["lock"]]
    for outcome in refused_by_all(world, inside, [*others, ["lock", "--check"]], "lock-invalid"):
        assert "it holds the marks of a merge conflict" in outcome.err
        assert "hint: resolve pyproject.toml, then run `pyvstore lock`" in outcome.err


def test_a_lockfile_of_a_later_format_is_refused_clearly_and_kept(world: World, inside: Run) -> None:
    project_of(world)
    (world.project / "pylock.toml").write_text(lock().replace('"1.0"', '"2.0"', 1))
    for outcome in refused_by_all(world, inside, COMMANDS, "lock-version"):
        assert "format version 2.0" in outcome.err
        assert "update pyvstore" in outcome.err


def a_real_lock(world: World, inside: Run) -> str:
    project_of(world)
    assert inside("lock").status == 0
    return (world.project / "pylock.toml").read_text()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace('lock-version = "1.0"', 'lock-version = "1.9"'),
        lambda text: text.replace('lock-version = "1.0"', 'lock-version = "1.9"\nnews = {x = [1]}'),
        lambda text: text + "\n[packages.tool.other]\nx = 1\n",
        lambda text: text + "# \u00e4\u2192\U0001f600",
    ],
    ids=["a byte-order mark", "CRLF", "format 1.9", "keys of format 1.9", "another tool's table", "foreign letters"],
)
def test_what_is_unusual_in_a_lockfile_but_right_just_works(
    world: World, inside: Run, change: Callable[[str], str]
) -> None:
    path = world.project / "pylock.toml"
    path.write_bytes(change(a_real_lock(world, inside)).encode())
    before = path.read_bytes()
    for words in (["sync", "--frozen"], ["sync", "--locked"], ["sync", "--check"], ["relink"], ["sync"], ["lock"]):
        outcome = inside(*words)
        assert outcome.status == 0, outcome.err
    assert (world.site / "gamma.py").exists()
    assert path.read_bytes() == before


def test_of_a_lock_that_was_mended_nothing_bad_is_left(world: World, inside: Run) -> None:
    good = a_real_lock(world, inside)
    path = world.project / "pylock.toml"
    path.write_text(good.replace("sha256 = ", "sha1 = "))
    for _ in refused_by_all(world, inside, COMMANDS, "lock-invalid"):
        pass
    path.write_text(good)
    assert inside("sync", "--locked").status == 0
    assert (world.site / "gamma.py").exists()


def another(digits: str) -> str:
    return "".join("0" if digit != "0" else "1" for digit in digits)


@pytest.mark.parametrize("offline", [False, True])
def test_a_lock_with_another_hash_installs_nothing(world: World, inside: Run, offline: bool) -> None:
    good = a_real_lock(world, inside)
    if offline:
        assert inside("sync").status == 0
        assert inside("remove", "gamma").status == 0
        project_of(world)
    sha256 = good.partition('sha256 = "')[2][:64]
    (world.project / "pylock.toml").write_text(good.replace(sha256, another(sha256)))
    flags = ["--offline"] if offline else []
    code = "offline" if offline else "hash-mismatch"
    for outcome in refused_by_all(world, inside, (["sync", *flags], ["sync", "--frozen", *flags]), code):
        assert "gamma" in outcome.err
    (world.project / "pylock.toml").write_text(good)
    assert inside("sync", *flags).status == 0


def test_a_lock_that_names_a_package_for_one_environment_twice_is_refused_with_a_way_out(
    world: World, inside: Run
) -> None:
    good = a_real_lock(world, inside)
    entry = "[[packages]]" + good.partition("[[packages]]")[2].partition("\n[tool")[0]
    twice = good.replace(
        entry,
        entry.replace('name = "gamma"\n', 'name = "gamma"\nmarker = "sys_platform != \'x\'"\n')
        + "\n"
        + entry.replace('name = "gamma"\n', 'name = "gamma"\nmarker = "sys_platform != \'y\'"\n'),
    )
    path = world.project / "pylock.toml"
    path.write_text(twice)
    for outcome in refused_by_all(world, inside, (["sync"], ["sync", "--frozen"], ["relink"]), "lock-ambiguous"):
        assert "gamma 3.0" in outcome.err
        assert "remove pylock.toml, then run `pyvstore lock`" in outcome.err
    path.unlink()
    assert inside("lock").status == 0
    assert inside("sync").status == 0


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("directory = {path = '../../x'}", "lock-source"),
        ("vcs = {type = 'git', url = 'file:///x', commit-id = 'x'}", "lock-source"),
        (f"archive = {{path = '/etc/passwd', hashes = {{sha256 = '{SHA}'}}}}", "lock-source"),
        ("requires-python = '===banana'", "lock-requires-python"),
        ("marker = \"'x' in extras\"", None),
        ("marker = \"extra == 'x'\"", "lock-invalid"),
        ("marker = \"platform_release > '3'\"", None),
    ],
)
def test_a_lock_that_means_what_cannot_be_installed_is_refused(
    world: World, inside: Run, line: str, code: str | None
) -> None:
    project_of(world)
    text = lock(package=line)
    if code == "lock-source":
        text = text.partition("wheels = ")[0]
    (world.project / "pylock.toml").write_text(text)
    for words in (["sync", "--frozen"], ["relink"]):
        outcome = inside(*words)
        if code is not None:
            assert f"error[{code}]" in outcome.err, outcome.err


@pytest.mark.parametrize("kind", ["directory", "pipe", "dangling link", "link outside", "circle", "device"])
@pytest.mark.parametrize("name", ["pylock.toml", "pyproject.toml"])
def test_what_is_no_file_is_neither_read_nor_waited_for(world: World, inside: Run, name: str, kind: str) -> None:
    project_of(world)
    path = world.project / name
    path.unlink(missing_ok=True)
    make_odd(path, kind, world)
    before = os.lstat(path).st_ino
    for words in COMMANDS:
        outcome = inside(*words)
        assert outcome.status in {1, 2}, (words, outcome)
        assert "error[" in outcome.err
        assert "hint: " in outcome.err or name in outcome.err
        assert os.lstat(path).st_ino == before
        assert not world.venv.exists()


def make_odd(path: Path, kind: str, world: World) -> None:
    outside = world.place / "outside"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "link outside":
        outside.write_text("secret = 'hunter2'\n")
        path.symlink_to(outside)
    elif kind == "circle":
        path.symlink_to(path)
    else:
        path.symlink_to("/dev/zero")
