"""A pyproject.toml that says nonsense: a coded error, nothing changed, and the same command works once it is mended."""

from dataclasses import dataclass

import pytest

from tests.integration.refusals import PYPROJECT, Run, refused_by_all
from tests.support.world import World


@dataclass(frozen=True)
class Bad:
    """What is in a file and what is said about it."""

    content: bytes
    code: str
    place: str
    status: int = 1


def bad(text: str | bytes, code: str, place: str, status: int = 1) -> Bad:
    return Bad(text.encode() if isinstance(text, str) else text, code, place, status)


def with_project(line: str) -> str:
    return PYPROJECT + line + "\n"


BAD_PYPROJECTS = {
    "a merge conflict": bad(
        PYPROJECT + "<<<<<<< HEAD\nx = 1\n=======\n>>>>>>> b\n",
        "pyproject-syntax",
        "line 6, column 1: merge-conflict marker",
    ),
    "invalid UTF-8": bad(
        PYPROJECT.encode() + b'description = "\xff"\n', "pyproject-syntax", "line 6, column 16: not valid UTF-8"
    ),
    "UTF-16": bad(PYPROJECT.encode("utf-16"), "pyproject-syntax", "line 1, column 1"),
    "not TOML": bad("[project\n", "pyproject-syntax", "line 1, column"),
    "an array ten thousand deep": bad(with_project("x = " + "[" * 10_000), "pyproject-syntax", "pyproject.toml"),
    "70 MB": bad(b"#" * 70_000_000, "pyproject-too-large", "larger than 16 MiB"),
    "a project that is a number": bad("project = 3\n", "pyproject", "project"),
    "a name that is a number": bad(PYPROJECT.replace('"app"', "5"), "pyproject", "project.name"),
    "a name that is a path": bad(PYPROJECT.replace('"app"', '"../../x"'), "pyproject", "project.name"),
    "no name": bad(PYPROJECT.replace('name = "app"\n', ""), "pyproject", "project.name"),
    "dependencies that are a string": bad(
        PYPROJECT.replace('["gamma"]', '"gamma"'), "pyproject", "project.dependencies"
    ),
    "a dependency that is a number": bad(
        PYPROJECT.replace('["gamma"]', '["gamma", 1]'), "pyproject", "project.dependencies[1]"
    ),
    "a dependency that is none": bad(
        PYPROJECT.replace('["gamma"]', '["gam ma"]'), "pyproject", "project.dependencies[0]"
    ),
    "a requires-python that is a number": bad(
        PYPROJECT.replace('">=3.10"', "3"), "pyproject", "project.requires-python"
    ),
    "a requires-python that is none": bad(
        PYPROJECT.replace('">=3.10"', '"new"'), "pyproject", "project.requires-python"
    ),
    "extras that are a list": bad(
        with_project("optional-dependencies = []"), "pyproject", "project.optional-dependencies"
    ),
    "groups that are a number": bad(
        PYPROJECT + "[dependency-groups]\ntest = 1\n", "pyproject", "dependency-groups.test"
    ),
    "a tool table that is a list": bad(PYPROJECT + "[tool]\npyvstore = []\n", "setting", "tool.pyvstore", 2),
    "a dependency without meaning": bad(
        PYPROJECT.replace('"gamma"', "\"gamma; 'x' in extras\""), "pyproject", "project.dependencies[0]"
    ),
    "a dependency that cannot be seen": bad(
        PYPROJECT.replace('"gamma"', "\"gamma; os_name == '\\u202e'\""), "pyproject", "project.dependencies[0]"
    ),
    "a number of five thousand digits": bad(with_project("x = " + "9" * 5000), "pyproject-syntax", "too many digits"),
    "a setting of five thousand digits": bad(
        PYPROJECT + "[tool.pyvstore]\nresolution = 0x" + "f" * 5000, "setting", "resolution", 2
    ),
    "an unknown setting": bad(PYPROJECT + "[tool.pyvstore]\nresolutoin = 1\n", "setting", "resolutoin", 2),
    "a setting of the wrong type": bad(PYPROJECT + "[tool.pyvstore]\nresolution = 1\n", "setting", "resolution", 2),
    "an index that is a string": bad(PYPROJECT + '[tool.pyvstore]\nindex = "x"\n', "setting", "index", 2),
}


@pytest.mark.parametrize("name", BAD_PYPROJECTS)
def test_a_pyproject_with(world: World, inside: Run, name: str) -> None:
    wrong = BAD_PYPROJECTS[name]
    path = world.project / "pyproject.toml"
    path.write_bytes(wrong.content)
    commands = (
        ["sync"],
        ["add", "alpha"],
        ["lock"],
        ["remove", "gamma"],
        ["run", "python", "-V"],
        ["sync", "--dry-run"],
    )
    for outcome in refused_by_all(world, inside, commands, wrong.code, wrong.status):
        assert wrong.place in outcome.err, outcome.err
    path.write_text(PYPROJECT)
    assert inside("sync").status == 0
    assert (world.site / "gamma.py").exists()
