"""Pages, metadata, lockfiles, projects, settings, manifests and states that were changed at random."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from random import Random

import pytest
import tomli
from packaging.utils import canonicalize_name

from pyvstore.index.grouping import MalformedPageError
from pyvstore.index.page import ProjectPage
from pyvstore.index.simple_html import parse_html_page
from pyvstore.index.simple_json import parse_json_page
from pyvstore.lockfile.parse import parse_lock
from pyvstore.lockfile.write import format_lock
from pyvstore.project.document import ProjectDocument
from pyvstore.requirements.project import parse_project
from pyvstore.requirements.settings import environment_layer, merge_settings, project_layer, user_layer
from pyvstore.wheel.entry_points import parse_entry_points
from pyvstore.wheel.metadata import parse_core_metadata, parse_wheel_file
from pyvstore.wheel.record import parse_record
from tests.fuzz.campaign import cases, obeys
from tests.fuzz.mutations import mutated_bytes, mutated_value

NAME = canonicalize_name("demo")
ROOT = "https://index.example/simple/"
URL = f"{ROOT}demo/"
SHA = "ab" * 32


def _file(filename: str, **more: object) -> dict[str, object]:
    return {"filename": filename, "url": f"https://files.example/{filename}", "hashes": {"sha256": SHA}, **more}


PAGE = {
    "meta": {"api-version": "1.4"},
    "name": "demo",
    "project-status": {"status": "archived", "reason": "old"},
    "versions": ["1.0", "2.0"],
    "files": [
        _file("demo-1.0-py3-none-any.whl", size=7, yanked="bad", **{"requires-python": ">=3.8,<4"}),
        _file("demo-1.0.tar.gz", size=9, yanked=False, **{"upload-time": "2024-05-06T07:08:09.123456Z"}),
        _file("demo-2.0-cp311-cp311-manylinux_2_17_x86_64.whl", **{"core-metadata": {"sha256": SHA}}),
        {**_file("demo-2.0.zip"), "url": "../../files/demo-2.0.zip", "dist-info-metadata": True},
    ],
}
HTML = f"""<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.3">
<base href="../files/"><meta name="pypi:project-status" content="archived"><!-- x --></head><body>
<a href="demo-1.0-py3-none-any.whl#sha256={SHA}" data-requires-python="&gt;=3.8" data-yanked="a &quot;b&#34;">d</a><br/>
<a href=https://u:p@h.example:8443/demo-2.0.tar.gz?x=1#md5=0 data-core-metadata="sha256={SHA}">d</a>
</body></html>""".encode()
METADATA = b"""Metadata-Version: 2.4
Name: demo
Version: 1.0
Requires-Python: >=3.8,!=3.9.1
Requires-Dist: alpha[x,y]>=1.0,<2; python_version < "3.12" and extra == 'z'
Requires-Dist: beta @ https://h.example/beta-1.0-py3-none-any.whl
Provides-Extra: z
Dynamic: License
Description-Content-Type: text/markdown

# demo
"""
LOCK = f"""lock-version = "1.0"
created-by = "pyvstore"
requires-python = ">=3.10"
environments = ["sys_platform == 'linux'", "sys_platform != 'linux'"]
extras = ["x"]
dependency-groups = ["dev"]
default-groups = ["pyvstore-default"]

[[packages]]
name = "demo"
version = "1.0"
marker = "python_version < '3.12' or 'x' in extras"
requires-python = ">=3.8"
index = "{ROOT}"
dependencies = [{{name = "alpha", version = "2.0"}}]
sdist = {{url = "https://files.example/demo-1.0.tar.gz", size = 9, hashes = {{sha256 = "{SHA}"}}}}
wheels = [{{name = "demo-1.0-py3-none-any.whl", url = "https://files.example/demo-1.0-py3-none-any.whl", size = 7,
 upload-time = 2024-05-06T07:08:09Z, hashes = {{sha256 = "{SHA}"}}}}]

[[packages]]
name = "alpha"
version = "2.0"
wheels = [{{url = "https://files.example/alpha-2.0-py3-none-any.whl", hashes = {{sha256 = "{SHA}", md5 = "0"}}}}]

[tool.pyvstore]
requirements = [["project", "demo>=1"]]
"""
PYPROJECT = """[build-system]
requires = ["hatchling"]
[project]
name = "app"
version = "1"
requires-python = ">=3.10"
dependencies = ["demo>=1", 'alpha[x]; sys_platform == "linux"']
dynamic = ["readme"]
[project.optional-dependencies]
x = ["beta~=1.0"]
[dependency-groups]
dev = ["gamma", {include-group = "test"}]
test = []
[tool.pyvstore]
package = false
prereleases = "allow"
resolution = "lowest"
platforms = ["linux-x86_64"]
environments = ["python_version >= '3.11'"]
constraints = ["demo<3"]
overrides = ["alpha==2"]
exclude = ["zeta"]
exclude-newer = "3 days"
no-build = [":all:"]
default-groups = ["dev"]
conflicts = [[{extra = "x"}, {group = "dev"}]]
index = [{name = "own", url = "https://index.example/simple/", default = true}]
"""
RECORD = b"demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\ndemo-1.0.dist-info/RECORD,,\n"
ENTRY_POINTS = b"[console_scripts]\ndemo = demo:main [x]\n# a comment\n[gui_scripts]\nd-2 = demo.deep:Some.thing\n"
WHEEL = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\nBuild: 1\n"


def _use(page: ProjectPage) -> None:
    header, lines = page.to_lines()
    again = ProjectPage.from_lines(ROOT, json.loads(json.dumps(header)), lines)
    for version in page.versions:
        assert page.artifacts(version) == again.artifacts(version)
        for artifact in page.artifacts(version):
            assert artifact.url.startswith(("https://", "http://"))
            assert artifact.url.isascii()
            assert artifact.url.isprintable()
            assert "\\" not in artifact.url.split("/")[2]
            assert "@" not in artifact.url.split("/")[2]


def json_page(random: Random) -> None:
    data = json.dumps(mutated_value(random, PAGE)).encode("utf-8", "surrogatepass")
    _use(parse_json_page(NAME, ROOT, URL, mutated_bytes(random, data) if random.random() < 0.4 else data))


def html_page(random: Random) -> None:
    _use(parse_html_page(NAME, ROOT, URL, mutated_bytes(random, HTML)))


def core_metadata(random: Random) -> None:
    parse_core_metadata(mutated_bytes(random, METADATA))


def wheel_file(random: Random) -> None:
    parse_wheel_file(mutated_bytes(random, WHEEL))


def record(random: Random) -> None:
    parse_record(mutated_bytes(random, RECORD), "RECORD")


def entry_points(random: Random) -> None:
    parse_entry_points(mutated_bytes(random, ENTRY_POINTS), "entry_points.txt")


def lockfile(random: Random) -> None:
    document = parse_lock(mutated_bytes(random, LOCK.encode(), [PYPROJECT.encode()]))
    again = parse_lock(format_lock(document))
    assert sorted(again.packages, key=repr) == sorted(document.packages, key=repr)


def project_file(random: Random) -> None:
    document = ProjectDocument.parse("pyproject.toml", mutated_bytes(random, PYPROJECT.encode(), [LOCK.encode()]))
    _read_project(document.data)
    document.with_dependencies(["demo>=2"])


def project_values(random: Random) -> None:
    value = mutated_value(random, tomli.loads(PYPROJECT))
    if isinstance(value, dict):
        _read_project(value)


def _read_project(data: Mapping[str, object]) -> None:
    parse_project(data)
    merge_settings([project_layer(data)])


def settings(random: Random) -> None:
    table = mutated_value(random, tomli.loads(PYPROJECT)["tool"]["pyvstore"])
    if isinstance(table, dict):
        merge_settings([user_layer(table)])


def settings_of_the_environment(random: Random) -> None:
    text = random.choice((b"https://u:p@h.example:80/simple", b"allow", b"lowest", b"2024-01-01", b"3 days", b"a,b"))
    name = random.choice(("INDEX_URL", "PRERELEASES", "RESOLUTION", "EXCLUDE_NEWER"))
    environment_layer({f"PYVSTORE_{name}": mutated_bytes(random, text).decode("utf-8", "surrogateescape")})


SUBJECTS = (
    *(json_page, html_page, core_metadata, wheel_file, record, entry_points, lockfile, project_file, project_values),
    *(settings, settings_of_the_environment),
)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__)
def test_what_was_changed_at_random_is_taken_or_refused(subject: Callable[[Random], None]) -> None:
    ends = Counter(
        obeys(name, partial(subject, random), may_raise=(MalformedPageError,))
        for name, random in cases(subject.__name__, 150)
    )
    assert len(ends) > 1, f"all cases end alike: {ends}"
